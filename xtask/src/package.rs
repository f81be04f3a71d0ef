//! Tools that are packages of their own, inside this one's folder: nobody's first demo
//! compiles what it does not need.

use std::env;
use std::ffi::OsStr;
use std::process::Command;

use ladder::process::leave_ctrl_c_to_pager;
use ladder::{Failure, Ladder, Process};

#[path = "../bench/src/options.rs"]
#[allow(dead_code, reason = "bench reads what it is told; here it is checked and completed")]
pub mod bench;

#[path = "../stage/src/options.rs"]
#[allow(dead_code, reason = "stage reads what it is told; here it is checked and completed")]
pub mod stage;

/// [`run`] with our own arguments, behind the first `skip`.
pub fn run_as_typed(name: &str, skip: usize) -> Result<(), Failure> {
    run(name, &env::args_os().skip(skip).collect::<Vec<_>>())
}

/// Builds the package of this name and runs it in our place, with our terminal.
pub fn run(name: &str, args: &[impl AsRef<OsStr>]) -> Result<(), Failure> {
    let program = Ladder::load()?.program(name)?;
    // Ctrl-C reaches it as well, and it ends what it has started.
    leave_ctrl_c_to_pager();
    let process = Process::start_in_front(Command::new(program).args(args))?;
    Failure::of_tool(process.wait_for_person()?)
}
