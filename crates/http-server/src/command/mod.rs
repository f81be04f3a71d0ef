//! The command line: what the words on it make of the rest.

mod credentials;
mod listening;
pub mod options;
mod place;
mod run;
mod words;

pub use run::run;
