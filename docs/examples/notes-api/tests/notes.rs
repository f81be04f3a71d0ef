//! The notes over real connections.

use httpcore::testing::ask;
use netcore::testing::{Running, Setup};
use notes_api::BODY_LIMIT;
use suite::suite;

extern crate notes_api as http_handlers;

#[path = "../../../../crates/http-handlers/tests/suite/mod.rs"]
mod suite;

const JSON: &str = "application/json; charset=utf-8";

/// Sends one request on a connection of its own; returns the status and the content.
fn send(server: &Running, request: &str, media_type: &str, content: &str) -> (u16, String) {
    let length = content.len();
    let fields = format!("Content-Type: {media_type}\r\nContent-Length: {length}\r\n");
    let head =
        format!("{request} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{fields}\r\n");
    let response = ask(server, (head + content).as_bytes());
    let (head, content) = response.split_once("\r\n\r\n").unwrap();
    (head["HTTP/1.1 ".len()..][..3].parse().unwrap(), content.into())
}

#[test]
fn a_note_is_written_listed_shown_and_forgotten() {
    let server = suite("site").start(Setup::default());
    let send = |request, content| send(&server, request, JSON, content);
    assert_eq!(send("GET /api/notes", ""), (200, "[]".into()));
    let note = r#"{"id":1,"text":"buy \"milk\""}"#;
    assert_eq!(send("POST /api/notes", r#"{"text":"buy \"milk\""}"#), (201, note.into()));
    assert_eq!(send("GET /api/notes", ""), (200, format!("[{note}]")));
    assert_eq!(send("GET /api/notes/1", ""), (200, note.into()));
    assert_eq!(send("DELETE /api/notes/1", ""), (204, String::new()));
    for request in ["GET /api/notes/1", "DELETE /api/notes/1", "GET /api/notes/one"] {
        assert_eq!(send(request, "").0, 404, "{request}");
    }
}

#[test]
fn what_is_no_note_is_refused_and_told_why() {
    let server = suite("site").start(Setup::default());
    for (content, status, why) in [
        ("", 400, "EOF"),
        ("{}", 400, "missing field"),
        (r#"{"text":1}"#, 400, "invalid type"),
        (r#"{"text":"a","txt":"b"}"#, 400, "unknown field"),
        (&format!(r#"{{"text":"{}"}}"#, "x".repeat(BODY_LIMIT)), 413, "longer than"),
    ] {
        let (answered, page) = send(&server, "POST /api/notes", JSON, content);
        assert_eq!(answered, status, "{page}");
        assert!(page.contains(why), "{page}");
    }
    assert_eq!(send(&server, "GET /api/notes", JSON, "").1, "[]");
}

/// A form on another site can send it, in the browser of somebody who has this server open.
#[test]
fn a_note_that_is_not_sent_as_json_is_refused() {
    let server = suite("site").start(Setup::default());
    let note = r#"{"text":"a"}"#;
    assert_eq!(send(&server, "POST /api/notes", "text/plain", note).0, 415);
}

#[test]
fn there_is_an_end_to_how_many_are_kept() {
    let server = suite("site").start(Setup::default());
    let send = |request, content| send(&server, request, JSON, content).0;
    let note = r#"{"text":"x"}"#;
    for _ in 0..1000 {
        assert_eq!(send("POST /api/notes", note), 201);
    }
    assert_eq!(send("POST /api/notes", note), 507);
    assert_eq!(send("DELETE /api/notes/2", ""), 204);
    assert_eq!(send("POST /api/notes", note), 201);
}
