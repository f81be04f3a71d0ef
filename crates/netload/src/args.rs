//! The arguments that scenarios share, and how they are written.

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use netcore::address::Address;
use netcore::cli;

use crate::bound::Bound;

/// How long a run lasts when neither time nor count is given.
const USUAL: Duration = Duration::from_secs(5);

/// The largest message. A request and its reply are held in memory for each connection.
const LARGEST: usize = 64 << 20;

/// How long a run lasts.
#[derive(Debug, Clone, Args)]
pub struct RunArgs {
    /// Stop after this many seconds [default: 5, without --count]
    #[arg(long, value_name = "N", value_parser = seconds)]
    pub seconds: Option<Duration>,
    /// Stop after this many requests
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub count: Option<u64>,
}

/// Where a server listens that has connections: one of the two.
#[derive(Debug, Clone, Args)]
pub struct ServerArgs {
    /// The server, as in 127.0.0.1:9090
    #[arg(value_name = "ADDR", required_unless_present = "unix")]
    address: Option<Address>,
    /// The file that the server listens on
    #[arg(long, value_name = "FILE", conflicts_with = "address")]
    unix: Option<PathBuf>,
}

impl ServerArgs {
    /// Whichever was given.
    pub fn address(&self) -> Address {
        match (&self.address, &self.unix) {
            (Some(address), _) => address.clone(),
            (None, file) => Address::Unix(file.clone().unwrap_or_default()),
        }
    }
}

impl RunArgs {
    /// The limit on the whole run.
    pub fn bound(&self) -> Bound {
        match (self.seconds, self.count) {
            (None, None) => Bound::new(Some(USUAL), None),
            (seconds, count) => Bound::new(seconds, count),
        }
    }
}

/// An address as `host:port`; of a name, the first that the resolver gives.
///
/// # Errors
/// A sentence for clap to show.
pub fn address(text: &str) -> Result<SocketAddr, String> {
    let mut addresses =
        text.to_socket_addrs().map_err(|error| format!("{error}, as in 127.0.0.1:9090"))?;
    addresses.next().ok_or_else(|| format!("{text} has no address"))
}

/// Seconds as a number that may have a fraction: `2` or `0.5`.
///
/// # Errors
/// A sentence for clap to show.
pub fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds
        .filter(|seconds| !seconds.is_zero())
        .ok_or_else(|| "seconds are written as 2 or 0.5".into())
}

/// The size of a message, as in 64 or 4k, at least one byte.
///
/// # Errors
/// A sentence for clap to show.
pub fn message_size(text: &str) -> Result<usize, String> {
    match cli::size(text)? {
        size if size > LARGEST => Err("at most 64m".into()),
        size => Ok(size),
    }
}

/// An amount of bytes, as in 512, 64k, 100m or 1g, at least one.
///
/// # Errors
/// A sentence for clap to show.
pub fn bytes(text: &str) -> Result<u64, String> {
    let wrong = || String::from("bytes are written as 512, 64k, 100m or 1g");
    let bytes = match text.strip_suffix('g') {
        Some(gigabytes) => {
            gigabytes.parse::<u64>().ok().and_then(|number| number.checked_mul(1 << 30))
        }
        None => cli::size(text).ok().map(|size| size as u64),
    };
    bytes.filter(|bytes| *bytes > 0).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_they_are_written() {
        assert_eq!(bytes("512"), Ok(512));
        assert_eq!(bytes("64k"), Ok(65_536));
        assert_eq!(bytes("2g"), Ok(2 << 30));
        for wrong in ["", "0", "g", "-1", "1.5g", "1t", "99999999999g"] {
            assert!(bytes(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn times_and_sizes_have_their_limits() {
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        for wrong in ["", "0", "-1", "NaN", "inf", "1e300", "5s"] {
            assert!(seconds(wrong).is_err(), "{wrong:?}");
        }
        assert_eq!(message_size("64"), Ok(64));
        assert!(message_size("0").is_err());
        assert!(message_size("65m").is_err());
    }

    #[test]
    fn an_address_needs_its_port() {
        assert_eq!(address("127.0.0.1:9090"), Ok(SocketAddr::from(([127, 0, 0, 1], 9090))));
        assert!(address("127.0.0.1").is_err());
    }
}
