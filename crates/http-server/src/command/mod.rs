//! The command line: what the words on it make of the rest.

mod listening;
pub mod options;
mod run;
#[cfg(unix)]
mod unix;

pub use run::run;
