//! Client of somebody else's API: the other side is not yours, so it is decided beforehand
//! what to ask again, how often, and when to stop.
//!
//! [`policy`] decides, and knows neither clock nor socket; [`redirect`] says where an answer
//! may send us; [`api`] asks, with [ureq](https://docs.rs/ureq); [`client`] is its command
//! line. The other side is a third party with moods: [`third_party`], over the server of
//! `http-handlers`.
//!
//! Still wrong: what was asked is forgotten when the program ends, so that a person who
//! starts it again asks under a new key (an outbox would keep the key: `omnichannel`).
#![forbid(unsafe_code)]
#![warn(missing_docs)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use clap::Args;
use netcore::Error;
use netcore::cli::{Limits, count, duration};

pub mod api;
pub mod client;
pub mod policy;
pub mod redirect;
pub mod server;
pub mod third_party;

use third_party::{Mood, Notes};

/// The port of the server, unless told otherwise.
pub const PORT: u16 = 8000;

/// Bytes of a buffer for what comes behind a head: the lines between chunks are shorter.
pub const ROOM: usize = 4 << 10;

/// Bytes of a body that is read into memory, and so of a note. Past it: 413.
pub const BODY_LIMIT: usize = 4 << 10;

/// The third party: what it keeps, and its mood.
#[derive(Debug, Args)]
#[command(mut_arg("total", netcore::cli::each_request))]
pub struct ThirdParty {
    /// How it behaves
    #[arg(long, value_enum, default_value_t = Mood::Ok)]
    pub mood: Mood,
    /// With --mood down: be well again so long after the first request [default: never]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub outage: Option<Duration>,
    /// What took effect. No option: there is nothing at first.
    #[arg(skip)]
    pub notes: Arc<Mutex<Notes>>,
    /// End when no client has come for this long [default: never]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub accept_timeout: Option<Duration>,
    /// For how long a client is kept.
    #[command(flatten)]
    pub limits: Limits,
    /// Serve at most so many clients at once; more wait in the backlog
    #[arg(long, value_name = "N", value_parser = count::<usize>, default_value_t = 1000)]
    pub max_clients: usize,
}

impl ThirdParty {
    /// # Errors
    /// That an outage is to end which the mood does not have.
    pub fn check(&self) -> Result<(), Error> {
        match self.outage {
            Some(_) if self.mood != Mood::Down => {
                Err(Error::Usage("--outage says when --mood down ends".into()))
            }
            _ => Ok(()),
        }
    }
}
