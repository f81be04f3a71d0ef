//! Which function answers what: `/api/notes` lists the notes and takes a new one,
//! `/api/notes/{id}` shows and forgets one, and every other path is a file.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use httpcore::handler::{Request, Router};
use httpcore::head::Method;
use httpcore::reply::Response;
use httpcore::{Refusal, Status};
use serde::Serialize;

use crate::notes::{NewNote, Notes};
use crate::{Site, files};

impl Site {
    /// The routes. Every client's thread comes to them, so the notes are behind a lock.
    pub fn routes(&self) -> Router {
        let mut routes = Router::default();
        let notes = self.notes.clone();
        routes.add(Method::Get, "/api/notes", move |_: &mut Request<'_>| json(&lock(&notes).all()));
        let (notes, most) = (self.notes.clone(), self.max_notes);
        routes.add(Method::Post, "/api/notes", move |request: &mut Request<'_>| {
            // Read before the lock is taken: a slow client must not keep the others waiting.
            let new = new_note(request)?;
            add(&mut lock(&notes), new, most)
        });
        let notes = self.notes.clone();
        routes.add(Method::Get, "/api/notes/{id}", move |request: &mut Request<'_>| {
            json(&lock(&notes).get(id(request)?).ok_or_else(Refusal::not_found)?)
        });
        let notes = self.notes.clone();
        routes.add(Method::Delete, "/api/notes/{id}", move |request: &mut Request<'_>| {
            let forgotten = lock(&notes).forget(id(request)?);
            forgotten.map(|_| Status::NO_CONTENT).ok_or_else(Refusal::not_found)
        });
        let root = self.root.clone();
        routes.mount("/", move |request: &mut Request<'_>| files::reply(&root, request));
        routes
    }
}

fn add(notes: &mut Notes, new: NewNote, most: usize) -> Result<Response, Refusal> {
    let full =
        || Refusal::new(Status(507), format!("there are {most} notes, and no room for more"));
    let id = notes.add(new, most).ok_or_else(full)?;
    let response = json(&notes.get(id))?.with_status(Status::CREATED);
    Ok(response.header("Location", &format!("/api/notes/{id}")))
}

fn id(request: &Request<'_>) -> Result<u64, Refusal> {
    // What is no number is the address of no note.
    request.param("id").parse().map_err(|_| Refusal::not_found())
}

fn new_note(request: &mut Request<'_>) -> Result<NewNote, Refusal> {
    // A page of another site can have a browser send a form or plain text here, but not this
    // type without asking.
    let media_type = request.header("Content-Type").and_then(|value| value.split(';').next());
    if !media_type.is_some_and(|value| value.trim().eq_ignore_ascii_case("application/json")) {
        return Err(Refusal::new(Status(415), "a note is sent as application/json"));
    }
    serde_json::from_slice(&request.body_bytes()?)
        .map_err(|error| Refusal::new(Status::BAD_REQUEST, format!("not a note: {error}")))
}

fn json(value: &impl Serialize) -> Result<Response, Refusal> {
    Ok(Response::json(serde_json::to_string(value).map_err(io::Error::other)?))
}

fn lock(notes: &Mutex<Notes>) -> MutexGuard<'_, Notes> {
    // Nothing is changed in two steps, so a handler that panicked has left nothing half done.
    notes.lock().unwrap_or_else(PoisonError::into_inner)
}
