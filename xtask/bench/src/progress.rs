//! Where a measurement has got to, on a line that the next word replaces.

use std::io::{self, IsTerminal, Write};

/// A word for the person who waits, on a line that the next one replaces.
pub fn progress(text: &str) {
    let mut stderr = io::stderr().lock();
    if stderr.is_terminal() {
        // Nobody who waits, nobody to tell.
        let _ = write!(stderr, "\r\x1b[K{text}").and_then(|()| stderr.flush());
    }
}
