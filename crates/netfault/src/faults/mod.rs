//! Every fault by its name, in the order in which a ladder of servers meets them.
//!
//! A fault is one constant and one function below it, in the file of its kind. A new one
//! is those two, and one line in [`ALL`].

use std::io;

use crate::Speaks::{
    Api, Bytes, Datagrams, Frames, Gossip, Http, Lines, Local, Login, Objects, Requests, Tls,
};
use crate::{Fault, Proof, Running, Speaks, Target};

pub(crate) mod api;
pub(crate) mod crowd;
pub(crate) mod datagrams;
pub(crate) mod ending;
pub(crate) mod gossip;
#[cfg(feature = "tls")]
pub(crate) mod handshakes;
#[cfg(not(feature = "tls"))]
#[path = "no_tls.rs"]
pub(crate) mod handshakes;
pub(crate) mod http;
#[cfg(feature = "tls")]
mod inside;
#[cfg(not(feature = "tls"))]
use handshakes as inside;
pub(crate) mod login;
#[cfg(feature = "tls")]
mod logins;
#[cfg(not(feature = "tls"))]
use handshakes as logins;
pub(crate) mod messages;
pub(crate) mod networks;
pub(crate) mod places;
pub(crate) mod process;
pub(crate) mod replies;
pub(crate) mod room;
pub(crate) mod slow;
pub(crate) mod tls;
pub(crate) mod visitors;

/// What speaks over connections.
const TCP: &[Speaks] = &[Bytes, Local, Frames, Objects, Lines, Http, Api, Tls, Login];
/// The same, and a client can reset before it is accepted: on a UNIX socket only what has been
/// left unread makes a reset of a close, and nothing has been said to it yet.
const RESET: &[Speaks] = &[Bytes, Frames, Objects, Lines, Http, Api, Tls, Login];
/// What can be read as well, by anybody.
const READABLE: &[Speaks] = &[Bytes, Local, Frames, Objects, Lines, Http, Api];
/// What speaks over connections and has messages whose end is not that of the stream.
const ENDED: &[Speaks] = &[Bytes, Local, Frames, Objects, Http, Api, Tls, Login];
/// What sends bytes back, in the open or not.
const ECHOES: &[Speaks] = &[Bytes, Local, Tls, Login];
const LOCAL: &[Speaks] = &[Local];
const FRAMED: &[Speaks] = &[Frames, Objects];
const OBJECTS: &[Speaks] = &[Objects];
const LINES: &[Speaks] = &[Lines];
const HTTP: &[Speaks] = &[Http, Api];
/// What anybody's browser asks.
const PAGES: &[Speaks] = &[Http];
const API: &[Speaks] = &[Api];
const TLS: &[Speaks] = &[Tls];
const ENCRYPTED: &[Speaks] = &[Tls, Login];
const LOGIN: &[Speaks] = &[Login];
const UDP: &[Speaks] = &[Datagrams, Requests];
/// The same, and what does more than answer.
const ANY_UDP: &[Speaks] = &[Datagrams, Requests, Gossip];
const GOSSIP: &[Speaks] = &[Gossip];
const ANY: &[Speaks] =
    &[Bytes, Local, Frames, Objects, Lines, Http, Api, Tls, Login, Datagrams, Requests, Gossip];

/// Every fault.
pub const ALL: &[Fault] = &[
    visitors::SECOND_VISIT,
    visitors::CONNECT_CLOSE,
    visitors::RESET_MIDWAY,
    visitors::RESET_BEFORE_ACCEPT,
    visitors::RANDOM_BYTES,
    replies::HALF_CLOSE,
    replies::ONE_BYTE_SEGMENTS,
    slow::SILENT,
    slow::DRIP,
    slow::NEVER_READS,
    replies::COALESCED,
    messages::CUT_MID_MESSAGE,
    messages::OVERSIZE_LENGTH,
    messages::PICKLE,
    messages::WRONG_VERSION,
    messages::TRAILING_BYTES,
    messages::DEEP_NESTING,
    messages::HUGE_CLAIM,
    room::LINE_WITHOUT_END,
    room::ESCAPE_SEQUENCES,
    room::DEAF_MEMBER,
    room::LEAVE_AT_ONCE,
    crowd::SECOND_CLIENT,
    crowd::MANY_IDLE,
    crowd::VERY_MANY_IDLE,
    crowd::VERY_MANY_DRIP,
    process::OUT_OF_DESCRIPTORS,
    process::NO_THREADS,
    places::FULL_HOUSE,
    places::FAR_AWAY,
    http::ENDLESS_LINE,
    http::ENDLESS_HEAD,
    http::TWO_LENGTHS,
    http::NO_HOST,
    http::STRANGE_HOST,
    http::OLD_DIALECT,
    http::BAD_CHUNK,
    http::UNREAD_BODY,
    api::DRIPPED_BODY,
    api::LYING_LENGTH,
    api::GZIP_BOMB,
    api::ENDLESS_BODY,
    api::HTML_ANSWER,
    api::COME_BACK_LATER,
    api::ODD_RETRY_AFTER,
    api::FOREIGN_REDIRECT,
    api::REDIRECT_LOOP,
    tls::EAVESDROPPER,
    tls::PLAIN_TEXT,
    tls::NO_GOODBYE,
    tls::NO_CERTIFICATE,
    tls::FOREIGN_CERTIFICATE,
    tls::EXPIRED_CERTIFICATE,
    login::WRONG_SECRET,
    login::REPLAYED_LOGIN,
    datagrams::EMPTY_DATAGRAM,
    datagrams::LARGEST_DATAGRAM,
    datagrams::NOT_UTF8,
    datagrams::INTERLEAVED,
    datagrams::NOBODY_LISTENING,
    networks::DELAY,
    networks::LOSS,
    networks::DUPLICATE,
    networks::REORDER,
    networks::TRUNCATED,
    networks::STRANGER,
    networks::LATE_REPLY,
    datagrams::GREEDY_ADDRESS,
    gossip::UNPROVEN_ADDRESS,
    gossip::FORGED_NODES,
    process::BIG_MESSAGE,
    process::DEAF_LOG,
    ending::SPEAKS_AT_THE_END,
    process::STOP_WHILE_BUSY,
    process::STOP_WHILE_IDLE,
    process::RESTART,
    process::PORT_TAKEN,
    process::LOW_PORT,
    process::BAD_HOST,
    process::ANOTHER_USER,
    process::KILLED,
];

/// The fault of this name.
pub fn find(name: &str) -> Option<&'static Fault> {
    ALL.iter().find(|fault| fault.name == name)
}

const fn fault(
    name: &'static str,
    about: &'static str,
    speaks: &'static [Speaks],
    proof: Proof,
    start: fn(&Target) -> io::Result<Running>,
) -> Fault {
    Fault { name, about, proof, words: &[], files: 0, speaks, start }
}

/// One with so many clients at once.
const fn crowded(fault: Fault, clients: usize) -> Fault {
    Fault { files: clients as u64, ..fault }
}
