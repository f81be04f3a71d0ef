//! The third party: it keeps notes, knows a request again by its key, and has moods.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use clap::ValueEnum;
use httpcore::handler::{Request, Router};
use httpcore::head::Method;
use httpcore::reply::{IntoResponse, Response};
use httpcore::{Refusal, Status};
use serde_json::{Value, json};

use crate::ThirdParty;

/// Notes that are kept, each with its key. The oldest goes for the newest: whoever repeats
/// a request after that many others has it done twice.
pub const MOST_NOTES: usize = 10_000;

/// How long a slow answer takes.
const SLOW: Duration = Duration::from_secs(1);

/// What a limited third party takes in a second.
const PER_SECOND: usize = 2;

/// What is said to whoever asks for nothing.
const HELP: &str = "POST /notes {\"text\": ...}, GET /notes, GET /effects\n";

/// How the third party behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Mood {
    /// As it should
    Ok,
    /// Each answer takes a second
    Slow,
    /// Of three requests, the first is turned away and the answer of the second is lost
    Flaky,
    /// Two requests a second, and 429 for more
    Limited,
    /// 503 for everybody
    Down,
    /// A page of HTML that says 200
    Lying,
}

/// What took effect, and what the moods have to remember.
#[derive(Debug, Default)]
pub struct Notes {
    notes: VecDeque<Note>,
    /// Effects since the start, those of notes that are gone among them.
    effects: u64,
    requests: u64,
    first: Option<Instant>,
    recent: VecDeque<Instant>,
}

#[derive(Debug)]
struct Note {
    number: u64,
    text: String,
    key: Option<String>,
}

impl ThirdParty {
    /// The routes: a note is sent to `/notes` as `{"text": ...}` and read there; `/effects`
    /// tells what took effect, whatever the mood.
    pub fn routes(&self) -> Router {
        let mut routes = Router::default();
        routes.add(Method::Get, "/", |_: &mut Request<'_>| HELP);
        let (mood, outage) = (self.mood, self.outage);
        let notes = self.notes.clone();
        routes.add(Method::Post, "/notes", move |request: &mut Request<'_>| {
            in_mood(mood, outage, &notes, || add(&notes, request).into_response())
        });
        let notes = self.notes.clone();
        routes.add(Method::Get, "/notes", move |_: &mut Request<'_>| {
            in_mood(mood, outage, &notes, || {
                let notes = lock(&notes);
                let list: Vec<Value> = notes.notes.iter().map(Note::json).collect();
                Response::json(json!(list).to_string())
            })
        });
        let notes = self.notes.clone();
        routes.add(Method::Get, "/effects", move |_: &mut Request<'_>| {
            let notes = lock(&notes);
            let counted = json!({ "requests": notes.requests, "effects": notes.effects });
            Response::json(counted.to_string())
        });
        routes
    }
}

/// What is answered instead of, or after, what was asked for.
fn in_mood(
    mood: Mood,
    outage: Option<Duration>,
    notes: &Mutex<Notes>,
    effect: impl FnOnce() -> Response,
) -> Response {
    let now = Instant::now();
    let (turn, first, recent) = lock(notes).count(now);
    match mood {
        Mood::Ok => effect(),
        Mood::Slow => {
            sleep(SLOW);
            effect()
        }
        Mood::Flaky => match turn % 3 {
            0 => failure(Status::SERVICE_UNAVAILABLE, "try again", "0"),
            1 => {
                // What makes a repeat dangerous: it was done, and the one who asked is told
                // that it was not.
                effect();
                failure(Status(502), "the answer was lost on the way", "0")
            }
            _ => effect(),
        },
        Mood::Limited if recent > PER_SECOND => {
            failure(Status::TOO_MANY_REQUESTS, "slower, please", "1")
        }
        Mood::Limited => effect(),
        Mood::Down if outage.is_none_or(|outage| now < first + outage) => {
            failure(Status::SERVICE_UNAVAILABLE, "down for everybody", "0")
        }
        Mood::Down => effect(),
        Mood::Lying => Response::html("<!doctype html><title>fine</title><p>Everything is fine."),
    }
}

/// Keeps a note, unless the same request has been here before.
fn add(notes: &Mutex<Notes>, request: &mut Request<'_>) -> Result<Response, Refusal> {
    let body = request.body_bytes()?;
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let why = "a note is {\"text\": \"...\"}";
    let text = body["text"].as_str().ok_or_else(|| Refusal::new(Status::BAD_REQUEST, why))?;
    let key = request.header("idempotency-key");
    let mut notes = lock(notes);
    let known = notes.notes.iter().find(|note| key.is_some() && note.key.as_deref() == key);
    if let Some(note) = known {
        // Two requests that have one key by mistake: to answer the second with the first's
        // note would lose it in silence.
        return match note.text == text {
            true => Ok(Response::json(note.json().to_string())),
            false => Err(Refusal::new(Status::UNPROCESSABLE_CONTENT, "another note has this key")),
        };
    }
    notes.effects += 1;
    let note = Note { number: notes.effects, text: text.into(), key: key.map(str::to_string) };
    let answer = note.json().to_string();
    notes.notes.push_back(note);
    if notes.notes.len() > MOST_NOTES {
        notes.notes.pop_front();
    }
    Ok(Response::json(answer).with_status(Status::CREATED))
}

impl Notes {
    /// Which request this is, from 0; when the first came; and how many came in the last
    /// second.
    fn count(&mut self, now: Instant) -> (u64, Instant, usize) {
        let turn = self.requests;
        self.requests += 1;
        self.recent.push_back(now);
        while self.recent.front().is_some_and(|&then| now - then > Duration::from_secs(1)) {
            self.recent.pop_front();
        }
        (turn, *self.first.get_or_insert(now), self.recent.len())
    }
}

impl Note {
    fn json(&self) -> Value {
        json!({ "number": self.number, "text": self.text })
    }
}

/// An answer that may be another one after `seconds`; 0 for who knows.
fn failure(status: Status, why: &str, seconds: &str) -> Response {
    Response::json(json!({ "error": why }).to_string())
        .with_status(status)
        .header("Retry-After", seconds)
}

fn lock(notes: &Mutex<Notes>) -> MutexGuard<'_, Notes> {
    notes.lock().unwrap_or_else(PoisonError::into_inner)
}
