//! The server: receives a datagram, answers its sender, and receives the next, whoever
//! sent it.

use std::ffi::OsString;
use std::io;
use std::net::{SocketAddr, UdpSocket};

use clap::Args;
use netcore::datagrams::{BUFFER, Datagrams, answer_for};
use netcore::log::payload;
use netcore::shutdown::Shutdown;

/// What the server does: the place for the state of a server of your own.
#[derive(Debug, Default, Args)]
pub struct Echo {
    /// Put this before each reply
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub prefix: OsString,
}

/// Answers datagrams until `shutdown` is told to stop.
///
/// There is nothing to accept and no client to wait for: each datagram comes with the
/// address of its sender.
///
/// # Errors
/// What receive says when no further datagram could be received. One that cannot be
/// answered is logged and lost, as the network may lose any.
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
    fn answer(&self, datagram: &[u8], peer: SocketAddr) -> Option<Vec<u8>> {
        log::debug!("{peer} received {} bytes {}", datagram.len(), payload(datagram));
        let answer = self.reply(datagram);
        log::debug!("{peer} sending {} bytes {}", answer.len(), payload(&answer));
        Some(answer)
    }

    /// Turns what was received into the reply. While it works, nobody else is served.
    fn reply(&self, received: &[u8]) -> Vec<u8> {
        // Bytes, not text: a datagram that is not UTF-8 is no reason to stop.
        [self.prefix.as_encoded_bytes(), received].concat()
    }
}
