//! The command line of `self-update`.

use std::process::ExitCode;

use netcore::program;
use self_update::{Release, run};

fn main() -> ExitCode {
    run(program!(), Release::default())
}
