//! What is answered where there is nothing: a page of the site's own, or the page of an
//! app that knows its addresses itself.

use std::sync::Arc;

use httpcore::handler::Request;
use httpcore::reply::{Content, Form, IntoResponse, Part, Parts, Response, types};
use httpcore::{Refusal, Status};

use super::file::{Sender, Way};
use super::listing::Kind;
use super::resolve::Root;
use super::settings::{Missing, Settings};

/// The page of the site for 404, in its root.
const PAGE: &str = "404.html";

/// The page of an app.
const APP: &str = "index.html";

/// The answer in place of a 404.
pub fn instead(sender: &Sender, request: &Request<'_>, refusal: Refusal) -> Response {
    let settings = &sender.settings;
    if settings.kind == Kind::File {
        return refusal.into_response();
    }
    let Ok(root) = settings.now() else { return refusal.into_response() };
    if settings.missing == Missing::App && is_address_of_an_app(settings, request) {
        return match sender.file(request, &root, &root.join(APP), Way::SecondChoice) {
            Err(error) if error.status == Status::NOT_FOUND => refusal.into_response(),
            // Who asks for something else is told 404 at the same address.
            app => app.into_response().header("Vary", "Accept"),
        };
    }
    own_page(&root, request).unwrap_or_else(|| refusal.into_response())
}

fn own_page(root: &Root, request: &Request<'_>) -> Option<Response> {
    // A program that asks for JSON is told in JSON.
    if Form::preferred(request.fields()) == Form::Json {
        return None;
    }
    let path = root.join(PAGE);
    let (mut file, _, metadata) = root.open(&path).ok()?;
    let media_type = types::of_file(&path, &mut file).ok()?;
    let list = vec![Part::Slice(0..metadata.len())];
    let page = Response::new(Status::NOT_FOUND)
        .header("Content-Type", &media_type)
        .header("X-Content-Type-Options", "nosniff")
        .header("Cache-Control", "no-store")
        .header("Vary", "Accept");
    let (status, fields, _) = page.into_parts();
    Some(Response::from_parts(status, fields, Content::File(Parts { file: Arc::new(file), list })))
}

/// An address in the bar of a browser, which asks for HTML by its name, or one that looks like
/// a page to a program that takes anything.
fn is_address_of_an_app(settings: &Settings, request: &Request<'_>) -> bool {
    let fields = request.fields();
    let asks_for_html = fields.type_weight("text/html") > 0;
    let takes_anything = fields.get("accept").is_none() || fields.weight("accept", "*/*") > 0;
    let Ok(path) = request.path() else { return false };
    let names = &path.names[request.mount_depth()..];
    let looks_like_a_page = names.last().is_none_or(|name| !name.contains(&b'.'));
    (asks_for_html || (takes_anything && looks_like_a_page)) && !settings.hides(names)
}
