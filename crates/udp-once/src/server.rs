//! The server: runs each request when it comes first, and answers from memory when it
//! comes again.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::time::Instant;

use netcore::datagrams::{BUFFER, Datagrams, answer_for};
use netcore::log::payload;
use netcore::request::Message;
use netcore::shares::Shares;
use netcore::shutdown::Shutdown;

use crate::{Echo, MAX_MESSAGE};

/// The last request of each client and the reply to it. A client is one session at one
/// address and port.
///
/// One reply is enough: a client that sends its next request has no use for the last reply
/// any more.
pub type Memory = Shares<(SocketAddr, u64), (u64, Vec<u8>)>;

/// Answers requests until `shutdown` is told to stop.
///
/// There is nothing to accept and no client to wait for: each datagram comes with the
/// address of its sender.
///
/// # Errors
/// What receive says when no further datagram could be received. A reply that cannot be
/// sent is logged and lost, as the network may lose any: its client will ask again.
pub fn serve(socket: UdpSocket, service: &Echo, shutdown: &Shutdown) -> io::Result<()> {
    let datagrams = Datagrams::new(socket, shutdown)?;
    let mut buf = vec![0; BUFFER];
    let mut memory = Memory::new(service.bounds.clone());
    log::info!("waiting for datagrams");
    while let Some((n, peer)) = datagrams.receive(&mut buf)? {
        let answer = || answer(service, &mut memory, &buf[..n], peer, Instant::now());
        let Some(answer) = answer_for(peer, answer) else { continue };
        // Nobody has checked that the sender's address is the sender's. On an open network, a
        // reply longer than its request helps to flood a third party, and two echo
        // servers can be set on each other for ever.
        datagrams.send(&answer, peer);
    }
    Ok(())
}

/// The datagram that answers `datagram`, which `peer` has sent and which came `now`.
/// `None` where there is nothing to say: a client that is not answered asks again.
pub fn answer(
    service: &Echo,
    memory: &mut Memory,
    datagram: &[u8],
    peer: SocketAddr,
    now: Instant,
) -> Option<Vec<u8>> {
    let Some(request) = Message::request_in(datagram) else {
        log::warn!("{peer} dropped: {} bytes that are no request", datagram.len());
        return None;
    };
    if request.payload.len() > MAX_MESSAGE {
        log::warn!("{peer} dropped: a request whose reply would not fit into a datagram");
        return None;
    }
    let Message { attempt, session, id, payload: asked, .. } = request;
    let Some(share) = memory.of(peer, now) else {
        log::warn!("{peer} dropped: no place to remember another address");
        return None;
    };
    let answer = match share.get(&(peer, session)) {
        Some((last, reply)) if *last == id => {
            log::info!("{peer} asked again, try {attempt} of request {id}: it has run already");
            reply.clone()
        }
        // It was delayed on its way.
        Some((last, _)) if *last > id => {
            log::info!("{peer} ignored try {attempt} of request {id}: nobody waits for it");
            return None;
        }
        _ => {
            log::debug!("{peer} received {} bytes {}", asked.len(), payload(asked));
            let answer = service.reply(asked);
            share.put((peer, session), (id, answer.clone()), answer.len());
            answer
        }
    };
    log::debug!("{peer} sending {} bytes {}", answer.len(), payload(&answer));
    Some(request.reply(&answer).encode())
}
