//! The time in the two forms that responses and the access log need, written once a
//! second.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use httpdate::fmt_http_date;

/// One thread's clock. Formatting a date for each response would cost more than
/// everything else in it.
#[derive(Debug)]
pub struct Clock {
    second: u64,
    date: String,
}

impl Default for Clock {
    fn default() -> Clock {
        Clock { second: 0, date: date(0) }
    }
}

impl Clock {
    /// Now, as in the Date field: `Sun, 06 Nov 1994 08:49:37 GMT`.
    pub fn date(&mut self) -> &str {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        if now != self.second {
            *self = Clock { second: now, date: date(now) };
        }
        &self.date
    }
}

/// A point in seconds since 1970 as in Date and Last-Modified. The clock of a file may
/// be set beyond what dates can hold: year 9999.
pub fn date(seconds: u64) -> String {
    const LAST: u64 = 253_402_300_799;
    fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds.min(LAST)))
}

/// A date as the common log format has it: `06/Nov/1994:08:49:37 +0000`.
pub fn log_date(date: &str) -> String {
    match (date.get(5..7), date.get(8..11), date.get(12..16), date.get(17..25)) {
        (Some(day), Some(month), Some(year), Some(time)) => {
            format!("{day}/{month}/{year}:{time} +0000")
        }
        _ => date.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_in_both_forms() {
        assert_eq!(date(784_111_777), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(log_date(&date(784_111_777)), "06/Nov/1994:08:49:37 +0000");
        assert_eq!(date(u64::MAX), "Fri, 31 Dec 9999 23:59:59 GMT");
    }

    #[test]
    fn the_clock_goes() {
        let mut clock = Clock::default();
        assert_ne!(clock.date(), date(0));
    }
}
