//! A small HTTP/1.1 server over threads: static files from the command line, and handlers of ten lines as a library.
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
//! A handler is a function from [`Request`] to a value: text, bytes, a [`Status`], a whole [`Response`], or a `Result` of
//! these. It writes nothing to the wire, so that it cannot forget the length, the character set or the answer to HEAD.
//!
//! To read the code, follow a request:
//!
//! | module | idea |
//! |---|---|
//! | [`server`] | workers take turns at accepting, and stay with their client |
//! | [`table`] | how many connections there may be, and which one makes room |
//! | [`connection`] | requests in, responses out, one after another |
//! | [`wire`], [`stream`], [`tls`] | a socket with a deadline, and encryption where it is asked for |
//! | [`head`], [`fields`], [`host`] | what a request says, read strictly |
//! | [`target`] | the path, decoded once and kept inside the root |
//! | [`body`] | where the body ends |
//! | [`request`], [`route`], [`response`] | what a handler is given, which one it is, what it returns |
//! | [`files`], `folder`, `file`, [`locate`] | what is there for a path, whatever links say |
//! | [`store`], [`coding`], [`missing`] | what is kept between requests; compressed siblings; pages instead of a 404 |
//! | [`types`], [`validators`] | what a file is, and which version of it |
//! | [`conditional`], [`range`](mod@range) | whether to send it, and which parts |
//! | [`listing`], [`html`], [`refusal`] | pages for folders and for errors |
//! | [`send`] | the response on its way to the wire |
//! | [`auth`] | a password in front of any handler |
//! | [`builder`], [`service`] | a server put together in code |
//! | [`options`], [`listening`], `unix` | the same from a command line |
//! | [`access`], [`clock`], [`status`], [`client`] | the rest |
//!
//! Deliberately left out: HTTP/2 and 3, CGI, proxying, compression on the fly.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod access;
pub mod auth;
pub mod body;
pub mod builder;
pub mod client;
pub mod clock;
pub mod coding;
pub mod conditional;
pub mod connection;
pub mod fields;
mod file;
pub mod files;
mod folder;
pub mod head;
pub mod host;
pub mod html;
pub mod listening;
pub mod listing;
pub mod locate;
pub mod missing;
pub mod options;
pub mod range;
pub mod refusal;
pub mod request;
pub mod response;
pub mod route;
pub mod send;
pub mod server;
pub mod service;
pub mod status;
pub mod store;
pub mod stream;
pub mod table;
pub mod target;
#[cfg(feature = "tls")]
pub mod tls;
#[cfg(not(feature = "tls"))]
#[path = "no_tls.rs"]
pub mod tls;
pub mod types;
#[cfg(unix)]
pub mod unix;
pub mod validators;
pub mod wire;

pub use auth::Guarded;
pub use builder::{Running, Server};
pub use files::{DotFiles, Files, Precompressed};
pub use head::Method;
pub use locate::Links;
pub use missing::Missing;
pub use refusal::Refusal;
pub use request::Request;
pub use response::{IntoResponse, Response};
pub use route::Handler;
pub use service::{AccessLog, Cors, Hosts, Limits};
pub use status::Status;
pub use tls::Tls;

/// The port of the server, unless told otherwise.
pub const PORT: u16 = 8000;
