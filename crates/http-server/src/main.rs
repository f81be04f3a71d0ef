//! The command line of `http-server`.

use std::process::ExitCode;

fn main() -> ExitCode {
    http_server::run()
}
