//! Which function answers what: `POST /links` takes a link and returns a short one, and
//! `GET /s/{name}` leads to it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use httpcore::handler::{Request, Router};
use httpcore::head::Method;
use httpcore::reply::Response;
use httpcore::{Refusal, Status};

use crate::Site;
use crate::links::{Links, is_link};

/// What a browser is shown.
const PAGE: &str = "Post a link to /links, as in\n\n  curl -d https://example.org/a/long/way \
                    http://127.0.0.1:8000/links\n";

impl Site {
    /// The routes. Every client's thread comes to them, so the links are behind a lock.
    pub fn routes(&self) -> Router {
        let mut routes = Router::default();
        routes.add(Method::Get, "/", |_: &mut Request<'_>| PAGE.to_string());
        let (links, most) = (self.links.clone(), self.max_links);
        routes.add(Method::Post, "/links", move |request: &mut Request<'_>| {
            // Read before the lock is taken: a slow client must not keep the others waiting.
            let target = request.body_text()?;
            add(&mut lock(&links), target.trim(), most)
        });
        let links = self.links.clone();
        routes.add(Method::Get, "/s/{name}", move |request: &mut Request<'_>| {
            let links = lock(&links);
            let target = links.target(request.param("name")).ok_or_else(Refusal::not_found)?;
            Ok::<_, Refusal>(Response::redirect(target))
        });
        routes
    }
}

fn add(links: &mut Links, target: &str, most: usize) -> Result<Response, Refusal> {
    if !is_link(target) {
        let why = "a link begins with http:// or https:// and has no spaces";
        return Err(Refusal::new(Status::BAD_REQUEST, why));
    }
    let full =
        || Refusal::new(Status(507), format!("there are {most} links, and no room for more"));
    let short = format!("/s/{}", links.add(target, most).ok_or_else(full)?);
    Ok(Response::text(format!("{short}\n")).with_status(Status::CREATED).header("Location", &short))
}

fn lock(links: &Mutex<Links>) -> MutexGuard<'_, Links> {
    // A handler that panicked between the two changes has left a link that is not found again.
    links.lock().unwrap_or_else(PoisonError::into_inner)
}
