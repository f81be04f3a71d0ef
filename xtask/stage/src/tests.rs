//! The page as a browser meets it, with real servers and clients behind it.

use std::io::Read;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use http_server::{Running, Status, TestReply};
use serde_json::{Value, json};

use crate::director;
use crate::feed::{Feed, Listener};
use crate::page;

/// Ends a test that would otherwise hang; a build may be part of it.
const GENEROUS: Duration = Duration::from_secs(120);

/// A page that is served, and what it is told.
struct Page {
    server: Option<Running>,
    director: Option<JoinHandle<()>>,
    listener: Listener,
    /// All that it was told, and how much of it before the last order.
    told: Vec<Value>,
    before: usize,
}

impl Page {
    fn open() -> Page {
        let ladder = Arc::new(trial::load().unwrap());
        let feed = Arc::new(Feed::default());
        let (orders, given) = director::orders();
        let server = page::server(0, &ladder, &feed, &orders).unwrap().spawn().unwrap();
        let listener = Listener::new(&feed, None).unwrap();
        let own = orders.clone();
        let director = thread::spawn(move || director::direct(&ladder, &feed, &own, &given));
        let (server, director) = (Some(server), Some(director));
        Page { server, director, listener, told: Vec::new(), before: 0 }
    }

    /// With a rung that plays.
    fn of(rung: &str) -> Page {
        let mut page = Page::open();
        page.order(json!({"do": "begin", "rung": rung}));
        page.hears(|it| it["what"] == "process" && it["stage"] == "ready");
        page
    }

    fn server(&self) -> &Running {
        self.server.as_ref().unwrap()
    }

    /// What the browser sends when a button is pressed.
    fn post(&self, origin: Option<&str>, order: &Value) -> TestReply {
        let client = self.server().client();
        let host = self.server().address().to_string();
        let request = client.post("/do").header("Host", &host).json(order);
        let request = match origin {
            Some(origin) => request.header("Origin", origin),
            None => request,
        };
        request.send().unwrap()
    }

    fn origin(&self) -> String {
        format!("http://{}", self.server().address())
    }

    fn order(&mut self, order: Value) {
        self.before = self.told.len();
        assert_eq!(self.post(Some(&self.origin()), &order).status(), Status(202), "{order}");
    }

    /// An event since the last order. Those of two processes come in any order.
    fn hears(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        let started = Instant::now();
        let mut next = self.before;
        loop {
            if let Some(event) = self.told[next..].iter().find(|event| wanted(event)) {
                return event.clone();
            }
            next = self.told.len();
            assert!(started.elapsed() < GENEROUS, "{:#?}", &self.told[self.before..]);
            let mut text = Vec::new();
            while !text.ends_with(b"\n\n") {
                let mut buf = [0; 4096];
                let n = self.listener.read(&mut buf).unwrap();
                text.extend_from_slice(&buf[..n]);
            }
            let text = String::from_utf8(text).unwrap();
            let events = text.lines().filter_map(|line| line.strip_prefix("data: "));
            self.told.extend(events.map(|event| serde_json::from_str(event).unwrap()));
        }
    }

    fn passes(&mut self, way: &str, fate: &str) -> Value {
        self.hears(|it| it["what"] == "passed" && it["way"] == way && it["fate"] == fate)
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        // With the page, what plays ends.
        drop(self.server.take());
        let director = self.director.take().map(JoinHandle::join);
        if !thread::panicking() {
            director.unwrap().unwrap();
        }
    }
}

#[test]
fn the_page_is_whole_and_needs_nothing_from_elsewhere() {
    let page = Page::open();
    let client = page.server().client();
    for (path, media_type) in [
        ("/", "text/html; charset=utf-8"),
        ("/watch.css", "text/css; charset=utf-8"),
        ("/watch.js", "text/javascript; charset=utf-8"),
        ("/matrix.json", "application/json"),
    ] {
        let reply = client.get(path).send().unwrap();
        assert_eq!(reply.status(), Status::OK, "{path}");
        assert_eq!(reply.field("Content-Type"), Some(media_type), "{path}");
        let policy = reply.field("Content-Security-Policy").unwrap();
        assert!(policy.contains("default-src 'self'") && policy.contains("frame-ancestors 'none'"));
        assert!(!reply.text().contains("https://"), "{path}");
    }
}

#[test]
fn only_its_own_page_gives_orders_and_only_those_that_there_are() {
    let page = Page::open();
    let order = json!({"do": "stop-server"});
    let own = page.origin();
    let port = page.server().address().port();
    for origin in [
        None,
        Some("null"),
        Some("http://example.org"),
        Some("http://127.0.0.1"),
        Some("http://127.0.0.1:1"),
        // The same server by another name is another origin.
        Some(&*format!("http://localhost:{port}")),
        Some(&*own.replace("http", "https")),
    ] {
        assert_eq!(page.post(origin, &order).status(), Status::FORBIDDEN, "{origin:?}");
    }
    let client = page.server().client();
    let elsewhere = client.post("/do").header("Host", "example.org");
    let elsewhere = elsewhere.header("Origin", "http://example.org").json(&order);
    assert_eq!(elsewhere.send().unwrap().status(), Status::MISDIRECTED_REQUEST);
    // What a form of any page could send.
    let host = page.server().address().to_string();
    let form = client.post("/do").header("Host", &host).header("Origin", &own);
    let form = form.form(&[("do", "stop-server")]);
    assert_eq!(form.send().unwrap().status(), Status::UNSUPPORTED_MEDIA_TYPE);
    for (wrong, said) in [
        (json!({"do": "shout"}), "shout"),
        (json!({"do": "look"}), "look"),
        (json!({"do": "say", "client": 0}), "text"),
        (json!([]), "do"),
        (json!({"do": "say", "client": 0, "text": "a\nb"}), "one line"),
        (json!({"do": "begin", "rung": "x"}), "no rung called x"),
        (json!({"do": "begin", "rung": "udp", "fault": "x"}), "no fault is called x"),
        (json!({"do": "fault", "name": "x"}), "no fault is called x"),
    ] {
        let reply = page.post(Some(&own), &wrong);
        assert_eq!(reply.status(), Status::UNPROCESSABLE_CONTENT, "{wrong}");
        assert!(reply.text().contains(said), "{wrong}: {}", reply.text());
    }
    for right in [order, json!({"do": "fault", "name": "reset-midway"})] {
        assert_eq!(page.post(Some(&own), &right).status(), Status(202));
    }
}

#[test]
fn what_is_said_passes_there_and_back_and_both_ends_log_it() {
    let mut page = Page::of("threaded");
    let text = "я".repeat(200);
    page.order(json!({"do": "say", "client": 1, "text": text}));
    for way in ["there", "back"] {
        let passed = page.passes(way, "delivered");
        assert_eq!((&passed["who"], &passed["length"]), (&json!("client2"), &json!(400)));
        // Of many bytes, the first.
        assert_eq!(passed["bytes"], json!("d18f".repeat(128)));
    }
    page.hears(|it| it["what"] == "printed" && it["who"] == "client2" && it["text"] == text);
    page.order(json!({"do": "kill-client", "client": 1}));
    page.passes("there", "ended");
    let left =
        |it: &Value| it["what"] == "process" && it["who"] == "client2" && it["stage"] == "ended";
    page.hears(left);
}

#[test]
fn a_crowd_comes_and_leaves_and_linux_tells_its_sockets_and_the_threads_for_it() {
    let mut page = Page::of("threaded");
    let has = |it: &Value, who: &str, state: &str, number: u64| {
        it["what"] == "sockets"
            && it["rows"].as_array().unwrap().iter().any(|row| {
                row["who"] == who && row["state"] == state && row["number"].as_u64() >= Some(number)
            })
    };
    // What other systems do not tell is not waited for.
    let told = |is: bool| is || !cfg!(target_os = "linux");
    page.hears(|it| told(has(it, "server", "LISTEN", 1)));
    page.order(json!({"do": "say", "client": 0, "text": "hello"}));
    page.hears(|it| {
        told(has(it, "client1", "ESTABLISHED", 1) && has(it, "server", "ESTABLISHED", 1))
    });
    page.order(json!({"do": "crowd", "number": 40}));
    page.hears(|it| told(it["what"] == "load" && it["threads"].as_u64() > Some(40)));
    page.hears(|it| it["what"] == "crowd" && it["here"] == true && it["came"] == 40);
    page.order(json!({"do": "crowd-leaves"}));
    page.hears(|it| it["what"] == "crowd" && it["here"] == false && it["came"] == 40);
    page.hears(|it| told(it["what"] == "load" && it["threads"].as_u64() < Some(10)));
}

// Windows ends a server without asking.
#[cfg(unix)]
#[test]
fn a_server_that_was_stopped_starts_again_at_the_same_place() {
    let mut page = Page::of("stopping");
    page.order(json!({"do": "stop-server"}));
    let ended = page.hears(|it| it["what"] == "process" && it["stage"] == "ended");
    assert_eq!((&ended["who"], &ended["text"]), (&json!("server"), &json!("exit code 0")));
    page.order(json!({"do": "say", "client": 0, "text": "anybody?"}));
    page.hears(|it| it["level"] == "error" && it["who"] == "client1");
    page.order(json!({"do": "start-server"}));
    page.hears(|it| it["what"] == "process" && it["stage"] == "ready");
    page.order(json!({"do": "say", "client": 0, "text": "hello"}));
    page.passes("back", "delivered");
}

#[test]
fn datagrams_are_lost_when_the_network_is_told_to_and_come_when_it_is_well_again() {
    let mut page = Page::of("retry");
    page.order(json!({"do": "network", "loss": 100, "delay": 0, "reorder": 0}));
    page.order(json!({"do": "say", "client": 0, "text": "hello"}));
    page.passes("there", "lost");
    page.order(json!({"do": "network", "loss": 0, "delay": 0, "reorder": 0}));
    page.passes("back", "delivered");
}

#[test]
fn a_cell_of_the_matrix_plays_its_fault_beside_a_client_and_is_judged() {
    // Plain text, a peer that speaks TLS, and a network between client and server.
    for (rung, fault, who) in [
        ("threaded", "drip", "peer"),
        ("tls", "no-goodbye", "peer"),
        ("retry", "late-reply", "client1"),
    ] {
        let mut page = Page::open();
        page.order(json!({"do": "begin", "rung": rung, "fault": fault}));
        for who in [who, "client1"] {
            page.hears(|it| it["what"] == "passed" && it["who"] == who && it["way"] == "back");
        }
        let verdict = page.hears(|it| it["what"] == "verdict");
        assert_eq!(
            (&verdict["survived"], &verdict["expected"]),
            (&json!(true), &json!(true)),
            "{rung} {fault}: {verdict}"
        );
    }
}

#[test]
fn a_rung_that_is_no_server_with_clients_says_where_it_can_be_seen() {
    let mut page = Page::open();
    page.order(json!({"do": "begin", "rung": "gossip"}));
    let note = page.hears(|it| it["what"] == "note" && it["bad"] == true);
    assert!(note["text"].as_str().unwrap().contains("cargo xtask demo gossip"), "{note}");
}
