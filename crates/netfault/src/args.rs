//! The arguments of `netfault`, and how they are written.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args};
use netcore::cli::{duration, folder};
use netfault::proxy::NetworkArgs;
use netfault::{Address, Fault, LIFETIME, SEED, Speaks};

/// A fault and where it is let loose.
#[derive(Args)]
pub struct FaultArgs {
    /// Its name, as `netfault list` has it
    #[arg(value_name = "FAULT", value_parser = fault)]
    pub fault: &'static Fault,
    /// Where the server listens
    #[arg(value_name = "HOST:PORT", required_unless_present = "unix")]
    address: Option<Address>,
    /// The file that the server listens on
    #[arg(long, value_name = "FILE", conflicts_with = "address")]
    unix: Option<PathBuf>,
    /// What the server understands [default: the simplest that there is this fault for]
    #[arg(long, value_name = "WHAT")]
    pub speaks: Option<Speaks>,
    /// A whole message that the server answers, with escapes as in \r\n and \x05
    /// [default: one of what it speaks]
    // Not a Vec, which would be an option that is given more than once, a byte each time.
    #[arg(long, value_name = "TEXT", value_parser = unescape)]
    pub hello: Option<Box<[u8]>>,
    /// The folder of the server's certificates, with the key of their authority
    #[arg(long, value_name = "DIR", value_parser = folder())]
    pub certs: Option<PathBuf>,
    /// What noise is drawn from
    #[arg(long, value_name = "N", default_value_t = SEED)]
    pub seed: u64,
    /// End it after this long, a minute at most, as in 500ms, 5s
    #[arg(long = "for", value_name = "DURATION", value_parser = lifetime, default_value = "1m")]
    pub limit: Duration,
}

/// Where the proxy stands, and what its network does.
#[derive(Args)]
pub struct ProxyArgs {
    /// Where clients come, or unix:FILE; port 0 takes a free one
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:0")]
    pub listen: Address,
    /// Where the server listens, or unix:FILE
    #[arg(long, value_name = "HOST:PORT", required_unless_present = "unix")]
    to: Option<Address>,
    /// The file that the server listens on
    #[arg(long, value_name = "FILE", conflicts_with = "to")]
    unix: Option<PathBuf>,
    #[command(flatten)]
    pub network: NetworkArgs,
    /// Write down everything that passes
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// Log clients; twice for more
    #[arg(short, long, action = ArgAction::Count)]
    pub verbose: u8,
}

impl FaultArgs {
    /// Where the server listens.
    pub fn server(&self) -> Option<Address> {
        self.address.clone().or_else(|| self.unix.clone().map(Address::Unix))
    }
}

impl ProxyArgs {
    /// Where the server listens.
    pub fn server(&self) -> Option<Address> {
        self.to.clone().or_else(|| self.unix.clone().map(Address::Unix))
    }
}

fn fault(name: &str) -> Result<&'static Fault, String> {
    netfault::find(name).ok_or_else(|| "there is no such fault; `netfault list` shows them".into())
}

fn lifetime(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        limit if limit > LIFETIME => Err("a fault lasts for a minute at most".into()),
        limit => Ok(limit),
    }
}

/// `\r`, `\n`, `\0`, `\\` and `\x41`; anything else is itself.
fn unescape(text: &str) -> Result<Box<[u8]>, String> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((before, escape)) = rest.split_once('\\') {
        bytes.extend_from_slice(before.as_bytes());
        let (byte, length) = match escape.as_bytes() {
            [b'r', ..] => (b'\r', 1),
            [b'n', ..] => (b'\n', 1),
            [b'0', ..] => (0, 1),
            [b'\\', ..] => (b'\\', 1),
            [b'x', ..] => {
                let digits = escape.get(1..3).ok_or("\\x is followed by two digits")?;
                (u8::from_str_radix(digits, 16).map_err(|_| "\\x is followed by two digits")?, 3)
            }
            _ => return Err("an escape is one of \\r \\n \\0 \\\\ \\x41".into()),
        };
        bytes.push(byte);
        rest = &escape[length..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    Ok(bytes.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_fault_lasts_for_longer_than_its_lifetime() {
        assert_eq!(lifetime("60s"), Ok(LIFETIME));
        assert!(lifetime("61s").is_err() && lifetime("2m").is_err());
    }

    #[test]
    fn bytes_are_read_as_they_are_written() {
        assert_eq!(unescape(r"\0\x05h\r\n\\").as_deref(), Ok(&b"\0\x05h\r\n\\"[..]));
        for wrong in [r"\q", r"\x1", r"\xzz", r"\"] {
            assert!(unescape(wrong).is_err(), "{wrong:?}");
        }
    }
}
