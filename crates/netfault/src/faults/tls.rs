//! What goes wrong with a handshake, with the end of a conversation in TLS, and with who
//! is at the other end.

use std::io::{self, Write};
use std::net::{Ipv4Addr, TcpListener};

use super::replies::listen_after;
use super::{ENCRYPTED, TLS, fault, handshakes};
use crate::Proof::{Refused, Unread};
use crate::peer::connect;
use crate::proxy::{Network, Proxy, record};
use crate::stream::name;
use crate::{Fault, Running, Target};

/// What the client says that speaks no TLS.
const WORDS: &[u8] = b"hello";

/// Between the client and the server, with ears.
pub const EAVESDROPPER: Fault = fault(
    "eavesdropper",
    "somebody on the way who reads everything that passes",
    ENCRYPTED,
    Unread,
    eavesdropper,
);

fn eavesdropper(target: &Target) -> io::Result<Running> {
    let (recorder, recorded) = record::recorder();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let proxy =
        Proxy::streams(listener, target.address.clone(), &Network::default(), Some(recorder))?;
    Ok(Running::overhearing(proxy, recorded))
}

/// Says something, readable.
pub const PLAIN_TEXT: Fault =
    fault("plain-text", "a client that does not speak TLS", ENCRYPTED, Refused, plain_text);

fn plain_text(target: &Target) -> io::Result<Running> {
    let stream = connect(target)?;
    let peer = name(&stream)?;
    let (reply, _) = listen_after(&stream, |timed| timed.write_all(WORDS)).unwrap_or_default();
    let reply = String::from_utf8_lossy(&reply);
    let verdict = match reply.contains("TLS") {
        true => Ok(format!("was told {:?}", reply.trim_end())),
        false => Err(format!("was not told that it has to speak TLS, but {reply:?}")),
    };
    Ok(Running::judged(&target.address, vec![peer], verdict))
}

/// Says something and closes the connection, without the word that it is the end.
pub const NO_GOODBYE: Fault = fault(
    "no-goodbye",
    "a client in TLS that closes without close_notify, as if it were cut off",
    TLS,
    Refused,
    handshakes::no_goodbye,
);

/// Shows nothing, where something has to be shown.
pub const NO_CERTIFICATE: Fault = fault(
    "no-certificate",
    "a client that shows no certificate",
    TLS,
    Refused,
    handshakes::no_certificate,
);

/// Shows one that it has signed itself.
pub const FOREIGN_CERTIFICATE: Fault = fault(
    "foreign-certificate",
    "a client whose certificate is of another authority",
    TLS,
    Refused,
    handshakes::foreign_certificate,
);

/// Shows one that was good once.
pub const EXPIRED_CERTIFICATE: Fault = fault(
    "expired-certificate",
    "a client whose certificate has expired",
    TLS,
    Refused,
    handshakes::expired_certificate,
);
