//! The command line: what the words on it make of the rest.

mod listening;
pub mod options;
mod run;

pub use run::run;
