//! Where the drafts live when one machine is not enough: on servers of
//! [NATS](https://docs.nats.io/nats-concepts/jetstream), which agree on each change by a majority. What is said of
//! them on the command line; the engine itself is `nats.rs`, behind the feature `nats`.

use crate::replica::address;

/// Their addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Servers(pub Vec<(String, u16)>);

/// Addresses as they are written on the command line.
///
/// # Errors
/// A sentence for clap to show.
pub fn servers(text: &str) -> Result<Servers, String> {
    if text.contains('@') {
        // Everybody on the machine can read a command line.
        return Err("a secret of NATS comes from the environment, in NATS_TOKEN".into());
    }
    let one = |text: &str| address(text.strip_prefix("nats://").unwrap_or(text));
    let rest = text.strip_prefix("nats://").ok_or("it begins with nats://")?;
    Ok(Servers(rest.split(',').map(one).collect::<Result<_, _>>()?))
}

/// The name of a bucket, which is part of a subject of NATS.
///
/// # Errors
/// A sentence for clap to show.
pub fn bucket(text: &str) -> Result<String, String> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    match (1..=64).contains(&text.len()) && text.bytes().all(is_allowed) {
        true => Ok(text.into()),
        false => Err("a bucket is named by letters, digits, - and _".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_what_is_none_and_no_secret_is_taken() {
        let three = servers("nats://a:1,b:2,nats://[::1]:3").unwrap();
        let named = |host: &str, port| (host.to_string(), port);
        assert_eq!(three.0, [named("a", 1), named("b", 2), named("[::1]", 3)]);
        for wrong in ["", "a:1", "nats://", "nats://a", "nats://a:1,", "nats://a:x", "tls://a:1"] {
            assert!(servers(wrong).is_err(), "{wrong}");
        }
        assert!(servers("nats://ann:secret@a:1").unwrap_err().contains("NATS_TOKEN"));
        for wrong in ["", "a.b", "a b", "*", ">", &"x".repeat(65)] {
            assert!(bucket(wrong).is_err(), "{wrong}");
        }
    }
}
