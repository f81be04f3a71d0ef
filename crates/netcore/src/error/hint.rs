//! What the person at the keyboard can do about an error.

use std::io::ErrorKind;

use super::{Error, UNIX};

/// What to do where nobody listens.
const NOBODY_LISTENS: &str =
    "no server is listening there; start one first, or check --host and --port";

/// Of an address that each network has once more.
const WITHOUT_INTERFACE: &str = "an address such as fe80::1 needs its interface: fe80::1%eth0";

impl Error {
    /// What the person at the keyboard can do about it, where that is known.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Error::Resolve { .. } => {
                Some("check the spelling, or give an address such as 127.0.0.1")
            }
            Error::Listen { address, source } if address.starts_with(UNIX) => {
                hint_on_listening_on_a_file(source.kind())
            }
            Error::Connect { address, source } if address.starts_with(UNIX) => {
                hint_on_connecting_to_a_file(source.kind())
            }
            Error::Listen { address, source } => match source.kind() {
                ErrorKind::AddrInUse if address.ends_with(":0") => {
                    Some("every port is in use for now; end what holds so many")
                }
                ErrorKind::AddrInUse => Some(
                    "another server has this port, or had it a minute ago; pass --port 0 for a free one",
                ),
                ErrorKind::PermissionDenied => {
                    Some("ports below 1024 need privileges; choose a higher --port")
                }
                ErrorKind::AddrNotAvailable => {
                    Some("--bind takes an address of this machine, such as 127.0.0.1")
                }
                ErrorKind::InvalidInput => Some(WITHOUT_INTERFACE),
                _ => None,
            },
            Error::Connect { source, .. } => match source.kind() {
                ErrorKind::ConnectionRefused => Some(NOBODY_LISTENS),
                ErrorKind::TimedOut
                | ErrorKind::HostUnreachable
                | ErrorKind::NetworkUnreachable => {
                    Some("nothing answers at this address; check it, and any firewall on the way")
                }
                ErrorKind::AddrNotAvailable => Some(
                    "give a --port of 1 or more; with many connections, all local ports may be taken",
                ),
                ErrorKind::InvalidInput => Some(WITHOUT_INTERFACE),
                _ => None,
            },
            Error::Reply { source, .. } => match source.kind() {
                ErrorKind::ConnectionRefused => Some(NOBODY_LISTENS),
                ErrorKind::TimedOut => {
                    Some("the server may be down, or the datagrams lost: UDP does not tell")
                }
                ErrorKind::InvalidInput => Some("send it in several messages, or over TCP"),
                _ => None,
            },
            Error::Usage(_) => Some("--help lists the options"),
            Error::Failed { hint, .. } => *hint,
            Error::Output(_) | Error::Later { .. } => None,
        }
    }
}

fn hint_on_listening_on_a_file(kind: ErrorKind) -> Option<&'static str> {
    match kind {
        ErrorKind::AddrInUse => Some("another server lives there; choose another file"),
        ErrorKind::AlreadyExists => Some("it is left as it is; choose another file"),
        ErrorKind::PermissionDenied => {
            Some("a socket needs a folder in which you may make files, as for any file")
        }
        ErrorKind::NotFound | ErrorKind::NotADirectory => {
            Some("the folder has to be there before; make it, or check the path")
        }
        ErrorKind::InvalidInput => {
            Some("give a shorter path; one from the folder that you are in may do")
        }
        _ => None,
    }
}

fn hint_on_connecting_to_a_file(kind: ErrorKind) -> Option<&'static str> {
    match kind {
        ErrorKind::NotFound => Some("no server has made it; start one first, or check the path"),
        ErrorKind::ConnectionRefused => {
            Some("its server is gone; the next one that is started there takes its place")
        }
        ErrorKind::PermissionDenied => {
            Some("its server lets only some users in: ls -l shows whom the file lets write")
        }
        ErrorKind::InvalidInput => {
            Some("give a shorter path; one from the folder that you are in may do")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_without_its_interface_is_told_by_servers_and_by_clients() {
        let source = || ErrorKind::InvalidInput.into();
        let (listen, connect) = ("[fe80::1]:0".into(), "[fe80::1]:9".into());
        for error in [
            Error::Listen { address: listen, source: source() },
            Error::Connect { address: connect, source: source() },
        ] {
            assert_eq!(error.hint(), Some(WITHOUT_INTERFACE), "{error}");
        }
    }
}
