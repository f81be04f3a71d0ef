//! The arguments of `netfault`, and how they are written.

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args};
use netcore::cli::{duration, folder};
use netfault::proxy::NetworkArgs;
use netfault::{Fault, SEED, Speaks};

/// A fault and where it is let loose.
#[derive(Args)]
pub struct FaultArgs {
    /// Its name, as `netfault list` has it
    #[arg(value_name = "FAULT", value_parser = fault)]
    pub fault: &'static Fault,
    /// Where the server listens
    #[arg(value_name = "HOST:PORT", value_parser = address)]
    pub address: SocketAddr,
    /// What the server understands [default: the simplest that there is this fault for]
    #[arg(long, value_name = "WHAT")]
    pub speaks: Option<Speaks>,
    /// A whole message that the server answers, with escapes as in \r\n and \x05
    /// [default: one of what it speaks]
    // Not a Vec, which would be an option that is given more than once, a byte each time.
    #[arg(long, value_name = "TEXT", value_parser = unescape)]
    pub hello: Option<Box<[u8]>>,
    /// The folder of the server's certificates, with the key of their authority
    #[arg(long, value_name = "DIR", value_parser = folder)]
    pub certs: Option<PathBuf>,
    /// What noise is drawn from
    #[arg(long, value_name = "N", default_value_t = SEED)]
    pub seed: u64,
    /// End it after this long, a minute at most, as in 500ms, 5s
    #[arg(long = "for", value_name = "DURATION", value_parser = duration, default_value = "1m")]
    pub limit: Duration,
}

/// Where the proxy stands, and what its network does.
#[derive(Args)]
pub struct ProxyArgs {
    /// Where clients come; port 0 takes a free one
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:0", value_parser = address)]
    pub listen: SocketAddr,
    /// Where the server listens
    #[arg(long, value_name = "HOST:PORT", value_parser = address)]
    pub to: SocketAddr,
    #[command(flatten)]
    pub network: NetworkArgs,
    /// Write down everything that passes
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// Log clients; twice for more
    #[arg(short, long, action = ArgAction::Count)]
    pub verbose: u8,
}

fn fault(name: &str) -> Result<&'static Fault, String> {
    netfault::find(name).ok_or_else(|| "there is no such fault; `netfault list` shows them".into())
}

fn address(text: &str) -> Result<SocketAddr, String> {
    let mut addresses =
        text.to_socket_addrs().map_err(|error| format!("{error}, as in 127.0.0.1:9090"))?;
    addresses.next().ok_or_else(|| format!("{text} has no address"))
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
    fn bytes_are_read_as_they_are_written() {
        assert_eq!(unescape(r"\0\x05h\r\n\\").as_deref(), Ok(&b"\0\x05h\r\n\\"[..]));
        for wrong in [r"\q", r"\x1", r"\xzz", r"\"] {
            assert!(unescape(wrong).is_err(), "{wrong:?}");
        }
    }
}
