//! The server: receives a request, answers its sender, and receives the next, whoever
//! sent it.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicU64, Ordering};

use clap::Args;
use netcore::datagrams::{BUFFER, Datagrams, answer_for};
use netcore::log::payload;
use netcore::request::Message;
use netcore::shutdown::Shutdown;

/// What the server does: the place for the state of a server of your own.
#[derive(Debug, Default, Args)]
pub struct Echo {
    /// Requests that have run so far.
    #[arg(skip)]
    runs: AtomicU64,
}

/// Answers requests until `shutdown` is told to stop.
///
/// There is nothing to accept and no client to wait for: each datagram comes with the
/// address of its sender.
///
/// # Errors
/// What receive says when no further datagram could be received. A reply that cannot be
/// sent is logged and lost, as the network may lose any: its client will ask again.
pub fn serve(socket: UdpSocket, echo: &Echo, shutdown: &Shutdown) -> io::Result<()> {
    let datagrams = Datagrams::new(socket, shutdown)?;
    let mut buf = vec![0; BUFFER];
    log::info!("waiting for datagrams");
    while let Some((n, peer)) = datagrams.receive(&mut buf)? {
        let Some(answer) = answer_for(peer, || echo.answer(&buf[..n], peer)) else { continue };
        // Nobody has checked that the sender's address is the sender's. On an open network, a
        // reply longer than its request helps to flood a third party, and two echo
        // servers can be set on each other for ever.
        datagrams.send(&answer, peer);
    }
    Ok(())
}

impl Echo {
    /// The datagram that answers `datagram`. `None` where there is nothing to say: a
    /// client that is not answered asks again.
    pub fn answer(&self, datagram: &[u8], peer: SocketAddr) -> Option<Vec<u8>> {
        let Some(request) = Message::request_in(datagram) else {
            log::warn!("{peer} dropped: {} bytes that are no request", datagram.len());
            return None;
        };
        log::debug!("{peer} received {} bytes {}", request.payload.len(), payload(request.payload));
        let answer = self.reply(request.payload);
        log::debug!("{peer} sending {} bytes {}", answer.len(), payload(&answer));
        Some(request.reply(&answer).encode())
    }

    /// Turns what was received into the reply. This one is to be seen running, so each
    /// run takes the next number.
    fn reply(&self, received: &[u8]) -> Vec<u8> {
        let run = self.runs.fetch_add(1, Ordering::Relaxed) + 1;
        // Bytes, not text: a datagram that is not UTF-8 is no reason to stop.
        [format!("{run}: ").as_bytes(), received].concat()
    }
}
