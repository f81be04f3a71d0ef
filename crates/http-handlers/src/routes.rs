//! Which function answers what: the place for what a server of your own does.

use httpcore::handler::{Request, Router};
use httpcore::head::Method;

use crate::{Site, files};

impl Site {
    /// The routes. HEAD, OPTIONS and 405 follow from them, and `?` on an error of input
    /// makes a 400, 403, 404, 413 or 500 of it.
    pub fn routes(&self) -> Router {
        let mut routes = Router::default();
        routes.add(Method::Get, "/hello/{name}", |request: &mut Request<'_>| {
            format!("hi {}\n", request.param("name"))
        });
        routes.add(Method::Post, "/echo", |request: &mut Request<'_>| request.body_text());
        let root = self.root.clone();
        routes.mount("/", move |request: &mut Request<'_>| files::reply(&root, request));
        routes
    }
}
