//! Chat room in which all hear what one says, in one order, whoever does not listen.
//!
//! [`server`] reads the lines of each member in a thread, and hands them to the [`room`],
//! which queues them for everybody and waits for nobody; [`client`] says what is typed
//! and prints what comes.
//!
//! Still wrong: each member holds a thread and its stack (`poll-echo`, `async-echo`). A
//! name is taken and not proven (`login-echo`), and everyone on the way can read along
//! (`tls-echo`).
#![forbid(unsafe_code)]
#![warn(missing_docs)]

use std::time::Duration;

use clap::Args;
use netcore::cli::{count, duration};
use netcore::log::harmless;

use crate::room::Room;

pub mod client;
pub mod room;
pub mod server;

/// The port of the server, unless told otherwise. Not that of the other rungs, whose
/// clients do not speak in lines.
pub const PORT: u16 = 9092;

/// Bytes that one call reads at most. People type lines: there is one for each member.
pub const BUFFER: usize = 8 << 10;

/// Bytes of a line at most, without its end. Who sends more without one is dropped.
pub const LONGEST_LINE: usize = 1 << 10;

/// What a program says that answers [`ALIVE`] whenever it is asked. It is heard by
/// nobody.
pub const I_AM: &str = "/alive";

/// The question. A person is never asked: nobody looks at a screen all the time.
pub const ALIVE: &str = "/alive?";

/// What the server does: the place for what a server of your own knows. A field that is
/// no option has `#[arg(skip)]` above it, and one that changes is behind a lock.
#[derive(Debug, Args)]
pub struct Chat {
    /// Who is there, and what they are told.
    #[command(flatten)]
    pub room: Room,
    /// Drop a member that takes nothing of what waits for it for this long, or a
    /// program that does not answer
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "30s")]
    pub heartbeat: Duration,
    /// End when no client has come for this long [default: never]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub accept_timeout: Option<Duration>,
    /// Drop a client that does not give its name within this time
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "10s")]
    pub idle: Duration,
    /// After a signal, let clients finish for this long
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "5s")]
    pub drain: Duration,
    /// Serve at most so many clients at once, in the room or not; more wait in the
    /// backlog
    #[arg(long, value_name = "N", value_parser = count::<usize>, default_value_t = 500)]
    pub max_clients: usize,
}

impl Chat {
    /// Turns what a member has said into the line that all hear: the place for what a
    /// server of your own does. `None` where nobody is to hear it.
    pub fn reply(&self, name: &str, text: &str) -> Option<String> {
        // Some characters are commands to the terminals of those who hear it.
        (!text.trim().is_empty()).then(|| format!("{name}: {}", harmless(text)))
    }
}
