//! A request target.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| httpcore::fuzzing::target(data));
