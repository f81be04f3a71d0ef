//! The channel of browsers: the revision is the ETag, `If-Match` says which one is replaced,
//! and changes come as server-sent events, which begin behind `Last-Event-ID`.

use std::sync::Arc;

use httpcore::handler::{Request, Router};
use httpcore::head::Method;
use httpcore::reply::{IntoResponse, Response};
use httpcore::{Refusal, Status};
use netcore::deadline::Deadline;

use crate::message::{Ask, Draft, Reply, Why};
use crate::metrics::Channel;
use crate::service::Service;

mod events;
mod visit;

pub use visit::converse;

/// What the browser shows. It may load nothing from elsewhere, and nobody may frame it.
const PAGE: &str = include_str!("page/index.html");
const SCRIPT: &str = include_str!("page/page.js");
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The routes.
pub fn routes(service: &Arc<Service>) -> Router {
    let mut routes = Router::default();
    routes.add(Method::Get, "/", |_: &mut Request<'_>| {
        Response::html(PAGE).header("Content-Security-Policy", POLICY)
    });
    routes.add(Method::Get, "/page.js", |_: &mut Request<'_>| {
        Response::bytes("text/javascript; charset=utf-8", SCRIPT.as_bytes())
    });
    for (method, path, answer) in [
        (Method::Get, "/draft", get as fn(&Arc<Service>, &mut Request<'_>) -> Answered),
        (Method::Put, "/draft", put),
        (Method::Delete, "/draft", delete),
        (Method::Get, "/changes", follow),
        (Method::Get, "/metrics", metrics),
    ] {
        let service = Arc::clone(service);
        routes.add(method, path, move |request: &mut Request<'_>| answer(&service, request));
    }
    routes
}

type Answered = Result<Response, Response>;

fn get(service: &Arc<Service>, request: &mut Request<'_>) -> Answered {
    let account = prove(service, request)?;
    let reply = ask(service, request, account, Ask::Get)?;
    if let Reply::Draft(draft) = &reply
        && request.header("if-none-match") == Some(&etag(draft.revision))
    {
        return Ok(tagged(Response::new(Status::NOT_MODIFIED), draft.revision));
    }
    told(reply)
}

fn put(service: &Arc<Service>, request: &mut Request<'_>) -> Answered {
    let account = prove(service, request)?;
    let revision = if_match(request)?;
    let text = request.body_text().map_err(Refusal::into_response)?;
    told(ask(service, request, account, Ask::Put { revision, text })?)
}

fn delete(service: &Arc<Service>, request: &mut Request<'_>) -> Answered {
    let account = prove(service, request)?;
    let revision = if_match(request)?;
    told(ask(service, request, account, Ask::Delete { revision })?)
}

fn follow(service: &Arc<Service>, request: &mut Request<'_>) -> Answered {
    let account = prove(service, request)?;
    let last = only(request, "Last-Event-ID")?.map_or(Some(0), |id| id.trim().parse().ok());
    let since = last.ok_or_else(|| refusal(Status::BAD_REQUEST, "Last-Event-ID is no revision"))?;
    if let Err(why) = service.has_come_to(account, since) {
        return told(Reply::Refused(why));
    }
    // In time for the last bytes, before the limit of the connection.
    let total = service.options.limits.total;
    let until = Deadline::after(total - total / 8);
    let events = events::Events::new(Arc::clone(service), account.into(), since, until);
    Ok(private(Response::stream(events)).header("Content-Type", "text/event-stream"))
}

fn metrics(service: &Arc<Service>, _: &mut Request<'_>) -> Answered {
    let (_, position) = service.store.standing().map_err(IntoResponse::into_response)?;
    let page = service.metrics.page(position);
    Ok(Response::bytes("text/plain; version=0.0.4; charset=utf-8", page.into_bytes()))
}

/// The account that the request proves. The token is in a field that no other site can make
/// a browser send, and not in a cookie, which every site can.
fn prove<'a>(service: &'a Service, request: &Request<'_>) -> Result<&'a str, Response> {
    let field = request.header("authorization").unwrap_or_default();
    let (scheme, token) = field.split_once(' ').unwrap_or_default();
    let token = if scheme.eq_ignore_ascii_case("bearer") { token.trim() } else { "" };
    service.prove(token, Channel::Http).map_err(|why| {
        refusal(Status::UNAUTHORIZED, why.to_string()).header("WWW-Authenticate", "Bearer")
    })
}

fn ask(
    service: &Service,
    request: &Request<'_>,
    account: &str,
    ask: Ask,
) -> Result<Reply, Response> {
    if let Some(peer) = request.peer() {
        log::debug!("{peer} is {account}, over HTTP: {ask}");
    }
    let key = only(request, "Idempotency-Key")?.map(String::from);
    Ok(service.answer(account, key, ask))
}

/// The value of a field that says one thing. What is no text is not passed over, and of two
/// none is chosen: the request would be another one.
fn only<'a>(request: &'a Request<'_>, name: &str) -> Result<Option<&'a str>, Response> {
    let mut values = request.fields().all(name);
    let (value, further) = (values.next(), values.next());
    match value.map(str::from_utf8).transpose() {
        Ok(value) if further.is_none() => Ok(value),
        _ => Err(refusal(Status::BAD_REQUEST, format!("{name} is there twice, or is no text"))),
    }
}

/// The revision that is to be replaced.
fn if_match(request: &Request<'_>) -> Result<u64, Response> {
    let Some(tag) = only(request, "If-Match")? else {
        let why = "If-Match says which revision this replaces: the ETag of GET";
        return Err(refusal(Status(428), why));
    };
    let number = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
    let number = number.and_then(|number| number.parse().ok());
    // Tags are compared letter by letter: "01" is none of ours.
    let number = number.filter(|number| etag(*number) == tag);
    number.ok_or_else(|| refusal(Status::BAD_REQUEST, "If-Match is not one ETag of this server"))
}

/// What is told of a reply.
fn told(reply: Reply) -> Answered {
    Ok(match reply {
        Reply::Draft(draft) => text(draft),
        Reply::Done(revision) => tagged(Response::new(Status::NO_CONTENT), revision),
        Reply::Conflict(draft) => text(draft).with_status(Status::PRECONDITION_FAILED),
        Reply::Refused(why) => {
            let status = match why {
                Why::TooLong { .. } => Status::CONTENT_TOO_LARGE,
                Why::KeyTooLong { .. } => Status::BAD_REQUEST,
                Why::KeyReused => Status::UNPROCESSABLE_CONTENT,
                Why::OtherStore => Status::CONFLICT,
                Why::ReadOnly(_) => Status::MISDIRECTED_REQUEST,
                Why::Unavailable => Status::SERVICE_UNAVAILABLE,
                _ => Status::FORBIDDEN,
            };
            refusal(status, why.to_string())
        }
        _ => refusal(Status::INTERNAL_SERVER_ERROR, "this is no answer to that"),
    })
}

fn text(draft: Draft) -> Response {
    let has_text = if draft.text.is_some() { "yes" } else { "no" };
    let response = tagged(Response::text(draft.text.unwrap_or_default()), draft.revision);
    // An empty draft and none look the same otherwise.
    response.header("Draft", has_text)
}

fn tagged(response: Response, revision: u64) -> Response {
    private(response).header("ETag", &etag(revision))
}

/// Not for a store on the way: what is answered is for one account.
fn private(response: Response) -> Response {
    response.header("Cache-Control", "private, no-cache")
}

fn etag(revision: u64) -> String {
    format!("\"{revision}\"")
}

fn refusal(status: Status, why: impl Into<std::borrow::Cow<'static, str>>) -> Response {
    Refusal::new(status, why).into_response()
}
