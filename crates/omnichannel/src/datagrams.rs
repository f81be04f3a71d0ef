//! The channel of those who say little, now and then: one datagram asks, one answers.
//!
//! A datagram is the header of [`netcore::request`] and one message as in a frame. Its
//! session and number are what the request is known by when it comes again, kept in the store
//! together with its effect: so also after a restart it has one effect.
//!
//! An address proves nothing, so nothing is kept for one, and each request proves its account
//! itself. To an address that has proven nothing, no reply is longer than its request.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use netcore::codec::{Codec, DEPTH};
use netcore::datagrams::{BUFFER, Datagrams, answer_for};
use netcore::request::Message;

use crate::message::{Ask, Reply, Request, VERSION, Why};
use crate::metrics::Channel;
use crate::service::{Service, reply_to};

/// Bytes of a text that goes into a datagram: with what is around it, it crosses every
/// network in one piece. Of one in pieces, all are lost with any.
pub const LONGEST: usize = 1000;

/// Messages as they come: longer ones are told so.
const CODEC: Codec = Codec::new(VERSION, BUFFER, DEPTH);

/// Answers requests until there is a stop.
///
/// # Errors
/// What receive says when no further datagram could be received.
pub fn serve(datagrams: Datagrams, service: &Service) -> io::Result<()> {
    let datagrams = Arc::new(datagrams);
    let mut buf = vec![0; BUFFER];
    while let Some((n, peer)) = datagrams.receive(&mut buf)? {
        let Some(message) = Message::request_in(&buf[..n]) else {
            log::warn!("{peer} dropped: {n} bytes that are no request");
            continue;
        };
        answer_for(peer, || {
            answer(&datagrams, service, &message, peer);
            Some(())
        });
    }
    Ok(())
}

/// Does not wait for the disk: who reads is answered meanwhile.
fn answer(datagrams: &Arc<Datagrams>, service: &Service, message: &Message, peer: SocketAddr) {
    let (begun, most) = match begin(service, message, peer) {
        Ok(begun) => (begun, BUFFER),
        // Whose address it is, nobody knows: a forged one is not flooded by what it gets.
        Err(why) => (Err(Reply::Refused(why)), message.payload.len()),
    };
    let Message { kind, attempt, session, id, .. } = *message;
    let datagrams = Arc::clone(datagrams);
    let answer = move |reply| {
        let mut encoded = Vec::new();
        match CODEC.encode(&fitting(reply), &mut encoded) {
            Ok(()) if encoded.len() > most => {
                log::warn!("{peer} dropped: a request of {most} bytes")
            }
            Ok(()) => {
                let asked = Message { kind, attempt, session, id, payload: b"" };
                datagrams.send(&asked.reply(&encoded).encode(), peer);
            }
            Err(error) => log::error!("{peer} dropped: {error}"),
        }
    };
    match begun {
        Ok(effect) => {
            let done = Box::new(move |outcome| answer(reply_to(outcome)));
            if !service.writer.write_later(effect, done) {
                log::warn!("{peer} dropped: too much waits to be written");
            }
        }
        Err(reply) => answer(reply),
    }
}

/// What has to be written before there is a reply, or the reply.
type Begun = Result<crate::store::Effect, Reply>;

fn begin(service: &Service, message: &Message, peer: SocketAddr) -> Result<Begun, Why> {
    let request = CODEC.decode(message.payload).map_err(|error| Why::NoRequest(error.into()))?;
    let Request { token, key, ask } = request;
    let account = service.prove(&token.0, Channel::Udp)?;
    log::debug!("{peer} is {account}, over datagrams: {ask}");
    let length = ask.text().len();
    if length > LONGEST {
        return Err(Why::TooLong { length: length as u64, most: LONGEST as u64 });
    }
    // A session has a random number, so this is a name that no other request has.
    let key = key.unwrap_or_else(|| format!("{:016x}-{:x}", message.session, message.id));
    Ok(match ask {
        // Whoever has lost the answer asks from the same revision again: nothing is kept.
        Ask::Follow { since } => Err(match service.has_come_to(account, since) {
            Ok(()) => service.next(account, since, 0),
            Err(why) => Reply::Refused(why),
        }),
        ask => service.begin(account, Some(key), ask),
    })
}

/// The reply, or that it does not fit into a datagram.
fn fitting(reply: Reply) -> Reply {
    let length = match &reply {
        Reply::Draft(draft) | Reply::Conflict(draft) => draft.text.as_ref().map_or(0, String::len),
        Reply::Changes(changes) => {
            changes.iter().filter_map(|change| change.draft.text.as_ref()).map(String::len).sum()
        }
        _ => 0,
    };
    match length > LONGEST {
        true => Reply::Refused(Why::TooLong { length: length as u64, most: LONGEST as u64 }),
        false => reply,
    }
}
