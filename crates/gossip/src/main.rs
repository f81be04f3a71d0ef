//! The command line of `gossip`.

use std::process::ExitCode;

fn main() -> ExitCode {
    gossip::command::run()
}
