//! What to do after a try. No clock, no socket and no chance in here: the time is handed in
//! as what has passed since the program began, and chance as a number, so a test waits for
//! nothing.

use std::time::{Duration, SystemTime};

/// The wait before the first repeat is at most this long; each further one may be twice as
/// long. Chosen so that a moment's trouble is over in the first few.
pub const FIRST_WAIT: Duration = Duration::from_millis(200);

/// No wait is longer, unless the other side asks for it.
pub const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// One repeat for so many requests: who is down is not helped by everybody's repeats.
pub const REQUESTS_PER_REPEAT: u32 = 10;

/// Repeats in a [`WINDOW`] that a program has in any case: enough for one request to
/// outlast ten seconds of outage.
pub const RESERVE: u32 = 10;

/// For so long a request counts.
pub const WINDOW: Duration = Duration::from_secs(60);

/// Why one try did not bring what was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// An answer with another status than success and, where it says so, how long to stay
    /// away.
    Status(u16, Option<Duration>),
    /// A whole answer that makes none, such as a page where JSON was due.
    Nonsense,
    /// No connection, so nothing was sent.
    NotSent,
    /// Something was sent and no whole answer came: whether it took effect, nobody here
    /// knows.
    Lost,
}

/// What to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// The same request again, after so long.
    AskAgain(Duration),
    /// Asking again would bring the same answer.
    Refused,
    /// It may be different later.
    GiveUp(Why),
}

/// Why it is not asked again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The next try would come too late. `Some`: when the other side wants to be asked.
    NoTimeLeft(Option<Duration>),
    /// The request might take effect a second time: it has no key.
    NotSafe,
    /// The share of repeats is used up.
    TooManyRepeats,
}

impl Trouble {
    /// Whether what was asked for may have taken effect: 502 and 504 are what somebody on the
    /// way says who has lost the answer.
    pub fn leaves_open(self) -> bool {
        matches!(self, Trouble::Lost | Trouble::Status(502 | 504, _))
    }
}

/// One request and its tries.
#[derive(Debug)]
pub struct Tries {
    /// Whether a second request has no second effect: it only reads, or has a key by which
    /// the other side knows it again.
    pub safe: bool,
    /// When nobody wants the answer any more.
    pub deadline: Duration,
    waits: u32,
}

impl Tries {
    /// A request that has not been sent yet.
    pub fn new(safe: bool, deadline: Duration) -> Tries {
        Tries { safe, deadline, waits: 0 }
    }

    /// What to do after a try that ended in `trouble`. `chance` is from 0 to 1.
    pub fn next(
        &mut self,
        trouble: Trouble,
        now: Duration,
        chance: f64,
        budget: &mut Budget,
    ) -> Next {
        let asked_for = match trouble {
            Trouble::Status(429 | 502..=504, after) => after,
            Trouble::Status(..) | Trouble::Nonsense => return Next::Refused,
            Trouble::NotSent | Trouble::Lost => None,
        };
        if !self.safe && trouble != Trouble::NotSent {
            return Next::GiveUp(Why::NotSafe);
        }
        // Full jitter: whoever was cut off at one moment comes back at different ones. Also
        // on top of what the other side asks for, as it asks everybody for the same.
        let most = FIRST_WAIT.saturating_mul(1 << self.waits.min(16)).min(LONGEST_WAIT);
        let wait = asked_for.unwrap_or_default().saturating_add(most.mul_f64(chance));
        if now.saturating_add(wait) >= self.deadline {
            return Next::GiveUp(Why::NoTimeLeft(asked_for));
        }
        if !budget.takes_repeat(now) {
            return Next::GiveUp(Why::TooManyRepeats);
        }
        self.waits += 1;
        Next::AskAgain(wait)
    }
}

/// How many repeats a program may still make, over all its requests.
#[derive(Debug, Default)]
pub struct Budget {
    parts: [Part; PARTS],
}

/// Parts of a [`WINDOW`], so that what is counted can be forgotten bit by bit.
const PARTS: usize = 6;

#[derive(Debug, Default, Clone, Copy)]
struct Part {
    /// Which one it is, counted from the beginning of the program.
    number: u64,
    requests: u32,
    repeats: u32,
}

impl Budget {
    /// Counts a request that is sent for the first time.
    pub fn count_request(&mut self, now: Duration) {
        self.part(now).requests += 1;
    }

    fn takes_repeat(&mut self, now: Duration) -> bool {
        let oldest = (self.part(now).number + 1).saturating_sub(PARTS as u64);
        let counted = self.parts.iter().filter(|part| part.number >= oldest);
        let (requests, repeats) = counted.fold((0, 0), |(requests, repeats), part| {
            (requests + part.requests, repeats + part.repeats)
        });
        let takes = repeats < RESERVE.max(requests / REQUESTS_PER_REPEAT);
        if takes {
            self.part(now).repeats += 1;
        }
        takes
    }

    fn part(&mut self, now: Duration) -> &mut Part {
        let number = now.as_secs() / (WINDOW.as_secs() / PARTS as u64);
        let part = &mut self.parts[number as usize % PARTS];
        if part.number != number {
            *part = Part { number, ..Part::default() };
        }
        part
    }
}

/// When the next request may go, so that the rate which was agreed on is kept.
#[derive(Debug)]
pub struct Pace {
    gap: Duration,
    next: Duration,
}

impl Pace {
    /// At most so many requests a second, repeats among them.
    pub fn new(per_second: u32) -> Pace {
        Pace { gap: Duration::from_secs(1) / per_second.max(1), next: Duration::ZERO }
    }

    /// Takes the next turn, and says how long it is until then; nothing where that is too
    /// late, and it is left to others.
    pub fn wait(&mut self, now: Duration, deadline: Duration) -> Option<Duration> {
        let turn = self.next.max(now);
        if turn >= deadline {
            return None;
        }
        self.next = turn + self.gap;
        Some(turn - now)
    }
}

/// What `Retry-After` asks for: seconds or a date
/// ([RFC 9110 section 10.2.3](https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3)). A date that is past is no
/// wait, and what is neither says nothing.
pub fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit are a very long time.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests;
