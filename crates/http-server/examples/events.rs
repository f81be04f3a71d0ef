//! Server-sent events: what one browser says, all of them see at once
//! ([the HTML standard](https://html.spec.whatwg.org/multipage/server-sent-events.html)).
//!
//! ```console
//! $ cargo run -p http-server --example events
//! listening on http://127.0.0.1:8000/
//! $ curl -N 127.0.0.1:8000/events &
//! $ curl -d text=hello 127.0.0.1:8000/say
//! ```
//!
//! Each listener holds a worker of the server for as long as it listens, so their number has
//! a limit. For thousands of them, see the rung `event-echo`.

use std::collections::VecDeque;
use std::error::Error;
use std::io::{self, Cursor, Read};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http_server::{AccessLog, Refusal, Request, Response, Server, Status};

/// Past it, 503. The other workers answer everything else.
const MOST_LISTENERS: usize = 50;

/// Messages that a listener who was away for a moment is told later.
const KEPT: usize = 100;

/// Bytes of one message. Past it, 413.
const LONGEST: usize = 1000;

/// How long nothing is sent. A listener that is gone is noticed when something is.
const HEARTBEAT: Duration = Duration::from_secs(15);

const PAGE: &str = r#"<!DOCTYPE html>
<meta charset="utf-8">
<title>Events</title>
<form id="form"><input name="text" autofocus> <button>Say</button></form>
<ul id="list"></ul>
<script>
new EventSource("events").onmessage = (event) => {
    const item = document.createElement("li");
    item.textContent = event.data;
    document.getElementById("list").prepend(item);
};
document.getElementById("form").onsubmit = (event) => {
    event.preventDefault();
    fetch("say", { method: "POST", body: new URLSearchParams(new FormData(event.target)) });
    event.target.reset();
};
</script>
"#;

/// What was said, and who listens.
#[derive(Default)]
struct Feed {
    said: Mutex<Said>,
    news: Condvar,
}

#[derive(Default)]
struct Said {
    /// Each with its number, which is one more than that of the message before.
    messages: VecDeque<(u64, String)>,
    last: u64,
    listeners: usize,
    is_over: bool,
}

impl Feed {
    fn lock(&self) -> MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn say(&self, text: &str) {
        let mut said = self.lock();
        said.last += 1;
        let number = said.last;
        said.messages.push_back((number, text.into()));
        if said.messages.len() > KEPT {
            said.messages.pop_front();
        }
        self.news.notify_all();
    }

    /// Lets every listener go: the server is stopping.
    fn end(&self) {
        self.lock().is_over = true;
        self.news.notify_all();
    }
}

/// What one listener is sent, which ends when the feed does.
struct Listener {
    feed: Arc<Feed>,
    /// The number of the message that it was sent last.
    told: u64,
    /// What is left to be sent of that.
    pending: Cursor<Vec<u8>>,
}

impl Listener {
    /// One who has been told up to `told`, or from now on.
    fn new(feed: &Arc<Feed>, told: Option<u64>) -> Result<Listener, Refusal> {
        let mut said = feed.lock();
        if said.listeners >= MOST_LISTENERS {
            let why = "as many listen as can; try again soon";
            return Err(Refusal::new(Status::SERVICE_UNAVAILABLE, why));
        }
        said.listeners += 1;
        // A number from before a restart may be one that is still to come.
        let told = told.unwrap_or(said.last).min(said.last);
        // The browser learns at once that it is connected.
        let pending = Cursor::new(b": listening\n\n".to_vec());
        Ok(Listener { feed: feed.clone(), told, pending })
    }

    /// The next message, or a comment where there is none for a while; nothing at the end.
    fn next(&mut self) -> Vec<u8> {
        let said = self.feed.lock();
        let has_news = |said: &Said| said.is_over || said.last > self.told;
        let waited = self.feed.news.wait_timeout_while(said, HEARTBEAT, |said| !has_news(said));
        let (said, _) = waited.unwrap_or_else(PoisonError::into_inner);
        match said.messages.iter().find(|(number, _)| *number > self.told) {
            Some((number, text)) => {
                self.told = *number;
                event(*number, text)
            }
            None if said.is_over => Vec::new(),
            None => b": still here\n\n".to_vec(),
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

/// A message on the wire. A line end in it would begin a field of its own, so each of its
/// lines is one.
fn event(number: u64, text: &str) -> Vec<u8> {
    let mut event = format!("id: {number}\n");
    for line in text.replace("\r\n", "\n").split(['\r', '\n']) {
        event.push_str(&format!("data: {line}\n"));
    }
    event.push('\n');
    event.into_bytes()
}

fn listen(feed: &Arc<Feed>, req: &Request<'_>) -> Result<Response, Refusal> {
    // A browser that was cut off says so by itself.
    let told = req.header("last-event-id").and_then(|id| id.parse().ok());
    Ok(Response::stream(Listener::new(feed, told)?)
        .header("Content-Type", "text/event-stream")
        .header("Cache-Control", "no-store"))
}

fn say(feed: &Feed, req: &mut Request<'_>) -> Result<Status, Refusal> {
    let form = req.form()?;
    let text = form.get("text").unwrap_or_default();
    if text.is_empty() {
        return Err(Refusal::new(Status::BAD_REQUEST, "text= says nothing"));
    }
    if text.len() > LONGEST {
        let why = format!("a message has {LONGEST} bytes at most");
        return Err(Refusal::new(Status::CONTENT_TOO_LARGE, why));
    }
    feed.say(text);
    Ok(Status::NO_CONTENT)
}

fn server(address: &str) -> Result<Server, Box<dyn Error>> {
    let feed = Arc::new(Feed::default());
    let [heard, said, ended] = [(); 3].map(|()| feed.clone());
    Ok(Server::bind(address)?
        .get("/", |_| Response::html(PAGE))
        .get("/events", move |req| listen(&heard, req))
        .post("/say", move |req| say(&said, req))
        .on_stop(move || ended.end()))
}

fn main() -> Result<(), Box<dyn Error>> {
    server("127.0.0.1:8000")?.access_log(AccessLog::Shown).run()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use http_server::Running;

    use super::*;

    fn start() -> Running {
        server("127.0.0.1:0").unwrap().spawn().unwrap()
    }

    /// What a listener is sent, up to so many empty lines. `connected` is called once it
    /// listens.
    fn heard(
        server: &Running,
        from: Option<u64>,
        blocks: usize,
        connected: impl FnOnce(),
    ) -> String {
        let client = server.client();
        let request = client.get("/events");
        let request = match from {
            Some(id) => request.header("Last-Event-ID", &id.to_string()),
            None => request,
        };
        let read = request.send_and_read(|reply, content| {
            assert_eq!(reply.field("Content-Type"), Some("text/event-stream"));
            let mut text = String::new();
            assert_eq!(content.read_line(&mut text)?, ": listening\n".len());
            connected();
            while text.matches("\n\n").count() < blocks && content.read_line(&mut text)? > 0 {}
            Ok(text)
        });
        read.unwrap()
    }

    fn say(server: &Running, text: &str) -> Status {
        server.client().post("/say").form(&[("text", text)]).send().unwrap().status()
    }

    #[test]
    fn what_one_says_all_who_listen_hear() {
        let server = start();
        let (listens, both_listen) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            let hear = || {
                let listens = listens.clone();
                heard(&server, None, 3, move || listens.send(()).unwrap())
            };
            let listeners = [(); 2].map(|()| scope.spawn(hear));
            for _ in 0..2 {
                both_listen.recv_timeout(Duration::from_secs(30)).unwrap();
            }
            assert_eq!(say(&server, "привет"), Status::NO_CONTENT);
            assert_eq!(say(&server, "two\r\nlines\rdata: x"), Status::NO_CONTENT);
            for listener in listeners {
                assert_eq!(
                    listener.join().unwrap(),
                    ": listening\n\nid: 1\ndata: привет\n\n\
                     id: 2\ndata: two\ndata: lines\ndata: data: x\n\n"
                );
            }
        });
    }

    #[test]
    fn who_was_cut_off_is_told_what_was_missed() {
        let server = start();
        for text in ["one", "two", "three"] {
            say(&server, text);
        }
        let text = heard(&server, Some(1), 3, || {});
        assert_eq!(text, ": listening\n\nid: 2\ndata: two\n\nid: 3\ndata: three\n\n");
        // From before a restart.
        let text =
            heard(&server, Some(99), 2, || assert_eq!(say(&server, "four"), Status::NO_CONTENT));
        assert_eq!(text, ": listening\n\nid: 4\ndata: four\n\n");
    }

    #[test]
    fn a_stop_lets_listeners_go_with_a_whole_response() {
        let server = start();
        let text = heard(&server, None, 2, || server.shutdown().stop());
        assert_eq!(text, ": listening\n\n");
    }

    #[test]
    fn what_is_no_message_is_refused() {
        let server = start();
        assert_eq!(say(&server, ""), Status::BAD_REQUEST);
        assert_eq!(say(&server, &"x".repeat(LONGEST + 1)), Status::CONTENT_TOO_LARGE);
        let plain = server.client().post("/say").body("text=a").send().unwrap();
        assert_eq!(plain.status(), Status::UNSUPPORTED_MEDIA_TYPE);
    }

    #[test]
    fn there_is_an_end_to_how_many_listen_and_who_leaves_makes_room() {
        let feed = Arc::new(Feed::default());
        let mut all: Vec<Listener> =
            (0..MOST_LISTENERS).map(|_| Listener::new(&feed, None).unwrap()).collect();
        let refused = Listener::new(&feed, None).map(|_| ()).unwrap_err();
        assert_eq!(refused.status, Status::SERVICE_UNAVAILABLE);
        all.pop();
        assert!(Listener::new(&feed, None).is_ok());
    }
}
