//! The server: accepts one client, asks it and never waits in a read or a write, and
//! accepts the next, until it is told to stop.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener};

use netcore::accept::Acceptor;
use netcore::connection::Connection;
use netcore::deadline::Deadline;
use netcore::log::payload;
use netcore::shutdown::Shutdown;
use netcore::visit::visit;
use netcore::wait::{Interest, Waited};

use crate::{BUFFER, Echo};

/// Serves clients, one at a time, until `shutdown` is told to stop or nobody comes for
/// `service.accept_timeout`.
///
/// # Errors
/// What accept says when no further client could be accepted. A client's error is logged
/// and ends that client only.
pub fn serve(listener: TcpListener, service: &Echo, shutdown: &Shutdown) -> io::Result<()> {
    let acceptor = Acceptor::new(listener, shutdown)?.give_up_after(service.accept_timeout);
    while let Some((stream, peer)) = acceptor.accept()? {
        visit(stream, peer, |stream| echo(stream, peer, service));
    }
    Ok(())
}

fn echo(stream: &mut Connection, peer: SocketAddr, service: &Echo) -> io::Result<()> {
    let mut buf = vec![0; BUFFER];
    let limits = &service.limits;
    // A point in time: a client that sends a byte now and then renews the idle limit, but
    // never this one.
    let total = Deadline::after(limits.total);
    // From here on, a call that would wait says `WouldBlock` at once.
    stream.get_ref().set_nonblocking(true)?;
    loop {
        stream.set_deadline(total.or_sooner(Deadline::after(limits.idle)));
        // A client that always has something is never waited for, and meets no deadline
        // there.
        stream.check_deadline()?;
        let n = match stream.get_ref().read(&mut buf) {
            // End of stream: the client has closed its sending side. No more will come.
            Ok(0) => return Ok(()),
            // Something: one byte, or more.
            Ok(n) => n,
            // Nothing yet, which is no error. To ask again at once would keep a processor
            // busy with asking.
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                match stream.wait(Interest::Reading)? {
                    Waited::Stopping => return Ok(()),
                    _ => continue,
                }
            }
            // A signal came first; nothing has been read.
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        log::debug!("{peer} received {n} bytes {}", payload(&buf[..n]));
        service.reply(&mut buf[..n]);
        log::debug!("{peer} sending {n} bytes {}", payload(&buf[..n]));
        // It has the whole limit to read, however long the reply took us.
        stream.set_deadline(total.or_sooner(Deadline::after(limits.idle)));
        send(stream, &buf[..n])?;
    }
}

fn send(stream: &mut Connection, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match stream.get_ref().write(bytes) {
            // A part, as much as the buffer of the socket had room for.
            Ok(n) => bytes = &bytes[n..],
            // Full: the client has to read first.
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                stream.wait(Interest::Writing)?;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
