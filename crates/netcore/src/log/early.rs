//! What there is to warn of before the log has begun: a command line is read before that,
//! and the files that it names.

use std::sync::{Mutex, PoisonError};

use log::LevelFilter;

/// What waits for the log. Each file that is read adds a line at most.
static EARLY: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Warns, now or when the log begins.
pub fn warn_early(text: String) {
    match log::max_level() {
        LevelFilter::Off => EARLY.lock().unwrap_or_else(PoisonError::into_inner).push(text),
        _ => log::warn!("{text}"),
    }
}

/// The log has begun.
pub(super) fn tell() {
    let early = std::mem::take(&mut *EARLY.lock().unwrap_or_else(PoisonError::into_inner));
    early.iter().for_each(|text| log::warn!("{text}"));
}
