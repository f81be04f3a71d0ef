//! One error type for what a person can act on: what was attempted, on what, why it
//! failed, and a hint.

use std::fmt;
use std::io::{self, ErrorKind};

mod hint;

/// What an address begins with that is a file.
pub(crate) const UNIX: &str = "unix:";

/// What a rung reports before it ends with exit code 1.
///
/// Its text completes "error: ": `cannot listen on 127.0.0.1:9090: address already in
/// use`.
#[derive(Debug)]
pub enum Error {
    /// A host name has no address, or is not a name at all.
    Resolve {
        /// The host as it was given.
        host: String,
        /// What the resolver said.
        source: io::Error,
    },
    /// bind(2) or listen(2) failed.
    Listen {
        /// The address as it was given, `host:port`.
        address: String,
        /// What the system said of the last address that was tried.
        source: io::Error,
    },
    /// connect(2) failed for every address of the host.
    Connect {
        /// The address as it was given, `host:port`.
        address: String,
        /// What the system said of the last address that was tried.
        source: io::Error,
    },
    /// A datagram was not answered.
    Reply {
        /// The address as it was given, `host:port`.
        address: String,
        /// What the system said, or what the client missed.
        source: io::Error,
    },
    /// Standard output could not be written.
    Output(io::Error),
    /// Options that cannot work together, in a sentence without a full stop: exit code 2.
    Usage(String),
    /// What may work later, and was not refused: exit code 75.
    Later {
        /// Completes "cannot ", as in [`Error::Failed`].
        attempted: String,
        /// Why not now.
        why: String,
    },
    /// Anything else that ends the program.
    Failed {
        /// Completes "cannot ": `read from 127.0.0.1:9090`.
        attempted: String,
        /// What the system said.
        source: io::Error,
        /// What can be done about it, where that is known.
        hint: Option<&'static str>,
    },
}

impl Error {
    /// An error that ends the program while it tried to do `attempted`, which completes
    /// "cannot ".
    pub fn failed(attempted: impl fmt::Display) -> impl FnOnce(io::Error) -> Error {
        let attempted = attempted.to_string();
        |source| Error::Failed { attempted, source, hint: None }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Resolve { host, source } => {
                write!(f, "cannot find the host {host:?}: {}", reason(source))
            }
            Error::Listen { address, source } => {
                let why = match source.kind() {
                    ErrorKind::AddrNotAvailable => "not an address of this machine".into(),
                    _ => reason(source),
                };
                write!(f, "cannot listen on {address}: {why}")
            }
            Error::Connect { address, source } => {
                write!(f, "cannot connect to {address}: {}", reason(source))
            }
            Error::Reply { address, source } => {
                write!(f, "cannot get a reply from {address}: {}", reason(source))
            }
            Error::Usage(text) => f.write_str(text),
            Error::Output(source) => {
                write!(f, "cannot write to standard output: {}", reason(source))
            }
            Error::Later { attempted, why } => write!(f, "cannot {attempted} now: {why}"),
            Error::Failed { attempted, source, .. } => {
                write!(f, "cannot {attempted}: {}", reason(source))
            }
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Resolve { source, .. }
            | Error::Listen { source, .. }
            | Error::Connect { source, .. }
            | Error::Reply { source, .. }
            | Error::Output(source)
            | Error::Failed { source, .. } => Some(source),
            Error::Usage(_) | Error::Later { .. } => None,
        }
    }
}

/// The common reasons in the same words on every platform; the system's own words, with
/// its number, for the rest.
pub fn reason(error: &io::Error) -> String {
    let words = match error.kind() {
        ErrorKind::AddrInUse => "address already in use",
        // To listen on: it is not this machine's. To connect: no local port is left.
        ErrorKind::AddrNotAvailable => "the address is not to be had",
        ErrorKind::BrokenPipe => "the other end no longer reads",
        ErrorKind::ConnectionAborted => "connection aborted",
        ErrorKind::ConnectionRefused => "connection refused",
        ErrorKind::ConnectionReset => "connection reset by the other end",
        ErrorKind::HostUnreachable => "host unreachable",
        ErrorKind::NetworkUnreachable => "network unreachable",
        // Of a connection that was one: the peer has reset before it was looked at.
        ErrorKind::NotConnected => "the other end has gone",
        ErrorKind::PermissionDenied => "permission denied",
        ErrorKind::UnexpectedEof => "the other end closed the connection",
        ErrorKind::TimedOut => "timed out",
        _ => return error.to_string(),
    };
    match error.get_ref() {
        // An error that was made with a text of its own says more than its kind.
        Some(own) => own.to_string(),
        None => words.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_port_is_told_in_the_words_of_the_contract() {
        let source = io::Error::from(ErrorKind::AddrInUse);
        let error = Error::Listen { address: "127.0.0.1:9090".into(), source };
        assert_eq!(error.to_string(), "cannot listen on 127.0.0.1:9090: address already in use");
        assert_eq!(
            error.hint(),
            Some(
                "another server has this port, or had it a minute ago; pass --port 0 for a free one"
            )
        );
    }

    #[test]
    fn an_error_with_its_own_text_keeps_it() {
        let error = io::Error::new(ErrorKind::TimedOut, "no byte for 5 s");
        assert_eq!(reason(&error), "no byte for 5 s");
    }

    #[test]
    fn a_reply_that_is_cut_short_is_told_as_what_it_means_for_the_connection() {
        let error = io::Read::read_exact(&mut &b"rep"[..], &mut [0; 5]).unwrap_err();
        assert_eq!(reason(&error), "the other end closed the connection");
    }

    #[test]
    fn a_rare_error_keeps_the_number_of_the_system() {
        let error = io::Error::from_raw_os_error(28);
        assert!(reason(&error).ends_with("(os error 28)"), "{}", reason(&error));
    }
}
