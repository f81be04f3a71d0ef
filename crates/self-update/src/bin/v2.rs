//! A later release, which answers in capital letters.

use std::process::ExitCode;

use netcore::program;
use self_update::{Release, run};

fn main() -> ExitCode {
    run(program!(), Release { version: "0.2.0", capitals: true, ..Release::default() })
}
