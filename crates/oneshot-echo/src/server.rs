//! The server: socket, bind, listen, accept, then read and write until the client has
//! said everything.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener};

use netcore::log::payload;
use socket2::{Domain, Protocol, Socket, Type};

use crate::{BUFFER, Echo};

/// Clients that may wait in the queue. There is only ever one accept, so nobody behind
/// the first is served.
const BACKLOG: i32 = 1;

/// Opens a TCP socket that listens on `address`: what `TcpListener::bind` does in one
/// call.
///
/// # Errors
/// What [bind(2)](https://man7.org/linux/man-pages/man2/bind.2.html) and
/// [listen(2)](https://man7.org/linux/man-pages/man2/listen.2.html) say, such as
/// `AddrInUse`.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Serves one client until it has sent everything, and returns.
///
/// # Errors
/// What accept, read or write say: with one client, its error is the end.
pub fn serve(listener: TcpListener, service: &Echo) -> io::Result<()> {
    let (mut stream, peer) = listener.accept()?;
    log::info!("{peer} connected");
    let mut buf = vec![0; BUFFER];
    loop {
        // Returns as soon as there is anything, not when the buffer is full.
        let n = stream.read(&mut buf)?;
        if n == 0 {
            // End of stream: the client has closed its sending side. No more will come.
            break;
        }
        log::debug!("{peer} received {n} bytes {}", payload(&buf[..n]));
        service.reply(&mut buf[..n]);
        log::debug!("{peer} sending {n} bytes {}", payload(&buf[..n]));
        // `write` may take a part only; `write_all` calls it until nothing is left.
        stream.write_all(&buf[..n])?;
    }
    log::info!("{peer} closed");
    Ok(())
}
