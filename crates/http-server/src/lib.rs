//! A small HTTP/1.1 server: handlers that return a value, and files of a folder. One thread
//! waits for all connections, and workers answer: a handler is ordinary blocking code, and
//! there is nothing to await.
//!
//! ```no_run
//! use http_server::{Files, Server};
//!
//! Server::bind("127.0.0.1:8000")?
//!     .get("/hello/{name}", |req| format!("hi {}\n", req.param("name")))
//!     .post("/echo", |req| req.body_text()) // an error becomes 400 or 413
//!     .mount("/", Files::new("public")?)
//!     .run()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! It says `listening on http://127.0.0.1:8000/` and serves until Ctrl-C. With
//! [`.access_log(AccessLog::Shown)`](Server::access_log) each response leaves a line.
//!
//! # From Flask or Express
//!
//! | in Flask | in Express | here |
//! |---|---|---|
//! | `@app.get("/u/<name>")` | `app.get("/u/:name", ...)` | [`.get("/u/{name}", ...)`](Server::get) |
//! | `name` | `req.params.name` | [`req.param("name")`](Request::param) |
//! | `request.args.get("q")` | `req.query.q` | [`req.query("q")`](Request::query), [`req.queries()`](Request::queries) |
//! | `request.headers["Accept"]` | `req.get("Accept")` | [`req.header("accept")`](Request::header) |
//! | `request.cookies.get("a")` | `cookie-parser` | [`req.cookie("a")`](Request::cookie) |
//! | `request.get_json()` | `express.json()` | [`req.json::<T>()?`](#json) |
//! | `request.form["a"]` | `express.urlencoded()` | [`req.form()?.get("a")`](Request::form) |
//! | `request.data` | `express.raw()` | [`req.body_bytes()?`](Request::body_bytes) |
//! | `request.stream` | `req` | [`req.body()`](Request::body), which is a [`Read`](std::io::Read) |
//! | `request.files` | `multer` | a file is a body of its own: see the example `upload` |
//!
//! | in Flask | in Express | here |
//! |---|---|---|
//! | `return "text"` | `res.send("text")` | `"text"` or a `String` |
//! | `return jsonify(x), 201` | `res.status(201).json(x)` | [`(Status::CREATED, Json(x))`](#json) |
//! | `return "", 204` | `res.sendStatus(204)` | [`Status::NO_CONTENT`](Status) |
//! | `abort(404)` | `res.sendStatus(404)` | `Err(Refusal::not_found())`, or `?` on an [`io::Error`](std::io::Error) |
//! | `abort(409, "twice")` | `res.status(409).send("twice")` | `Err(Refusal::new(Status::CONFLICT, "twice"))` |
//! | `redirect("/")` | `res.redirect("/")` | [`Response::redirect("/")`](Response::redirect) |
//! | `resp.set_cookie("a", "1")` | `res.cookie("a", "1")` | [`response.cookie(Cookie::new("a", "1"))`](Cookie) |
//! | `resp.headers["A"] = "b"` | `res.set("A", "b")` | [`response.header("A", "b")`](Response::header) |
//! | `return generator()` | `stream.pipe(res)` | [`Response::stream(reader)`](Response::stream) |
//!
//! | in Flask | in Express | here |
//! |---|---|---|
//! | `app = Flask(...)` | `const app = express()` | [`Server::bind("127.0.0.1:8000")?`](Server::bind) |
//! | `app.run()` | `app.listen(8000)` | [`.run()?`](Server::run) |
//! | `static_folder="public"` | `express.static("public")` | [`.mount("/", Files::new("public")?)`](Files) |
//! | `app.register_blueprint(...)` | `app.use("/api", api)` | [`.mount("/api", handler)`](Server::mount) |
//! | `MAX_CONTENT_LENGTH` | `limit: "1mb"` | [`.limits(Limits { .. })`](Limits) |
//! | `flask-httpauth` | `express-basic-auth` | [`Guarded`] |
//! | `flask-cors` | `cors` | [`.cors(Cors::AnyOrigin)`](Server::cors) |
//! | `g`, `app.config` | `app.locals` | an `Arc` that the closure owns: [state](#state) |
//! | `app.test_client()` | `supertest` | [`.spawn()?.client()`](TestClient) |
//! | `gunicorn`, `waitress` | `pm2` | nothing: this is the server; [`Server::from_systemd`] |
//!
//! What neither of them has to be asked for here: HEAD, OPTIONS and 405 follow from the
//! routes; an error is a page, text or JSON, as the client asks; a head that drips, a body
//! without end and a client that reads nothing end by themselves; and a page of the web that
//! reaches for a server on your own machine is refused ([`Hosts`]).
//!
//! # Handlers
//!
//! A handler is a function from [`Request`] to a value: text, bytes, a [`Status`], a
//! whole [`Response`], a status and one of these, or a `Result`. It writes nothing to the
//! wire, so that it cannot forget the length, the character set or the answer to HEAD. What
//! goes wrong is returned with `?`:
//!
//! ```
//! use std::fs;
//! use http_server::{Refusal, Request, Response, Server, Status};
//!
//! // A missing file is 404, one that may not be read 403, anything else 500 and a line in the log.
//! fn motd(_: &mut Request<'_>) -> std::io::Result<String> {
//!     fs::read_to_string("/etc/motd")
//! }
//!
//! // A refusal says what is wrong, in HTML, JSON or text as the client asks.
//! fn double(req: &mut Request<'_>) -> Result<Response, Refusal> {
//!     let n: u32 = req
//!         .query("n")
//!         .and_then(|n| n.parse().ok())
//!         .ok_or_else(|| Refusal::new(Status::BAD_REQUEST, "?n= takes a number"))?;
//!     Ok(Response::text(format!("{}\n", u64::from(n) * 2)).header("Cache-Control", "no-store"))
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = Server::bind("127.0.0.1:0")?.get("/motd", motd).get("/double", double).spawn()?;
//! assert_eq!(server.client().get("/double?n=21").send()?.text(), "42\n");
//! # Ok(())
//! # }
//! ```
//!
//! The error in a `Result` is a [`Refusal`], an [`io::Error`](std::io::Error), or
//! another of the values above. Other errors, `Box<dyn Error>` among them, are none:
//! what they mean for the client is the handler's to say. `.map_err(io::Error::other)?`
//! makes a 500 of one, with its text in the log alone.
//!
//! A handler may block: it is called in one of [`Limits::workers`] threads, which it holds
//! for as long as it takes, and nobody else. So does a stream that waits for what it sends:
//! with as many of them as workers, other handlers wait. One that waits for nothing can be
//! wrapped in [`AtOnce`], and needs no worker. A body of up to [`Limits::body`] bytes has come
//! before its handler is called; of a longer one, the handler waits for the rest.
//!
//! # State
//!
//! Several clients are answered at once, so what handlers share is behind an `Arc`, and a
//! lock where it changes. Read the body before you take the lock: it comes as slowly as its
//! client likes.
//!
//! ```
//! use std::sync::{Arc, Mutex};
//! use http_server::Server;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let count = Arc::new(Mutex::new(0));
//! let server = Server::bind("127.0.0.1:0")?
//!     .post("/count", move |_| {
//!         let mut count = count.lock().unwrap(); // a panic is a 500, and the server goes on
//!         *count += 1;
//!         format!("{count}\n")
//!     })
//!     .spawn()?;
//! let client = server.client();
//! client.post("/count").send()?;
//! assert_eq!(client.post("/count").send()?.text(), "2\n");
//! # Ok(())
//! # }
//! ```
//!
//! A type of your own that implements [`Handler`] is a handler as well.
//!
//! # JSON
//!
//! With the feature `json` (`http-server = { .., features = ["json"] }`), values come and go
//! by serde: `req.json::<T>()?` is 415 where the client does not call it JSON, 400 where it is
//! none and 422 where it is another value; `Json(value)` is the way back.
//!
#![cfg_attr(feature = "json", doc = "```")]
#![cfg_attr(not(feature = "json"), doc = "```text")]
//! use http_server::{Json, Refusal, Request, Server};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Sides {
//!     a: f64,
//!     b: f64,
//! }
//!
//! #[derive(Serialize)]
//! struct Area {
//!     area: f64,
//! }
//!
//! fn area(req: &mut Request<'_>) -> Result<Json<Area>, Refusal> {
//!     let Sides { a, b } = req.json()?;
//!     Ok(Json(Area { area: a * b }))
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = Server::bind("127.0.0.1:0")?.post("/area", area).spawn()?;
//! let reply = server.client().post("/area").json(&Sides { a: 2.0, b: 3.0 }).send()?;
//! assert_eq!(reply.text(), "{\"area\":6.0}");
//! # Ok(())
//! # }
//! ```
//!
//! # Files
//!
//! [`Files`] serves a folder with everything that browsers and download tools expect:
//! validators, ranges, listings, an index. It never leaves the folder, whatever paths
//! and links say.
//!
//! # Sessions
//!
//! A [`Cookie`] is out of reach of scripts and of other sites unless you say otherwise. What
//! it should hold is a long random name for what the server knows, since clients send what
//! they like:
//!
//! ```
//! use http_server::{Cookie, Response, Server, Status};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = Server::bind("127.0.0.1:0")?
//!     .post("/login", |req| match req.form() {
//!         Ok(form) if form.get("password") == Some("engine") => {
//!             Response::redirect("/").cookie(Cookie::new("session", "9f86d081884c7d65"))
//!         }
//!         _ => Response::text("no\n").with_status(Status::FORBIDDEN),
//!     })
//!     .get("/", |req| match req.cookie("session") {
//!         Some("9f86d081884c7d65") => "for you alone\n",
//!         _ => "who are you?\n",
//!     })
//!     .spawn()?;
//! let client = server.client(); // keeps cookies, as a browser does
//! client.post("/login").form(&[("password", "engine")]).send()?;
//! assert_eq!(client.get("/").send()?.text(), "for you alone\n");
//! # Ok(())
//! # }
//! ```
//!
//! # Limits
//!
//! Every connection has its [`Limits`], and they hold without being asked for: a head
//! that drips, a body without end, a client that reads nothing, more clients than there
//! is room for.
//!
//! # Tests
//!
//! [`Server::spawn`] runs a server beside a test, on a port of its own, and [`Running`]
//! stops it when it is dropped. [`Running::client`] asks it:
//!
//! ```
//! use http_server::{Server, Status};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = Server::bind("127.0.0.1:0")?.get("/", |_| "ready\n").spawn()?;
//! let reply = server.client().get("/").send()?;
//! assert_eq!(reply.status(), Status::OK);
//! assert_eq!(reply.field("Content-Type"), Some("text/plain; charset=utf-8"));
//! assert_eq!(reply.text(), "ready\n");
//! # Ok(())
//! # }
//! ```
//!
//! # Examples
//!
//! Three programs to begin with, each a file with its tests in `examples/`:
//!
//! | `cargo run -p http-server --example` | what it is |
//! |---|---|
//! | `json_api` (with `--features json`) | tasks over JSON, with a file behind them |
//! | `upload` | files that a browser or curl sends, of any size |
//! | `events` | server-sent events: what one says all see at once |
//!
//! # In service
//!
//! `deploy/` beside the source has a unit for systemd and a container file; [`Metrics`] are
//! counters for Prometheus. [`Server::on_stop`] ends streams that would not end by
//! themselves.
//!
//! # Encryption
//!
//! [`Tls`] needs the feature `tls`, which is off by default.
//!
//! # Left out
//!
//! HTTP/2 and 3, CGI, proxying, compression on the fly.
//!
//! # The code
//!
//! To read it, follow a request through three rooms, and through those of `httpcore`:
//!
//! | room | idea |
//! |---|---|
//! | `serve/` `engine.rs`, `door.rs` | one wait for all: who comes, who has a turn, who goes to a worker |
//! | `crowd.rs` | who has a place, and who makes room |
//! | `conversation.rs`, `exchange.rs` | requests in, responses out: a connection as a record that goes on from where it stopped |
//! | `pool.rs` | workers, for what may take its time |
//! | `stream.rs`, `tls.rs`, `access.rs`, `auth.rs` | encryption where it is asked for, the access log, a password |
//! | `server.rs`, `service.rs`, `defer_accept.rs` | a server put together in code |
//! | `test_client.rs` | what asks it in tests |
//! | `handed_over.rs`, `metrics.rs` | sockets of systemd, counters |
//! | `files/` `mod.rs`, `resolve.rs`, `open.rs` | what is there for a path, whatever links say |
//! | `file.rs`, `parts.rs`, `coding.rs` | a file whole or in parts, compressed siblings |
//! | `file_system.rs`, `cache/` | what can be said of a file beforehand, and what is kept between requests |
//! | `folder/`, `listing/`, `fallback.rs` | pages for folders; pages instead of a 404 |
//! | `command/` `run.rs`, `options.rs`, `listening.rs` | the same from a command line |
//! | `place.rs`, `words.rs`, `credentials.rs` | what its words mean |
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod command;
mod files;
mod serve;

pub use command::{options, run};
pub use files::{DotFiles, Files, Links, Missing, Precompressed};
pub use httpcore::body::Body;
pub use httpcore::handler::{AtOnce, Form, Handler, Request};
pub use httpcore::head::target::{Path, Target};
pub use httpcore::head::{Fields, Method};
#[cfg(feature = "json")]
pub use httpcore::reply::Json;
pub use httpcore::reply::{Cookie, Cors, IntoResponse, Response, SameSite};
pub use httpcore::{Refusal, Status, client};
pub use serve::{AccessLog, Guarded, Hosts, Limits, Metrics, Refused, Running, Server, Tls};
pub use serve::{TestClient, TestReply, TestRequest};

/// The port of the server, unless told otherwise.
pub const PORT: u16 = 8000;
