//! The Host header: its grammar, and which names a server on loopback answers to.
//!
//! A web page can make a browser of this machine connect to 127.0.0.1 under the page's
//! own name, by changing what the name resolves to (DNS rebinding), and then read what
//! a local server shows. The browser still sends that name in Host, which gives it
//! away.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

/// The end of every name that belongs to this machine (RFC 6761 section 6.3).
const BELOW_LOCALHOST: &[u8] = b".localhost";

/// Whether `value` is a host with an optional port (RFC 9110 section 7.2), or empty, as
/// for a target without one. A port of no host is neither (section 4.2.1).
pub fn is_valid(value: &[u8]) -> bool {
    let (host, port) = split(value);
    let is_port = |port: &[u8]| port.len() <= 5 && port.iter().all(u8::is_ascii_digit);
    if !port.is_none_or(is_port) {
        return false;
    }
    match host.strip_prefix(b"[") {
        _ if host.is_empty() => port.is_none(),
        Some(literal) => literal.strip_suffix(b"]").is_some_and(is_ipv6),
        None => is_name(host),
    }
}

/// Whether `host` is what Host says of a machine: a name without a port, in ASCII.
pub fn is_plain_name(host: &str) -> bool {
    !host.is_empty() && is_name(host.as_bytes())
}

/// An address as Host and URLs have it, with its port. What its text has beside the address is
/// left out: the zone of a link-local one is a number of this machine alone
/// ([RFC 6874 section 4](https://www.rfc-editor.org/rfc/rfc6874#section-4)), and an IPv4 address that is written as
/// IPv6 is known by its own form.
pub fn of(address: SocketAddr) -> String {
    SocketAddr::new(address.ip().to_canonical(), address.port()).to_string()
}

/// The host without its port.
pub fn without_port(value: &[u8]) -> &[u8] {
    split(value).0
}

/// Whether a server that listens on loopback only answers to this Host: IP literals,
/// `localhost`, names below it, and `allowed` ones. `*` in `allowed` is every name.
pub fn is_local(value: &[u8], allowed: &[String]) -> bool {
    let host = without_port(value);
    let host = host.strip_suffix(b".").unwrap_or(host);
    // Nothing is allocated: this is asked for each request.
    let below = host.len().checked_sub(BELOW_LOCALHOST.len()).map(|at| &host[at..]);
    host.is_empty()
        || host.starts_with(b"[")
        || host.eq_ignore_ascii_case(b"localhost")
        || below.is_some_and(|end| end.eq_ignore_ascii_case(BELOW_LOCALHOST))
        || str::from_utf8(host).is_ok_and(|host| host.parse::<Ipv4Addr>().is_ok())
        || allowed.iter().any(|name| name == "*" || name.as_bytes().eq_ignore_ascii_case(host))
}

/// Host and port, apart. The colons inside `[...]` belong to the host.
fn split(value: &[u8]) -> (&[u8], Option<&[u8]>) {
    let after_literal = value.iter().rposition(|&byte| byte == b']').map_or(0, |end| end + 1);
    match value[after_literal..].iter().position(|&byte| byte == b':') {
        Some(colon) => (&value[..after_literal + colon], Some(&value[after_literal + colon + 1..])),
        None => (value, None),
    }
}

fn is_ipv6(literal: &[u8]) -> bool {
    str::from_utf8(literal).is_ok_and(|literal| literal.parse::<Ipv6Addr>().is_ok())
}

/// reg-name of RFC 3986 section 3.2.2. A percent sign stands before two digits.
fn is_name(host: &[u8]) -> bool {
    let is_escape = |digits: &[u8]| digits.iter().all(u8::is_ascii_hexdigit);
    host.iter().enumerate().all(|(at, &byte)| match byte {
        b'%' => host.get(at + 1..at + 3).is_some_and(is_escape),
        byte => byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(&byte),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_with_and_without_port_are_valid() {
        for host in
            ["a", "a:80", "127.0.0.1:8000", "[::1]", "[::1]:80", "", "a.b-c", "a:", "a%c3%A9:80"]
        {
            assert!(is_valid(host.as_bytes()), "{host:?}");
        }
        for host in [
            "a b",
            "a:b",
            "a:80:80",
            ":80",
            ":",
            "[::1",
            "::1",
            "a/b",
            "u@a",
            "[zz]",
            "a\t",
            "a,b:999999",
            "я",
            "a%zz",
            "a%",
            "a%4",
            "%%41",
            "a%4g:80",
            "[fe80::1%25eth0]",
            "[::1]a",
        ] {
            assert!(!is_valid(host.as_bytes()), "{host:?}");
        }
        for host in ["a", "my.test", "xn--e1aybc.test"] {
            assert!(is_plain_name(host), "{host:?}");
        }
        for host in ["", "a:80", "http://a", "[::1]", "a/", "я"] {
            assert!(!is_plain_name(host), "{host:?}");
        }
    }

    #[test]
    fn an_address_is_told_without_what_only_this_machine_knows() {
        let of = |text: &str| of(text.parse().unwrap());
        assert_eq!(of("127.0.0.1:80"), "127.0.0.1:80");
        assert_eq!(of("[::1]:80"), "[::1]:80");
        assert_eq!(of("[fe80::1%3]:80"), "[fe80::1]:80");
        assert_eq!(of("[::ffff:10.0.0.1]:80"), "10.0.0.1:80");
    }

    #[test]
    fn on_loopback_a_strange_name_is_not_local() {
        for host in [
            "localhost",
            "LOCALHOST:1",
            "app.localhost",
            "127.0.0.1:80",
            "[::1]:80",
            "10.1.2.3",
            "localhost.",
        ] {
            assert!(is_local(host.as_bytes(), &[]), "{host:?}");
        }
        for host in
            ["evil.example", "localhost.evil.example", "notlocalhost", "127.0.0.1.evil.example"]
        {
            assert!(!is_local(host.as_bytes(), &[]), "{host:?}");
        }
        assert!(is_local(b"My.Test:80", &["my.test".into()]));
        assert!(is_local(b"anything", &["*".into()]));
    }
}
