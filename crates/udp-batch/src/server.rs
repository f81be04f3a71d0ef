//! The server: receives the datagrams that are there, answers their senders, and
//! receives the next, whoever sent them.

use std::io;
use std::net::{SocketAddr, UdpSocket};

use netcore::batch::{self, Inbox, Offload};
use netcore::datagrams::answer_for;
use netcore::log::payload;
use netcore::shutdown::Shutdown;

use crate::Echo;
use crate::outbox::Outbox;

/// Answers datagrams until `shutdown` is told to stop.
///
/// There is nothing to accept and no client to wait for: each datagram comes with the
/// address of its sender.
///
/// # Errors
/// What receive says when no further datagram could be received. One that cannot be
/// answered is logged and lost, as the network may lose any.
pub fn serve(socket: UdpSocket, service: &Echo, shutdown: &Shutdown) -> io::Result<()> {
    // Asks the system for offload, and makes the socket non-blocking.
    let offload = Offload::new((&socket).into())?;
    let (mut inbox, mut outbox) = (Inbox::default(), Outbox::default());
    let send = |peer, datagrams: &[u8], length| {
        batch::send(&socket, &offload, peer, datagrams, length);
    };
    log::info!("waiting for datagrams");
    while inbox.receive(&socket, &offload, shutdown)? {
        for (datagram, peer) in inbox.datagrams() {
            let answer = answer_for(peer, || answer(service, datagram, peer));
            let Some(answer) = answer else { continue };
            // Nobody has checked that the sender's address is the sender's. On an open network, a
            // reply longer than its request helps to flood a third party, and two echo
            // servers can be set on each other for ever.
            if !outbox.takes(peer, answer.len(), offload.max_gso_segments()) {
                outbox.flush(send);
            }
            outbox.push(peer, &answer);
        }
        // Nobody waits for more to come: what was there is answered now.
        outbox.flush(send);
    }
    Ok(())
}

fn answer(service: &Echo, datagram: &[u8], peer: SocketAddr) -> Option<Vec<u8>> {
    log::debug!("{peer} received {} bytes {}", datagram.len(), payload(datagram));
    let answer = service.reply(datagram);
    log::debug!("{peer} sending {} bytes {}", answer.len(), payload(&answer));
    Some(answer)
}
