//! A small HTTP/1.1 server over threads: handlers that return a value, and files of a
//! folder.
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
//! # Handlers
//!
//! A handler is a function from [`Request`] to a value: text, bytes, a [`Status`], a
//! whole [`Response`], or a `Result` of these. It writes nothing to the wire, so that
//! it cannot forget the length, the character set or the answer to HEAD; HEAD, OPTIONS
//! and 405 follow from the routes that there are. What goes wrong is returned with `?`:
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
//!     Ok(Response::json(format!("{{\"double\":{}}}", u64::from(n) * 2)).header("Cache-Control", "no-store"))
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = Server::bind("127.0.0.1:0")?.get("/motd", motd).get("/double", double).spawn()?;
//! # server.stop()?;
//! # Ok(())
//! # }
//! ```
//!
//! The error in a `Result` is a [`Refusal`], an [`io::Error`](std::io::Error), or
//! another of the values above. Other errors, `Box<dyn Error>` among them, are none:
//! what they mean for the client is the handler's to say. `.map_err(io::Error::other)?`
//! makes a 500 of one, with its text in the log alone.
//!
//! A handler with state of its own is a closure that owns an `Arc`, or a type that
//! implements [`Handler`].
//!
//! # Files
//!
//! [`Files`] serves a folder with everything that browsers and download tools expect:
//! validators, ranges, listings, an index. It never leaves the folder, whatever paths
//! and links say. [`Guarded`] puts a password before it, or before any handler.
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
//! stops it when it is dropped:
//!
//! ```
//! use std::io::{Read, Write};
//! use std::net::TcpStream;
//! use http_server::Server;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = Server::bind("127.0.0.1:0")?.get("/", |_| "ready\n").spawn()?;
//! let mut client = TcpStream::connect(server.address())?;
//! client.write_all(b"GET / HTTP/1.0\r\n\r\n")?;
//! let mut response = String::new();
//! client.read_to_string(&mut response)?;
//! assert!(response.starts_with("HTTP/1.1 200 OK\r\n") && response.ends_with("\r\n\r\nready\n"));
//! # Ok(())
//! # }
//! ```
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
//! To read it, follow a request through `src`:
//!
//! | file | idea |
//! |---|---|
//! | `server.rs`, `defer.rs` | workers take turns at accepting, once a client has spoken, and stay with it |
//! | `table.rs` | how many connections there may be, and which one makes room |
//! | `connection.rs`, `receive.rs`, `answer.rs` | requests in, responses out, one after another |
//! | `wire.rs`, `stream.rs`, `tls.rs` | a socket with a deadline, and encryption where it is asked for |
//! | `scanner.rs`, `head.rs`, `meaning.rs`, `fields.rs`, `host.rs`, `method.rs` | what a request says, read strictly |
//! | `target.rs` | the path, decoded once and kept inside the root |
//! | `body.rs` | where the body ends |
//! | `request.rs`, `route.rs`, `response.rs` | what a handler is given, which one it is, what it returns |
//! | `files.rs`, `folder.rs`, `file.rs`, `locate.rs` | what is there for a path, whatever links say |
//! | `store.rs`, `coding.rs`, `missing.rs` | what is kept between requests; compressed siblings; pages instead of a 404 |
//! | `types.rs`, `validators.rs` | what a file is, and which version of it |
//! | `conditional.rs`, `range.rs` | whether to send it, and which parts |
//! | `listing.rs`, `html.rs`, `refusal.rs` | pages for folders and for errors |
//! | `send.rs` | the response on its way to the wire |
//! | `auth.rs` | a password in front of any handler |
//! | `builder.rs`, `service.rs` | a server put together in code |
//! | `options.rs`, `listening.rs`, `unix.rs` | the same from a command line |
//! | `access.rs`, `clock.rs`, `status.rs`, `client.rs` | the rest |
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod access;
mod answer;
mod auth;
mod body;
mod builder;
pub mod client;
mod clock;
mod coding;
mod conditional;
mod connection;
#[cfg(target_os = "linux")]
mod defer;
mod fields;
mod file;
mod files;
mod folder;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
// Public for their benchmark alone.
#[doc(hidden)]
pub mod head;
mod host;
mod html;
mod listening;
mod listing;
mod locate;
mod meaning;
mod method;
mod missing;
pub mod options;
mod range;
mod receive;
mod refusal;
mod request;
mod response;
mod route;
#[doc(hidden)]
pub mod scanner;
mod send;
mod server;
mod service;
mod status;
mod store;
mod stream;
mod table;
mod target;
#[cfg(feature = "tls")]
mod tls;
#[cfg(not(feature = "tls"))]
#[path = "no_tls.rs"]
mod tls;
mod types;
#[cfg(unix)]
mod unix;
mod validators;
mod wire;

pub use auth::Guarded;
pub use body::Body;
pub use builder::{Running, Server};
pub use fields::Fields;
pub use files::{DotFiles, Files, Precompressed};
pub use locate::Links;
pub use method::Method;
pub use missing::Missing;
pub use refusal::Refusal;
pub use request::Request;
pub use response::{IntoResponse, Response};
pub use route::Handler;
pub use service::{AccessLog, Cors, Hosts, Limits};
pub use status::Status;
pub use target::{Path, Target};
pub use tls::Tls;

/// The port of the server, unless told otherwise.
pub const PORT: u16 = 8000;
