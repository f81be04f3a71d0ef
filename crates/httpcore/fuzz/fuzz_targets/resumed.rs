//! A chunked body that comes in pieces.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| httpcore::fuzzing::resumed(data));
