//! A release that starts and never gets ready: it waits for what does not come.

use std::process::ExitCode;

use netcore::program;
use self_update::{Release, run};

fn main() -> ExitCode {
    let prepare = || loop {
        std::thread::park();
    };
    run(program!(), Release { version: "0.3.0", prepare, ..Release::default() })
}
