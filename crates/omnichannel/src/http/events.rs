//! Changes as [server-sent events](https://html.spec.whatwg.org/multipage/server-sent-events.html): the content of a
//! response that has no end.

use std::io::{self, Read};
use std::sync::Arc;

use netcore::deadline::Deadline;
use serde_json::json;

use crate::frames::pulse;
use crate::message::{Change, Reply};
use crate::metrics::{Channel, Follower};
use crate::service::Service;

/// What says that the server is there: a comment, which no browser shows.
const STILL_THERE: &[u8] = b":\n\n";

/// The events of one account, read as they come. They end at a stop and at the limit of the
/// connection; who reads them comes again, with the last number that it has.
pub struct Events {
    service: Arc<Service>,
    account: String,
    since: u64,
    until: Deadline,
    /// What has not been read yet.
    text: Vec<u8>,
    read: usize,
    _counted: Follower,
}

impl Events {
    /// The events behind revision `since`, until then.
    pub fn new(service: Arc<Service>, account: String, since: u64, until: Deadline) -> Events {
        let counted = service.metrics.counted(Channel::Http);
        // At once: a browser takes the connection for open when the first bytes are there.
        let text = STILL_THERE.to_vec();
        Events { service, account, since, until, text, read: 0, _counted: counted }
    }

    /// What comes next, or that nothing does.
    fn next(&self) -> (u64, Vec<u8>) {
        let news = self.service.writer.news();
        // Before the store is asked: what comes between the two is looked at next.
        let (seen, stopping) = (news.commits(), news.is_stopping());
        match self.service.next(&self.account, self.since, self.service.options.max_text) {
            Reply::Changes(changes) => {
                let last = changes.last().map_or(self.since, |last| last.draft.revision);
                (last, changes.iter().flat_map(event).collect())
            }
            Reply::Nothing if !stopping => {
                news.wait(seen, pulse(self.until));
                (self.since, STILL_THERE.to_vec())
            }
            _ => (self.since, Vec::new()),
        }
    }
}

impl Read for Events {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.read == self.text.len() {
            if self.until.has_passed() {
                return Ok(0);
            }
            let (since, text) = self.next();
            (self.since, self.text, self.read) = (since, text, 0);
        }
        let n = (&self.text[self.read..]).read(buf)?;
        self.read += n;
        Ok(n)
    }
}

/// The text is JSON, since an event's own lines would lose which line ends it has.
fn event(change: &Change) -> Vec<u8> {
    let revision = change.draft.revision;
    let data = json!({ "revision": revision, "text": change.draft.text });
    format!("id: {revision}\ndata: {data}\n\n").into_bytes()
}
