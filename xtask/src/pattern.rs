//! Patterns in texts.

use ladder::{Failure, failure};
use regex_lite::{Captures, Regex};

pub fn pattern(text: &str) -> Result<Regex, Failure> {
    Regex::new(text).map_err(|error| failure!("the pattern {text}: {error}"))
}

/// The text with what `with` says for each place that fits `what`.
pub fn replaced(
    text: &str,
    what: &str,
    with: impl FnMut(&Captures) -> String,
) -> Result<String, Failure> {
    Ok(pattern(what)?.replace_all(text, with).into_owned())
}
