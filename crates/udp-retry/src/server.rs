//! The server: receives a request, answers its sender, and receives the next, whoever
//! sent it.

use std::io;
use std::net::{SocketAddr, UdpSocket};

use netcore::datagrams::{BUFFER, Datagrams, answer_for};
use netcore::log::payload;
use netcore::request::Message;
use netcore::shutdown::Shutdown;

use crate::Echo;

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

/// The datagram that answers `datagram`. `None` where there is nothing to say: a
/// client that is not answered asks again.
pub fn answer(service: &Echo, datagram: &[u8], peer: SocketAddr) -> Option<Vec<u8>> {
    let Some(request) = Message::request_in(datagram) else {
        log::warn!("{peer} dropped: {} bytes that are no request", datagram.len());
        return None;
    };
    log::debug!("{peer} received {} bytes {}", request.payload.len(), payload(request.payload));
    let answer = service.reply(request.payload);
    log::debug!("{peer} sending {} bytes {}", answer.len(), payload(&answer));
    Some(request.reply(&answer).encode())
}
