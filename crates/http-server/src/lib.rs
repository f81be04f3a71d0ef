//! A small HTTP/1.1 server: handlers that return a value, and files of a folder. One thread
//! waits for all connections, and workers answer.
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
//! A handler may block: it is called in one of [`Limits::workers`] threads, which it holds
//! for as long as it takes, and nobody else. So does a stream that waits for what it sends:
//! with as many of them as workers, other handlers wait. One that waits for nothing can be
//! wrapped in [`AtOnce`], and needs no worker. A body of up to [`Limits::body`] bytes has come
//! before its handler is called; of a longer one, the handler waits for the rest.
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
pub use httpcore::handler::{AtOnce, Handler, Request};
pub use httpcore::head::target::{Path, Target};
pub use httpcore::head::{Fields, Method};
pub use httpcore::reply::{Cors, IntoResponse, Response};
pub use httpcore::{Refusal, Status, client};
pub use serve::{AccessLog, Guarded, Hosts, Limits, Running, Server, Tls};

/// The port of the server, unless told otherwise.
pub const PORT: u16 = 8000;
