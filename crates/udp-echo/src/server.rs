//! The server: receives a datagram, answers its sender, and receives the next, whoever
//! sent it.

use std::io;
use std::net::{SocketAddr, UdpSocket};

use netcore::datagrams::{BUFFER, Datagrams, answer_for};
use netcore::log::payload;
use netcore::shutdown::Shutdown;

use crate::Echo;

/// Answers datagrams until `shutdown` is told to stop.
///
/// There is nothing to accept and no client to wait for: each datagram comes with the
/// address of its sender.
///
/// # Errors
/// What receive says when no further datagram could be received. One that cannot be
/// answered is logged and lost, as the network may lose any.
pub fn serve(socket: UdpSocket, service: &Echo, shutdown: &Shutdown) -> io::Result<()> {
    let datagrams = Datagrams::new(socket, shutdown)?;
    let mut buf = vec![0; BUFFER];
    log::info!("waiting for datagrams");
    while let Some((n, peer)) = datagrams.receive(&mut buf)? {
        let Some(answer) = answer_for(peer, || answer(service, &buf[..n], peer)) else { continue };
        // Nobody has checked that the sender's address is the sender's. On an open network, a
        // reply longer than its request helps to flood a third party, and two echo
        // servers can be set on each other for ever.
        datagrams.send(&answer, peer);
    }
    Ok(())
}

fn answer(service: &Echo, datagram: &[u8], peer: SocketAddr) -> Option<Vec<u8>> {
    log::debug!("{peer} received {} bytes {}", datagram.len(), payload(datagram));
    let answer = service.reply(datagram);
    log::debug!("{peer} sending {} bytes {}", answer.len(), payload(&answer));
    Some(answer)
}
