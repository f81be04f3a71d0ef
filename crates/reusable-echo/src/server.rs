//! The server: accepts one client, serves it until it has sent everything, and accepts
//! the next.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use netcore::error::reason;
use netcore::log::payload;
use netcore::reach::{self, Reach};
use socket2::{Domain, Protocol, Socket, Type};

use crate::{BUFFER, Echo};

/// Clients that may wait in the queue while another is served.
const BACKLOG: i32 = 128;

/// Opens a TCP socket that listens on `address`, also where an earlier server has just
/// left it.
///
/// # Errors
/// What [bind(2)](https://man7.org/linux/man-pages/man2/bind.2.html) and
/// [listen(2)](https://man7.org/linux/man-pages/man2/listen.2.html) say, such as
/// `AddrInUse`.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // The side that closes first leaves the address in TIME_WAIT for a minute; without
    // this option the next start fails. On Windows the option means another thing: two
    // servers on one port.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Serves clients, one at a time, for ever.
///
/// # Errors
/// What accept says. A client's error is logged and ends that client only.
pub fn serve(listener: TcpListener, service: &Echo) -> io::Result<()> {
    loop {
        log::info!("waiting for a client");
        match listener.accept() {
            Ok((stream, peer)) => visit(stream, peer, service),
            // This one has left before its turn; the next may be there.
            Err(error) if reach::of_accept(&error) == Reach::One => {}
            // Among them a shortage that may pass: `stopping-echo` waits for its end.
            Err(error) => return Err(error),
        }
    }
}

fn visit(stream: TcpStream, peer: SocketAddr, service: &Echo) {
    log::info!("{peer} connected");
    match echo(stream, peer, service) {
        Ok(()) => log::info!("{peer} closed"),
        Err(error) => log::warn!("{peer} dropped: {}", reason(&error)),
    }
}

fn echo(mut stream: TcpStream, peer: SocketAddr, service: &Echo) -> io::Result<()> {
    let mut buf = vec![0; BUFFER];
    loop {
        // Returns as soon as there is anything, not when the buffer is full.
        let n = stream.read(&mut buf)?;
        if n == 0 {
            // End of stream: the client has closed its sending side. No more will come.
            return Ok(());
        }
        log::debug!("{peer} received {n} bytes {}", payload(&buf[..n]));
        service.reply(&mut buf[..n]);
        log::debug!("{peer} sending {n} bytes {}", payload(&buf[..n]));
        // `write` may take a part only; `write_all` calls it until nothing is left.
        stream.write_all(&buf[..n])?;
    }
}
