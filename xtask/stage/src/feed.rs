//! What has happened, for every page that listens: server-sent events
//! ([the HTML standard](https://html.spec.whatwg.org/multipage/server-sent-events.html)).

use std::collections::VecDeque;
use std::io::{self, Cursor, Read};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http_server::{Refusal, Request, Response, Status};
use ladder::log_line::Time;
use serde::Serialize;
use serde_json::Value;

use crate::event::What;

/// Events of a session that are kept for a page that comes later. Of more, the first are
/// forgotten, but for the one that says what plays.
const KEPT: usize = 4_000;

/// Pages at a time, each of which holds a worker of the server. Past it, 503.
const MOST_LISTENERS: usize = 16;

/// Events between two looks at the clock. What comes beyond is counted and not told: a
/// client that sends for ever must not bury the page.
const BURST: u64 = 60;

/// How long nothing is sent. A page that is gone is noticed when something is.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// An event and its time since the session began.
#[derive(Serialize)]
struct Timed<'a> {
    /// In microseconds.
    t: u128,
    #[serde(flatten)]
    what: &'a What,
}

#[derive(Default)]
pub struct Feed {
    told: Mutex<Told>,
    news: Condvar,
}

#[derive(Default)]
struct Told {
    /// Each with its number, which is one more than that of the event before.
    events: VecDeque<(u64, String)>,
    last: u64,
    session: u64,
    began: Option<Time>,
    listeners: usize,
    /// Events since the last look at the clock, and those of them that were not told.
    burst: u64,
    missed: u64,
    is_over: bool,
}

/// Tells of one session; when another one has begun, nobody hears it any more.
#[derive(Clone)]
pub struct Teller {
    feed: Arc<Feed>,
    session: u64,
}

impl Feed {
    fn lock(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a session: the pages forget the one before.
    pub fn begin(self: &Arc<Feed>, session: Value) -> Teller {
        let began = Time::now();
        let number = {
            let mut told = self.lock();
            told.session += 1;
            told.events.clear();
            (told.burst, told.missed) = (0, 0);
            told.began = Some(began);
            told.session
        };
        let teller = Teller { feed: self.clone(), session: number };
        teller.tell(began, &What::Session(session));
        teller
    }

    /// Lets every page go: the server is stopping.
    pub fn end(&self) {
        self.lock().is_over = true;
        self.news.notify_all();
    }

    pub fn is_over(&self) -> bool {
        self.lock().is_over
    }

    pub fn has_listeners(&self) -> bool {
        self.lock().listeners > 0
    }

    /// The number of the last event.
    pub fn last(&self) -> u64 {
        self.lock().last
    }

    /// The events of this session, as JSON.
    pub fn events(&self) -> Vec<String> {
        self.lock().events.iter().map(|(_, event)| event.clone()).collect()
    }

    /// What one page is sent from here on, behind the event of this number.
    pub fn listen(self: &Arc<Feed>, req: &Request<'_>) -> Result<Response, Refusal> {
        // A browser that was cut off says so by itself.
        let heard = req.header("last-event-id").and_then(|id| id.parse().ok());
        Ok(Response::stream(Listener::new(self, heard)?)
            .header("Content-Type", "text/event-stream")
            .header("Cache-Control", "no-store"))
    }
}

impl Teller {
    /// What was told, while this session goes on.
    fn own(&self) -> Option<MutexGuard<'_, Told>> {
        Some(self.feed.lock()).filter(|told| told.session == self.session)
    }

    pub fn tell(&self, at: Time, what: &What) {
        let Some(mut told) = self.own() else { return };
        told.burst += 1;
        if told.burst > BURST && matches!(what, What::Log { .. } | What::Passed(_)) {
            told.missed += 1;
            return;
        }
        let t = told.began.map_or(0, |began| at.since(began).as_micros());
        let Ok(event) = serde_json::to_string(&Timed { t, what }) else { return };
        told.last += 1;
        let number = told.last;
        told.events.push_back((number, event));
        if told.events.len() > KEPT {
            // The first one says what plays.
            told.events.remove(1);
        }
        self.feed.news.notify_all();
    }

    pub fn now(&self, what: &What) {
        self.tell(Time::now(), what);
    }

    pub fn note(&self, text: impl Into<String>) {
        self.now(&What::Note { text: text.into(), bad: false });
    }

    pub fn trouble(&self, text: impl Into<String>) {
        self.now(&What::Note { text: text.into(), bad: true });
    }

    /// Some time has passed: as many events may come again.
    pub fn breathe(&self) {
        let Some(mut told) = self.own() else { return };
        told.burst = 0;
        let number = std::mem::take(&mut told.missed);
        drop(told);
        if number > 0 {
            self.now(&What::Missed { number });
        }
    }
}

/// What one page is sent, which ends when the feed does.
pub struct Listener {
    feed: Arc<Feed>,
    /// The number of the event that it was sent last.
    heard: u64,
    /// What is left to be sent of that.
    pending: Cursor<Vec<u8>>,
}

impl Listener {
    pub fn new(feed: &Arc<Feed>, heard: Option<u64>) -> Result<Listener, Refusal> {
        let mut told = feed.lock();
        if told.listeners >= MOST_LISTENERS {
            let why = "as many pages are open as can be; close one";
            return Err(Refusal::new(Status::SERVICE_UNAVAILABLE, why));
        }
        told.listeners += 1;
        // A number from before a restart may be one that is still to come.
        let heard = heard.filter(|heard| *heard <= told.last).unwrap_or(0);
        let pending = Cursor::new(b"retry: 500\n\n".to_vec());
        Ok(Listener { feed: feed.clone(), heard, pending })
    }

    /// All that it has not heard, or a comment where there is nothing for a while; nothing
    /// at the end.
    fn next(&mut self) -> Vec<u8> {
        let told = self.feed.lock();
        let heard = self.heard;
        let nothing_new = |told: &mut Told| !told.is_over && told.last <= heard;
        let waited = self.feed.news.wait_timeout_while(told, HEARTBEAT, nothing_new);
        let (told, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let mut news = Vec::new();
        for (number, event) in told.events.iter().filter(|(number, _)| *number > heard) {
            self.heard = *number;
            // JSON has no line ends of its own.
            news.extend(format!("id: {number}\ndata: {event}\n\n").into_bytes());
        }
        match news.is_empty() {
            true if told.is_over => Vec::new(),
            true => b": still here\n\n".to_vec(),
            false => news,
        }
    }
}

impl Read for Listener {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.pending.position() == self.pending.get_ref().len() as u64 {
            self.pending = Cursor::new(self.next());
        }
        self.pending.read(out)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.feed.lock().listeners -= 1;
    }
}

#[cfg(test)]
mod tests {
    use ladder::log_line::Level;
    use serde_json::json;

    use super::*;

    fn session() -> Value {
        json!({"rung": "one-echo"})
    }

    fn next(listener: &mut Listener) -> String {
        let mut buf = vec![0; 1 << 16];
        let n = listener.read(&mut buf).unwrap();
        String::from_utf8(buf[..n].to_vec()).unwrap()
    }

    #[test]
    fn a_page_that_comes_late_is_told_all_and_one_that_was_cut_off_the_rest() {
        let feed = Arc::new(Feed::default());
        let teller = feed.begin(session());
        teller.note("first\nsecond line");
        let mut late = Listener::new(&feed, None).unwrap();
        assert_eq!(next(&mut late), "retry: 500\n\n");
        let heard = next(&mut late);
        assert!(heard.starts_with("id: 1\ndata: {\"t\":0,\"what\":\"session\""), "{heard}");
        assert!(heard.contains("\"text\":\"first\\nsecond line\""), "{heard}");
        let mut again = Listener::new(&feed, Some(1)).unwrap();
        assert_eq!(next(&mut again), "retry: 500\n\n");
        assert!(next(&mut again).starts_with("id: 2\n"));
        feed.end();
        assert_eq!((next(&mut late), next(&mut again)), (String::new(), String::new()));
    }

    #[test]
    fn what_an_ended_session_says_nobody_hears() {
        let feed = Arc::new(Feed::default());
        let old = feed.begin(session());
        feed.begin(session());
        old.note("still here");
        assert_eq!(feed.events().len(), 1);
    }

    #[test]
    fn a_burst_is_cut_and_counted_and_what_is_kept_is_bounded() {
        let feed = Arc::new(Feed::default());
        let teller = feed.begin(session());
        let line =
            || What::Log { who: crate::event::Who::Server, level: Level::Other, text: "x".into() };
        for _ in 0..BURST + 10 {
            teller.now(&line());
        }
        assert_eq!(feed.events().len() as u64, BURST);
        teller.breathe();
        assert!(feed.events().last().unwrap().contains("\"missed\",\"number\":11"));
        for _ in 0..KEPT + 10 {
            teller.note("more");
        }
        assert_eq!(feed.events().len(), KEPT);
        assert!(feed.events()[0].contains("session"));
    }

    #[test]
    fn there_is_an_end_to_how_many_listen_and_who_leaves_makes_room() {
        let feed = Arc::new(Feed::default());
        let mut all: Vec<Listener> =
            (0..MOST_LISTENERS).map(|_| Listener::new(&feed, None).unwrap()).collect();
        let refused = Listener::new(&feed, None).map(|_| ()).unwrap_err();
        assert_eq!(refused.status, Status::SERVICE_UNAVAILABLE);
        all.pop();
        assert!(feed.has_listeners() && Listener::new(&feed, None).is_ok());
    }
}
