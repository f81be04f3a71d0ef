//! Every fault by its name, in the order in which a ladder of servers meets them.

use std::io;

use crate::Proof::{
    Answered, ClientServed, ClientServedOnce, Dropped, MessagesApart, Process, Refused,
};
use crate::Speaks::{Bytes, Datagrams, Frames, Http, Objects, Requests};
use crate::{Fault, Proof, Running, Speaks, Target, Transport, Treatment};
use crate::{crowd, http, messages, relay, replies, slow, tcp, udp};

const TCP: &[Speaks] = &[Bytes, Frames, Objects, Http];
const FRAMED: &[Speaks] = &[Frames, Objects];
const OBJECTS: &[Speaks] = &[Objects];
const HTTP: &[Speaks] = &[Http];
const UDP: &[Speaks] = &[Datagrams, Requests];
const ANY: &[Speaks] = &[Bytes, Frames, Objects, Http, Datagrams, Requests];

/// Every fault.
pub const ALL: &[Fault] = &[
    fault(
        "second-visit",
        "a client that came and went before the ordinary one",
        TCP,
        ClientServed,
        tcp::second_visit,
    ),
    fault(
        "connect-close",
        "100 clients that connect and close",
        TCP,
        ClientServed,
        tcp::connect_close,
    ),
    fault(
        "reset-midway",
        "a client that breaks off in the middle of a message",
        TCP,
        ClientServed,
        tcp::reset_midway,
    ),
    fault(
        "reset-before-accept",
        "100 clients that connect and reset, some before they are accepted",
        TCP,
        ClientServed,
        tcp::reset_before_accept,
    ),
    fault("random-bytes", "a client that sends noise", ANY, ClientServed, random_bytes),
    fault(
        "half-close",
        "a client that sends, closes its sending side, and then reads",
        TCP,
        Answered,
        replies::half_close,
    ),
    fault(
        "one-byte-segments",
        "a message of which each byte comes by itself",
        TCP,
        Answered,
        replies::one_byte_segments,
    ),
    fault("silent", "a client that connects and never sends", TCP, Dropped, slow::silent),
    fault("drip", "a client that sends a byte now and then, for ever", TCP, Dropped, slow::drip),
    fault(
        "never-reads",
        "a client that sends for ever and never reads the replies",
        TCP,
        Dropped,
        slow::never_reads,
    ),
    fault(
        "coalesced",
        "two messages that arrive in one segment",
        TCP,
        MessagesApart(2),
        replies::coalesced,
    ),
    fault(
        "cut-mid-message",
        "a client that closes in the middle of a message",
        TCP,
        Refused,
        messages::cut_mid_message,
    ),
    fault(
        "oversize-length",
        "a length far past the limit",
        FRAMED,
        Refused,
        messages::oversize_length,
    ),
    fault(
        "pickle",
        "a whole message that is a program for Python's pickle",
        FRAMED,
        Refused,
        messages::pickle,
    ),
    fault(
        "wrong-version",
        "a value of another version of the protocol",
        OBJECTS,
        Refused,
        messages::wrong_version,
    ),
    fault(
        "trailing-bytes",
        "a value with bytes behind its end",
        OBJECTS,
        Refused,
        messages::trailing_bytes,
    ),
    fault("deep-nesting", "lists inside lists, 40 deep", OBJECTS, Refused, messages::deep_nesting),
    fault(
        "huge-claim",
        "a short message that claims a text of 64 GiB",
        OBJECTS,
        Refused,
        messages::huge_claim,
    ),
    fault(
        "second-client",
        "a client that has been answered and stays, idle",
        ANY,
        ClientServed,
        second_client,
    ),
    fault(
        "many-idle",
        "1,000 clients that stay connected, idle",
        TCP,
        ClientServed,
        crowd::many_idle,
    ),
    fault(
        "out-of-descriptors",
        "more connections than the server may have open files",
        TCP,
        Process(Treatment::FewDescriptors),
        crowd::many_idle,
    ),
    fault("endless-line", "a request line that does not end", HTTP, Answered, http::endless_line),
    fault("endless-head", "a head that does not end", HTTP, Answered, http::endless_head),
    fault(
        "two-lengths",
        "a request with two lengths, which proxies smuggle by",
        HTTP,
        Answered,
        http::two_lengths,
    ),
    fault("no-host", "a request without a Host", HTTP, Answered, http::no_host),
    fault(
        "strange-host",
        "a request for another site, as in DNS rebinding",
        HTTP,
        Answered,
        http::strange_host,
    ),
    fault("old-dialect", "a request in the manner of HTTP/0.9", HTTP, Answered, http::old_dialect),
    fault("bad-chunk", "a body whose chunks are not framed right", HTTP, Answered, http::bad_chunk),
    fault("unread-body", "a large body that nobody asked for", HTTP, Answered, http::unread_body),
    fault("empty-datagram", "a datagram without a byte", UDP, ClientServed, udp::empty_datagram),
    fault(
        "largest-datagram",
        "a datagram of 65,507 bytes, the most there is",
        UDP,
        ClientServed,
        udp::largest_datagram,
    ),
    fault("not-utf8", "a datagram that is not text", UDP, ClientServed, udp::not_utf8),
    fault(
        "interleaved",
        "20 clients whose datagrams come in turns",
        UDP,
        Answered,
        udp::interleaved,
    ),
    fault(
        "nobody-listening",
        "clients that are gone before their replies come",
        UDP,
        ClientServed,
        udp::nobody_listening,
    ),
    fault("delay", "a network that takes 50 ms each way", UDP, ClientServed, relay::delay),
    fault("loss", "a network that loses the first reply", UDP, ClientServedOnce, relay::loss),
    fault(
        "duplicate",
        "a network that delivers each datagram twice",
        UDP,
        ClientServedOnce,
        relay::duplicate,
    ),
    fault(
        "reorder",
        "a network where the first request arrives after the next one",
        UDP,
        ClientServedOnce,
        relay::reorder,
    ),
    fault("truncated", "a reply of which half arrives", UDP, ClientServed, relay::truncated),
    fault(
        "stranger",
        "a reply from somebody who was not asked",
        UDP,
        ClientServed,
        relay::stranger,
    ),
    Fault {
        // The one text ends with the other.
        words: &["one more", "more"],
        ..fault(
            "late-reply",
            "the reply to an earlier message, just when the next one is sent",
            UDP,
            ClientServed,
            relay::late_reply,
        )
    },
    fault(
        "stop-while-busy",
        "a stop (SIGTERM) with clients connected, one of them in mid-message",
        TCP,
        Process(Treatment::Stop),
        crowd::in_conversation,
    ),
    fault(
        "stop-while-idle",
        "a stop (SIGTERM) while nobody is there",
        ANY,
        Process(Treatment::Stop),
        nothing,
    ),
    fault(
        "restart",
        "a stop and a start on the same port at once",
        ANY,
        Process(Treatment::Restart),
        nothing,
    ),
    fault(
        "port-taken",
        "a port that another server has",
        ANY,
        Process(Treatment::PortTaken),
        nothing,
    ),
    fault("low-port", "a port that needs privileges", ANY, Process(Treatment::LowPort), nothing),
    fault(
        "bad-host",
        "an address to listen on that is none",
        ANY,
        Process(Treatment::BadHost),
        nothing,
    ),
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
    Fault { name, about, proof, words: &[], speaks, start }
}

fn nothing(target: &Target) -> io::Result<Running> {
    Ok(Running::nothing(target.address))
}

fn second_client(target: &Target) -> io::Result<Running> {
    match target.speaks.transport() {
        Transport::Tcp => crowd::second_client(target),
        Transport::Udp => udp::second_client(target),
    }
}

fn random_bytes(target: &Target) -> io::Result<Running> {
    match target.speaks.transport() {
        Transport::Tcp => tcp::random_bytes(target),
        Transport::Udp => udp::random_bytes(target),
    }
}
