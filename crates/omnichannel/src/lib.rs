//! One draft for each account, in one place: each channel is a way to it.
//!
//! Whoever begins over frames of TCP goes on over datagrams and ends in a browser. Every
//! change has a revision, and replaces one: of two who change the same revision, one is told
//! what the other has done. [`store`] has the state, [`writer`] is the one thread that
//! changes it, and [`service`] what all channels do; [`frames`], [`datagrams`] and [`http`]
//! are the channels, all on one port, and [`replica`] follows another server.
//!
//! Still wrong: tokens and texts can be read on the way (`tls-echo`), so listen on this
//! machine only. One machine keeps the state: when it is gone, a replica has a copy that can
//! be read, and nobody decides that it takes over; [`engine`] is what does. Each follower
//! holds a thread.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use netcore::Error;
use netcore::cli::{Limits, count, duration};

pub mod chain;
pub mod client;
pub mod datagrams;
pub mod disk;
pub mod engine;
pub mod frames;
pub mod http;
pub mod message;
pub mod metrics;
#[cfg(feature = "nats")]
pub mod nats;
pub mod replica;
pub mod server;
pub mod service;
pub mod store;
pub mod tokens;
pub mod writer;

use engine::Servers;
#[cfg(feature = "nats")]
use nats::open as shared;
use service::Service;
use store::{Kept, Place, Store};
use tokens::Tokens;
use writer::Writer;

/// The port of the server, for all channels, unless told otherwise.
pub const PORT: u16 = 8000;

/// What the server can be told.
#[derive(Debug, Args)]
#[command(mut_arg("total", |total| total.help(
    "Drop a client after this long in all, however busy it is; over HTTP, each request has so long, \
     and each response"
)))]
pub struct Omnichannel {
    /// File that keeps the drafts, made where there is none
    #[arg(long, value_name = "FILE", default_value = "omnichannel.redb")]
    pub data: PathBuf,
    /// Keep the drafts in memory: everything is gone at the end
    #[arg(long, conflicts_with = "data")]
    pub memory: bool,
    /// Keep the drafts in a bucket of these servers of NATS, and not here: of three, one may
    /// be lost (feature `nats`)
    #[arg(long, value_name = "nats://HOST:PORT[,HOST:PORT]...", value_parser = engine::servers,
        conflicts_with_all = ["data", "memory", "follow"])]
    pub engine: Option<Servers>,
    /// The name of that bucket, made where there is none
    // Both: clap asks for no option that another one on the line excludes.
    #[arg(long, value_name = "NAME", value_parser = engine::bucket, default_value = "drafts",
        requires = "engine", conflicts_with_all = ["data", "memory", "follow"])]
    pub bucket: String,
    /// File with the tokens that prove accounts, one ACCOUNT.SECRET a line
    #[arg(long, value_name = "FILE", default_value = "omnichannel.tokens")]
    pub tokens: PathBuf,
    /// Give this account a token in that file, if it has none
    #[arg(long, value_name = "NAME")]
    pub account: Vec<String>,
    /// Be a replica of the server at this address, which the token of the account "replica"
    /// lets read everything
    #[arg(long, value_name = "HOST:PORT", value_parser = replica::address)]
    pub follow: Option<(String, u16)>,
    // A letter; a message with it is little to hold for each client, and crosses a slow line
    // within the idle limit.
    /// Refuse a text of more bytes than this, as in 512, 64k or 1m
    #[arg(long, value_name = "SIZE", value_parser = service::text_size,
        default_value = "16k")]
    pub max_text: usize,
    // Somebody who types changes it once a second: a quarter of an hour.
    /// Keep so many revisions of each draft for those who follow it
    #[arg(long, value_name = "N", value_parser = count::<u64>, default_value_t = 1000)]
    pub history: u64,
    // A repeat comes within minutes, and an account has few requests on the way at once.
    /// Know so many changes of each account again when they are asked for twice
    #[arg(long, value_name = "N", value_parser = count::<u64>, default_value_t = 1000)]
    pub keys: u64,
    /// Let each commit take so much longer, as on a slow disk: to see who waits for it
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub slow_commit: Option<Duration>,
    /// End when no client has come for this long [default: never]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub accept_timeout: Option<Duration>,
    /// For how long a client is kept.
    #[command(flatten)]
    pub limits: Limits,
    /// Serve at most so many connections at once; more wait in the backlog
    #[arg(long, value_name = "N", value_parser = count::<usize>, default_value_t = 1000)]
    pub max_clients: usize,
}

impl Omnichannel {
    /// Reads the tokens, opens the store and starts the thread that writes to it.
    ///
    /// # Errors
    /// What [`Tokens::open`] and [`Store::open`] say.
    pub fn open(self) -> Result<Arc<Service>, Error> {
        let file = (!self.memory).then(|| self.data.clone());
        let attempted = format!("use the tokens in {}", self.tokens.display());
        let tokens = Tokens::open(&self.tokens, &self.account).map_err(|source| {
            let hint = (source.kind() == io::ErrorKind::NotFound)
                .then_some("--account NAME makes the file, with a token for NAME");
            Error::Failed { attempted, source, hint }
        })?;
        if let Some(servers) = self.engine.clone() {
            return shared(&servers, self, tokens).map(Arc::new);
        }
        let attempted = match &file {
            Some(file) => format!("open the store {}", file.display()),
            None => "keep drafts in memory".into(),
        };
        if self.memory {
            log::warn!("drafts are in memory only: they are gone at the end");
        }
        let place = Place { file, slow: self.slow_commit.unwrap_or_default(), name: None };
        let kept = Kept { revisions: self.history, keys: self.keys };
        let store = Store::open(place, kept).map_err(Error::failed(attempted))?;
        let service = Service::new(self, tokens, store, Writer::start);
        service.map(Arc::new).map_err(Error::failed("start a thread that writes"))
    }
}
#[cfg(not(feature = "nats"))]
fn shared(_: &Servers, _: Omnichannel, _: Tokens) -> Result<Service, Error> {
    let why = "--engine needs a program that was built with --features nats";
    Err(Error::Usage(why.into()))
}
