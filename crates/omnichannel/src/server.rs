//! The server: one port for all channels. Datagrams have a thread, each connection has one,
//! and its first byte says what is spoken on it.

use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::Arc;
use std::thread::{self, Scope, ScopedJoinHandle};

use httpcore::handler::Router;
use netcore::accept::Acceptor;
use netcore::connection::Connection;
use netcore::datagrams::Datagrams;
use netcore::deadline::Deadline;
use netcore::shutdown::Shutdown;
use netcore::visit::{caught, visit};
use netcore::wait::{Interest, Waited};
use netcore::{Error, cli::ServerArgs, listen};

use crate::service::Service;
use crate::{PORT, datagrams, frames, http, replica};

/// How often a free port is asked for that both TCP and UDP have.
const TRIES: usize = 16;

/// Opens both sockets on one port, and prints the ready line.
///
/// # Errors
/// As [`ServerArgs::listen_by`].
pub fn open(args: &ServerArgs<PORT>) -> Result<(TcpListener, UdpSocket), Error> {
    let mut socket = None;
    let listener = args.listen_by(|address| {
        for left in (0..TRIES).rev() {
            let host = address.ip().to_string();
            let listener = listen::tcp(&host, address.port()).map_err(reason)?;
            let port = listener.local_addr()?.port();
            match listen::udp(&host, port) {
                Ok(udp) => {
                    socket = Some(udp);
                    return Ok(listener);
                }
                // Taken by somebody: another free port may have both.
                Err(_) if address.port() == 0 && left > 0 => {}
                Err(error) => return Err(reason(error)),
            }
        }
        Err(io::ErrorKind::AddrInUse.into())
    })?;
    let gone = || Error::failed("open a socket for datagrams")(io::ErrorKind::AddrInUse.into());
    Ok((listener, socket.ok_or_else(gone)?))
}

fn reason(error: Error) -> io::Error {
    match error {
        Error::Listen { source, .. } | Error::Resolve { source, .. } => source,
        other => io::Error::other(other.to_string()),
    }
}

/// Serves all channels until `shutdown` is told to stop or no connection comes for the time
/// that the options say. Returns when the last client has gone, and everything that was
/// asked for is on the disk.
///
/// # Errors
/// What accept says when no further client could be accepted, and what a replica says that
/// follows another store than before. A client's error is logged and ends that client only.
pub fn serve(
    listener: TcpListener,
    socket: UdpSocket,
    service: &Arc<Service>,
    shutdown: &Shutdown,
) -> io::Result<()> {
    let routes = &http::routes(service);
    let own = listener.local_addr()?;
    // Before the first client: what else takes the last descriptors, takes no channel with it.
    let socket = Datagrams::new(socket, shutdown)?;
    let acceptor = Acceptor::new(listener, shutdown)?
        .give_up_after(service.options.accept_timeout)
        .at_most(service.options.max_clients);
    let news = Arc::clone(service.writer.news());
    shutdown.on_stop(move || news.stop());
    // The scope ends with its last thread: until then, they may borrow the service.
    thread::scope(|scope| {
        let mut sides = Vec::new();
        let channel = beside(scope, shutdown, move || datagrams::serve(socket, service));
        let mut ended = channel.map(|side| sides.push(side));
        if ended.is_ok() && service.options.follow.is_some() {
            let replica = beside(scope, shutdown, move || replica::follow(service, own, shutdown));
            ended = replica.map(|side| sides.push(side));
        }
        while ended.is_ok() {
            match acceptor.accept() {
                Ok(Some((stream, peer))) => {
                    let visit = move || {
                        visit(stream, peer, |stream| converse(stream, peer, service, routes));
                    };
                    if let Err(error) = thread::Builder::new().spawn_scoped(scope, visit) {
                        log::warn!("{peer} dropped: no thread for it: {error}");
                    }
                }
                Ok(None) => break,
                Err(error) => ended = Err(error),
            }
        }
        shutdown.stop();
        for side in sides {
            let panicked = |_| Err(io::Error::other("a thread panicked"));
            ended = ended.and(side.join().unwrap_or_else(panicked));
        }
        ended
    })
}

/// Serves in a thread of its own. Whichever ends by itself ends the others.
fn beside<'scope>(
    scope: &'scope Scope<'scope, '_>,
    shutdown: &Shutdown,
    serve: impl FnOnce() -> io::Result<()> + Send + 'scope,
) -> io::Result<ScopedJoinHandle<'scope, io::Result<()>>> {
    let shutdown = shutdown.clone();
    thread::Builder::new().spawn_scoped(scope, move || {
        // A panic as well: a server that goes on without one of them looks well, and is not.
        let ended = caught(serve);
        shutdown.stop();
        ended
    })
}

/// A frame begins with a length of four bytes, the first of them 0; HTTP with a letter.
fn converse(
    stream: &mut Connection,
    peer: SocketAddr,
    service: &Service,
    routes: &Router,
) -> io::Result<()> {
    stream.set_deadline(Deadline::after(service.options.limits.idle));
    let mut first = [0];
    loop {
        if stream.wait(Interest::Reading)? == Waited::Stopping {
            return Ok(());
        }
        match stream.get_ref().peek(&mut first) {
            Ok(0) => return Ok(()),
            Ok(_) if first == [0] => return frames::answer(stream, peer, service),
            Ok(_) => return http::converse(stream, peer, service, routes),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use netcore::shutdown::DRAIN;

    use super::*;

    #[test]
    fn a_panic_beside_the_clients_ends_the_server() {
        let shutdown = Shutdown::new(DRAIN).unwrap();
        thread::scope(|scope| {
            let panics = || panic!("this line in the output is expected");
            let side = beside(scope, &shutdown, panics).unwrap();
            assert!(side.join().unwrap().is_err());
        });
        assert!(shutdown.is_stopping());
    }
}
