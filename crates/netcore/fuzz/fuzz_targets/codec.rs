//! A message of the codec.
#![no_main]

// Only one of its checks is called here.
#[allow(dead_code)]
#[path = "../../tests/checks/mod.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|data: &[u8]| checks::values(data));
