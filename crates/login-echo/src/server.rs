//! The server: accepts a client, leaves it to a thread of its own, and accepts the next,
//! until it is told to stop.

use std::io::{self, Read, Write};
use std::net::TcpListener;
use std::thread;
use std::time::Instant;

use netcore::accept::Acceptor;
use netcore::connection::Connection;
use netcore::deadline::Deadline;
use netcore::log::payload;
use netcore::proof::{Asked, Challenge, HELLO, PROOF, Right};
use netcore::shutdown::Shutdown;
use netcore::tls::{Peer, ServerSide, TlsStream};
use netcore::visit::visit;
use netcore::wait;

use crate::{BUFFER, EXPORTER, Echo};

/// Serves clients, each in a thread of its own, until `shutdown` is told to stop or nobody
/// comes for `service.accept_timeout`. Returns when the last client has gone, which
/// a stop brings about within its drain limit.
///
/// # Errors
/// What accept says when no further client could be accepted. A client's error is logged
/// and ends that client only.
pub fn serve(
    listener: TcpListener,
    service: &Echo,
    tls: &ServerSide,
    shutdown: &Shutdown,
) -> io::Result<()> {
    let acceptor = Acceptor::new(listener, shutdown)?
        .give_up_after(service.accept_timeout)
        .at_most(service.max_clients);
    // The scope ends with its last thread: until then, they may borrow the service.
    thread::scope(|scope| {
        while let Some((stream, peer)) = acceptor.accept()? {
            let visit = move || {
                let peer = Peer::at(peer);
                visit(stream, &peer, |stream| greet(stream, &peer, service, tls, shutdown))
            };
            if let Err(error) = thread::Builder::new().spawn_scoped(scope, visit) {
                log::warn!("{peer} dropped: no thread for it: {error}");
            }
        }
        Ok(())
    })
}

/// The handshake and the login, here and not beside accept: whoever drags them out holds a
/// thread, and not those who wait to be let in.
fn greet(
    connection: &mut Connection,
    peer: &Peer,
    service: &Echo,
    tls: &ServerSide,
    shutdown: &Shutdown,
) -> io::Result<()> {
    // One deadline for all of it, and no other: a hello that comes byte by byte, each in
    // time, does not stretch it.
    connection.set_deadline(Deadline::after(service.tls.handshake));
    let mut stream = tls.accept(connection)?;
    log::info!("{peer} speaks {}", stream.session().summary());
    let right = log_in(&mut stream, peer, service, shutdown)?;
    // Whatever ends the echo, dropping the stream says goodbye (close_notify): a client
    // that does not hear it has been cut off, by us or by somebody on the way.
    echo(&mut stream, peer, service, right)
}

/// Who it is, proven, and what it may do. Until then nothing of it is kept but a hello of
/// [`HELLO`] bytes, and the deadline is still that of the handshake.
fn log_in(
    stream: &mut TlsStream<'_>,
    peer: &Peer,
    service: &Echo,
    shutdown: &Shutdown,
) -> io::Result<Right> {
    // Of this session and of no other: a proof that somebody passes on from another one is
    // none.
    let challenge = Challenge::new(stream.session().exporter(EXPORTER)?)?;
    let (mut hello, mut proof) = ([0; HELLO], [0; PROOF]);
    stream.read_exact(&mut hello)?;
    let asked = Asked::read(&hello)?;
    stream.write_all(challenge.bytes())?;
    stream.read_exact(&mut proof)?;
    let ip = peer.address().ip();
    // Whoever is right waits as well, so that nobody learns from the wait.
    wait::pause(service.tries.begin(asked.name, ip, Instant::now()), shutdown)?;
    let verdict = challenge.judge(&asked, &proof, &service.secrets);
    service.tries.end(asked.name, ip, &verdict, Instant::now());
    // It has the whole limit to read, however long we let it wait.
    stream.set_deadline(Deadline::after(service.tls.handshake));
    stream.write_all(&verdict.bytes)?;
    let right = verdict.right?;
    // From here on the log calls it by its name.
    peer.is_called(Some(asked.name.into()));
    log::info!("{peer} may {right}");
    Ok(right)
}

fn echo(stream: &mut TlsStream<'_>, peer: &Peer, service: &Echo, right: Right) -> io::Result<()> {
    let mut buf = vec![0; BUFFER];
    let limits = &service.limits;
    // A point in time: a client that sends a byte now and then renews the idle limit, but
    // never this one.
    let total = Deadline::after(limits.total);
    loop {
        stream.set_deadline(total.or_sooner(Deadline::after(limits.idle)));
        // Returns as soon as there is anything, not when the buffer is full.
        let n = stream.read(&mut buf)?;
        if n == 0 {
            // End of stream: the client has said that it sends no more, or a stop has begun
            // and everything that had arrived is answered. An end without that word is an
            // error: anybody on the way can cut a connection.
            return Ok(());
        }
        log::debug!("{peer} received {n} bytes {}", payload(&buf[..n]));
        service.reply(right, &mut buf[..n]);
        log::debug!("{peer} sending {n} bytes {}", payload(&buf[..n]));
        // A client that never reads fills the buffers on the way; then writing waits as
        // reading does. It has the whole limit for it, however long the reply took us.
        stream.set_deadline(total.or_sooner(Deadline::after(limits.idle)));
        // `write` may take a part only; `write_all` calls it until nothing is left.
        stream.write_all(&buf[..n])?;
    }
}
