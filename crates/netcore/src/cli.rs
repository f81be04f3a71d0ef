//! The arguments, output and exit codes that all rungs share, so that a rung's `main.rs`
//! says what is its own.

mod args;
mod input;
mod output;
mod run;
#[cfg(unix)]
mod terminal;
mod units;

pub use args::{ClientArgs, Limits, NoOptions, ServerArgs, each_request};
pub use input::{all_messages, each_message, messages, typed};
pub use output::{announce, complain, finish, listening_on, print, print_bytes, ready};
pub use run::{Also, Connects, Listens, Program, run, run_also};
pub use units::{count, duration, folder, path, size};
