//! A chunked body.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| httpcore::fuzzing::chunked(data));
