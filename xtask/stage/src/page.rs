//! The page: what is served, and to whom.

use std::sync::Arc;

use http_server::{Refusal, Request, Response, Server, Status};
use ladder::{Failure, Ladder, failure};

use crate::director::Orders;
use crate::feed::Feed;
use crate::order::Order;
use crate::rungs;

const HTML: &str = include_str!("page/index.html");
/// Beside the book, which plays what was recorded with them.
const CSS: &str = include_str!("../../../docs/watch.css");
const SCRIPT: &str = include_str!("../../../docs/watch.js");

/// Nothing comes from elsewhere, and no other page has this one inside it, where a person
/// could be led to press its buttons.
const POLICY: &str = "default-src 'self'; img-src data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

/// A server of the page on this port of the machine itself: nobody else reaches it.
pub fn server(
    port: u16,
    ladder: &Arc<Ladder>,
    feed: &Arc<Feed>,
    orders: &Orders,
) -> Result<Server, Failure> {
    let told = |error: &dyn std::fmt::Display| failure!("{error}");
    let server = Server::bind(&format!("127.0.0.1:{port}")).map_err(|error| told(&error))?;
    let matrix = rungs::matrix(ladder).to_string();
    let (heard, ended, ladder) = (feed.clone(), feed.clone(), ladder.clone());
    let (orders, stopped) = (orders.clone(), orders.clone());
    server
        .get("/", |_| Response::html(HTML))
        .get("/watch.css", |_| Response::bytes("text/css; charset=utf-8", CSS.as_bytes()))
        .get("/watch.js", |_| Response::bytes("text/javascript; charset=utf-8", SCRIPT.as_bytes()))
        .get("/matrix.json", move |_| Response::json(matrix.clone()))
        .get("/events", move |req| heard.listen(req))
        .post("/do", move |req| obey(&ladder, &orders, req))
        .on_stop(move || {
            ended.end();
            // Where many orders wait already, one of them will do.
            let _ = stopped.try_send(Order::Look);
        })
        .header("Content-Security-Policy", POLICY)
        .and_then(|server| server.header("X-Content-Type-Options", "nosniff"))
        .and_then(|server| server.header("Referrer-Policy", "no-referrer"))
        .map_err(|error| told(&error))
}

/// Takes an order of our own page. The server has refused a Host that is not ours already,
/// so an Origin that is like it is that of our page.
fn obey(ladder: &Ladder, orders: &Orders, req: &mut Request<'_>) -> Result<Response, Refusal> {
    let ours = req.header("host").map(|host| format!("http://{host}"));
    if ours.is_none() || req.header("origin") != ours.as_deref() {
        let why = "only the page that is served here gives orders";
        return Err(Refusal::new(Status::FORBIDDEN, why));
    }
    let order: Order = req.json()?;
    if let Some(why) = order.complaint(ladder) {
        return Err(Refusal::new(Status::UNPROCESSABLE_CONTENT, why));
    }
    match orders.try_send(order) {
        Ok(()) => Ok(Response::new(Status(202))),
        Err(_) => Err(Refusal::new(Status::SERVICE_UNAVAILABLE, "too much is asked at once")),
    }
}
