//! What is answered where there is nothing: a page of the site's own, or the page of an
//! app that knows its addresses itself.

use std::sync::Arc;

use crate::file::Way;
use crate::files::Files;
use crate::listing::Kind;
use crate::locate;
use crate::refusal::{Form, Refusal};
use crate::request::Request;
use crate::response::{Content, IntoResponse, Part, Parts, Response};
use crate::status::Status;

/// The page of the site for 404, in its root.
const PAGE: &str = "404.html";

/// The page of an app.
const APP: &str = "index.html";

/// What is answered where there is nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// 404, with the site's own `404.html` where it has one.
    NotFound,
    /// `index.html` of the root, for addresses that an app makes up (a single-page
    /// app). What looks like a file, with a dot in its name, is 404 still: a script
    /// that is missing is no page. So is what lies in a hidden folder.
    App,
}

impl Files {
    /// The answer in place of a 404.
    pub(crate) fn instead(&self, request: &Request<'_>, refusal: Refusal) -> Response {
        if self.kind == Kind::File {
            return refusal.into_response();
        }
        if self.missing == Missing::App && self.is_address_of_an_app(request) {
            return match self.file(request, &self.root.join(APP), Way::SecondChoice) {
                Err(error) if error.status == Status::NOT_FOUND => refusal.into_response(),
                // Who asks for something else is told 404 at the same address.
                app => app.into_response().header("Vary", "Accept"),
            };
        }
        self.own_page(request).unwrap_or_else(|| refusal.into_response())
    }

    fn own_page(&self, request: &Request<'_>) -> Option<Response> {
        // A program that asks for JSON is told in JSON.
        if Form::preferred(request.fields()) == Form::Json {
            return None;
        }
        let (file, metadata) = locate::open(&self.root, &self.root.join(PAGE), self.links).ok()?;
        let list = vec![Part::Slice(0..metadata.len())];
        let page = Response::new(Status::NOT_FOUND)
            .header("Content-Type", "text/html; charset=utf-8")
            .header("X-Content-Type-Options", "nosniff")
            .header("Cache-Control", "no-store")
            .header("Vary", "Accept");
        Some(Response { content: Content::File(Parts { file: Arc::new(file), list }), ..page })
    }

    fn is_address_of_an_app(&self, request: &Request<'_>) -> bool {
        let fields = request.fields();
        let takes_html = fields.get("accept").is_none()
            || ["text/html", "*/*"].iter().any(|name| fields.weight("accept", name) > 0);
        let Ok(path) = request.path() else { return false };
        let names = &path.names[request.mount_depth()..];
        let looks_like_a_page = names.last().is_none_or(|name| !name.contains(&b'.'));
        takes_html && looks_like_a_page && !self.hides(names)
    }
}
