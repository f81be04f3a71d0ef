//! What a server promises, written once, for the tests of every server that is started
//! in the test's own process (feature `testing`).
//!
//! A [`Suite`] says how a server is started and what one question and its answer are.
//! Everything else here holds whatever the server does with a question, so it holds in a
//! copy that has become another server. [`promises!`](crate::promises) makes tests of the
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
//! | `echo.rs` | what an echo promises besides: this goes with the echo |
//! | `wire.rs` | what a client needs of its stream, whatever it speaks |
//! | `tls.rs` | a client's stream in TLS (feature `tls`) |
//! | [`udp`] | the same for servers of datagrams |
//!
//! The log tells the tests where the server is ([`events`]), so no test guesses by the
//! clock that it has come so far.

use std::time::Duration;

use crate::cli::Limits;
use crate::shutdown::DRAIN;

mod client;
mod echo;
pub mod events;
mod limits;
mod many;
mod running;
mod stop;
#[cfg(feature = "tls")]
mod tls;
pub mod udp;
mod visits;
mod wire;

pub use client::Client;
pub use echo::*;
pub use limits::*;
pub use many::*;
pub use running::{Running, Suite};
pub use stop::*;
#[cfg(feature = "tls")]
pub use tls::{Bare, TlsWire};
pub use visits::*;
pub use wire::Wire;

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
/// for.
#[derive(Debug, Clone)]
pub struct Setup {
    /// End when nobody has come for so long.
    pub accept_timeout: Option<Duration>,
    /// For how long a client is kept, and how long a stop may take.
    pub limits: Limits,
    /// Clients at once.
    pub max_clients: usize,
}

impl Default for Setup {
    /// Limits that no test comes near unless it sets its own.
    fn default() -> Setup {
        let limits = Limits { idle: FAR, total: FAR, drain: DRAIN };
        Setup { accept_timeout: None, limits, max_clients: 8 }
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
}

/// Makes a test of each promise, which is the name of a function in
/// [`testing`](crate::testing).
#[macro_export]
macro_rules! promises {
    ($suite:expr => $($(#[$meta:meta])* $promise:ident),+ $(,)?) => {
        $(
            $(#[$meta])*
            #[test]
            fn $promise() {
                $crate::testing::$promise(&$suite);
            }
        )+
    };
}
