//! The server: socket, bind, listen, accept, then read and write until the client has
//! said everything.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use netcore::log::payload;
use socket2::{Domain, Protocol, Socket, Type};

use crate::{BUFFER, Options};

/// Clients that may wait in the queue. There is only ever one accept, so nobody behind
/// the first is served.
const BACKLOG: i32 = 1;

/// Opens a TCP socket that listens on `address`: what `TcpListener::bind` does in one
/// call.
///
/// # Errors
/// What [bind(2)](https://man7.org/linux/man-pages/man2/bind.2.html) and
/// [listen(2)](https://man7.org/linux/man-pages/man2/listen.2.html) say, such as `AddrInUse`.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // The side that closes first leaves the address in TIME_WAIT for a minute; without this
    // option the next start fails. On Windows the option means another thing: two
    // servers on one port.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        // `::` is every address of both families, and on Windows of IPv6 only unless it is
        // said.
        socket.set_only_v6(false)?;
    }
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Serves one client until it has sent everything, and returns.
///
/// # Errors
/// What accept, read or write say: with one client, its error is the end.
pub fn serve(listener: &TcpListener, options: &Options) -> io::Result<()> {
    let (stream, peer) = listener.accept()?;
    log::info!("{peer} connected");
    echo(stream, peer, options)?;
    log::info!("{peer} closed");
    Ok(())
}

fn echo(mut stream: TcpStream, peer: SocketAddr, options: &Options) -> io::Result<()> {
    let mut buf = vec![0; BUFFER];
    loop {
        // Returns as soon as there is anything, not when the buffer is full.
        let n = match stream.read(&mut buf) {
            // End of stream: the client has closed its sending side. No more will come.
            Ok(0) => return Ok(()),
            Ok(n) => n,
            // A signal came first; nothing has been read.
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        log::debug!("{peer} received {n} bytes {}", payload(&buf[..n]));
        if options.upper {
            // ASCII only, so that UTF-8 text stays whole wherever the stream has cut it.
            buf[..n].make_ascii_uppercase();
        }
        log::debug!("{peer} sending {n} bytes {}", payload(&buf[..n]));
        // `write` may take a part only; `write_all` calls it until nothing is left.
        stream.write_all(&buf[..n])?;
    }
}
