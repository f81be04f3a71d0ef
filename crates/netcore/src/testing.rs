//! What a server promises, written once, for the tests of every server that is started
//! in the test's own process (feature `testing`).
//!
//! A [`Suite`] says how a server is started and what one question and its answer are:
//! bytes, messages behind a length ([`Suite::of_messages`]), or answers that hold what
//! changes, as a date does ([`Suite::read_by`]). Everything else here holds whatever the
//! server does with a question, so it holds in a copy that has become another server. [`promises!`](crate::promises) makes tests of the
//! promises that a server keeps:
//!
//! ```ignore
//! netcore::promises! { suite() =>
//!     a_stop_ends_the_server_while_it_waits_for_a_client,
//!     a_silent_client_is_dropped_and_the_next_one_served,
//! }
//! ```
//!
//! | file | what is promised |
//! |---|---|
//! | `visits.rs` | questions are answered, and no client's end is the server's |
//! | `stop.rs` | a stop ends every wait, and loses nothing that was sent |
//! | `limits.rs` | no client can stretch the limits of its visit |
//! | `many.rs` | no client waits for another |
//! | `messages.rs` | where one question ends and the next begins |
//! | `frames.rs` | the same for messages behind a length, and its limit |
//! | `echo.rs` | what an echo promises besides: this goes with the echo |
//! | `transport.rs`, `unix.rs` | the same over TCP and over UNIX sockets |
//! | `tls.rs` | the same in TLS (feature `tls`) |
//! | [`udp`] | the same for servers of datagrams |
//!
//! The log tells the tests where the server is ([`events`]), so no test guesses by the
//! clock that it has come so far.

use std::time::Duration;

use clap::{Args, Command};

use crate::cli::Limits;
use crate::shutdown::DRAIN;

mod client;
mod dialogue;
mod echo;
pub mod events;
mod floods;
mod frames;
mod limits;
mod many;
mod messages;
mod running;
mod stop;
mod suite;
#[cfg(feature = "tls")]
mod tls;
mod transport;
pub mod udp;
#[cfg(unix)]
mod unix;
mod visits;

pub use client::Client;
pub use echo::*;
pub use frames::*;
pub use limits::*;
pub use many::*;
pub use messages::*;
pub use running::Running;
pub use stop::*;
pub use suite::Suite;
#[cfg(feature = "tls")]
pub use tls::{Greeting, Tls, TlsAddress, TlsListener, TlsWire};
pub use transport::{Stream, Tcp, Transport};
#[cfg(unix)]
pub use unix::Unix;
pub use visits::*;

/// Ends a test that would otherwise hang. No correct run comes near it, on a machine
/// however busy.
pub const GENEROUS: Duration = Duration::from_secs(30);

/// Beyond [`GENEROUS`], so that a server which waits for its own limit is told from one
/// that ends at once.
pub const FAR: Duration = Duration::from_secs(600);

/// Short beside [`GENEROUS`], so that a limit which did not work could not be mistaken
/// for a slow machine.
pub const SHORT: Duration = Duration::from_millis(300);

/// What a test asks of a server beside its service. A server takes what it has an option
/// for, by [`service`](Setup::service).
#[derive(Debug, Clone)]
pub struct Setup {
    /// End when nobody has come for so long.
    pub accept_timeout: Option<Duration>,
    /// For how long a client is kept, and how long a stop may take.
    pub limits: Limits,
    /// Clients at once.
    pub max_clients: usize,
    /// Bytes of a message at most; without, what the server takes unless told otherwise.
    pub max_message: Option<usize>,
}

impl Default for Setup {
    /// Limits that no test comes near unless it sets its own.
    fn default() -> Setup {
        let limits = Limits { idle: FAR, total: FAR, drain: DRAIN };
        Setup { accept_timeout: None, limits, max_clients: 8, max_message: None }
    }
}

impl Setup {
    /// With this idle limit.
    pub fn idle(idle: Duration) -> Setup {
        let limits = Limits { idle, ..Setup::default().limits };
        Setup { limits, ..Setup::default() }
    }

    /// With this total limit.
    pub fn total(total: Duration) -> Setup {
        let limits = Limits { total, ..Setup::default().limits };
        Setup { limits, ..Setup::default() }
    }

    /// With this drain limit.
    pub fn drain(drain: Duration) -> Setup {
        let limits = Limits { drain, ..Setup::default().limits };
        Setup { limits, ..Setup::default() }
    }

    /// With so many clients at once.
    pub fn at_most(self, max_clients: usize) -> Setup {
        Setup { max_clients, ..self }
    }

    /// The service as a command line with these options makes it, and with what is asked
    /// for here as far as it is an option there: so a service that has got further fields
    /// is started without a word of its tests changed.
    ///
    /// # Panics
    /// When the command line is none.
    pub fn service<S: Args>(&self, options: &[&str]) -> S {
        let command = Command::new("server").no_binary_name(true).args_override_self(true);
        let command = S::augment_args(command);
        let (limits, number) = (&self.limits, |number: usize| Some(number.to_string()));
        let asked = [
            ("accept-timeout", self.accept_timeout.map(written)),
            ("idle", Some(written(limits.idle))),
            ("total", Some(written(limits.total))),
            ("drain", Some(written(limits.drain))),
            ("max-clients", number(self.max_clients)),
            ("max-message", self.max_message.and_then(number)),
        ];
        let is_known = |name| command.get_arguments().any(|arg| arg.get_long() == Some(name));
        let asked = asked.into_iter().filter(|(name, _)| is_known(*name));
        let asked = asked.filter_map(|(name, value)| Some(format!("--{name}={}", value?)));
        let words: Vec<String> = asked.chain(options.iter().map(|word| word.to_string())).collect();
        let service = command.try_get_matches_from(words).and_then(|it| S::from_arg_matches(&it));
        service.unwrap_or_else(|error| panic!("{error}"))
    }
}

/// As it is written on a command line; what is too long for one is the longest there.
fn written(duration: Duration) -> String {
    format!("{}ms", u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

/// Makes a test of each promise, which is the name of a function in
/// [`testing`](crate::testing), or in another module that is named after `of`.
#[macro_export]
macro_rules! promises {
    ($suite:expr => $($promise:ident),+ $(,)?) => {
        $crate::promises! { $suite, of $crate::testing => $($promise),+ }
    };
    ($suite:expr, of $module:path => $($promise:ident),+ $(,)?) => {
        $(
            #[test]
            fn $promise() {
                use $module as promised;
                promised::$promise(&$suite);
            }
        )+
    };
}
