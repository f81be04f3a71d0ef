//! UNIX sockets: the same calls with a file for an address
//! ([unix(7)](https://man7.org/linux/man-pages/man7/unix.7.html)). Who may open the file
//! may connect, and the system says who has.
//!
//! | file | idea |
//! |---|---|
//! | `listener.rs` | bound with the mode that was asked for, and never a wider one |
//! | `claim.rs` | one server for each name, whatever two starts and a `kill -9` do |
//! | `peer.rs` | who has connected |
//! | `connect.rs` | a client's connection |
//! | `args.rs` | what servers and clients can be told |
//! | `word.rs` | a path as one word of a line |
//! | `none.rs` | where the system has no such sockets |

use std::path::Path;

mod args;
#[cfg(unix)]
mod claim;
#[cfg(unix)]
mod connect;
#[cfg(unix)]
mod listener;
#[cfg(not(unix))]
mod none;
#[cfg(unix)]
mod peer;
mod word;

pub use args::{ClientArgs, Mode, ServerArgs};
#[cfg(unix)]
pub use claim::Claim;
#[cfg(unix)]
pub(crate) use connect::connect_socket;
#[cfg(unix)]
pub use connect::{Name, connect};
#[cfg(unix)]
pub use listener::{Listener, Stream, listen};
#[cfg(not(unix))]
pub(crate) use none::connect_socket;
#[cfg(not(unix))]
pub use none::{Claim, Listener, Name, Peer, Stream, connect, listen};
#[cfg(unix)]
pub use peer::Peer;
pub use word::{path_in, word};

/// What stands before a path where an address of the internet could stand as well.
pub const PREFIX: &str = crate::error::UNIX;

/// The longest path in bytes: what the system's address has room for, and a zero.
pub const LONGEST_PATH: usize = if cfg!(target_os = "linux") { 107 } else { 103 };

/// A path as an address, for people: `unix:echo.sock`.
pub fn name(path: &Path) -> String {
    format!("{PREFIX}{}", path.display())
}

/// Before the system is asked, which takes an empty path for a name that nobody knows.
#[cfg(unix)]
fn check(path: &Path) -> std::io::Result<()> {
    let text = match path.as_os_str().len() {
        0 => "its path is empty".into(),
        length if length > LONGEST_PATH => {
            format!("its path has {length} bytes, and a socket's has {LONGEST_PATH} at most")
        }
        _ => return Ok(()),
    };
    Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, text))
}
