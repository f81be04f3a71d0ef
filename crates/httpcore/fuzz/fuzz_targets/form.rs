//! The fields of a form.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| httpcore::fuzzing::form(data));
