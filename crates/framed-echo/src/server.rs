//! The server: accepts a client, leaves it to a thread of its own, and accepts the next,
//! until it is told to stop.

use std::io::{self, BufReader, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::thread;

use netcore::accept::Acceptor;
use netcore::connection::Connection;
use netcore::deadline::Deadline;
use netcore::log::payload;
use netcore::shutdown::Shutdown;
use netcore::visit::visit;

use crate::{BUFFER, Echo};

/// Serves clients, each in a thread of its own, until `shutdown` is told to stop or nobody
/// comes for `service.accept_timeout`. Returns when the last client has gone, which
/// a stop brings about within its drain limit.
///
/// # Errors
/// What accept says when no further client could be accepted. A client's error is logged
/// and ends that client only.
pub fn serve(listener: TcpListener, service: &Echo, shutdown: &Shutdown) -> io::Result<()> {
    let acceptor = Acceptor::new(listener, shutdown)?
        .give_up_after(service.accept_timeout)
        .at_most(service.max_clients);
    // The scope ends with its last thread: until then, they may borrow the service.
    thread::scope(|scope| {
        while let Some((stream, peer)) = acceptor.accept()? {
            let visit = move || visit(stream, peer, |stream| answer(stream, peer, service));
            if let Err(error) = thread::Builder::new().spawn_scoped(scope, visit) {
                log::warn!("{peer} dropped: no thread for it: {error}");
            }
        }
        Ok(())
    })
}

fn answer(stream: &mut Connection, peer: SocketAddr, service: &Echo) -> io::Result<()> {
    let mut message = Vec::new();
    let limits = &service.limits;
    // A point in time: a client that sends a message now and then renews the idle limit,
    // but never this one.
    let total = Deadline::after(limits.total);
    // One for the whole connection: what it has read beyond a message is the beginning of
    // the next.
    let mut stream = BufReader::with_capacity(BUFFER, stream);
    loop {
        // For the message as a whole: a client that drips its bytes does not renew this
        // limit any more.
        stream.get_mut().set_deadline(total.or_sooner(Deadline::after(limits.idle)));
        // A length over the limit, a header that is none and a message that is cut short
        // are errors. No reply could follow them: where the next message begins is unknown
        // from there on.
        if !service.framing.read(&mut stream, &mut message)? {
            // End of stream between two messages: the client has closed its sending side,
            // or a stop has begun and everything that had arrived is answered.
            return Ok(());
        }
        log::debug!("{peer} received {} bytes {}", message.len(), payload(&message));
        // The message is whole, so what is not UTF-8 is the sender's mistake and not a cut
        // by the stream.
        let text = str::from_utf8(&message)
            .map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
        let reply = service.reply(text);
        // A client that never reads fills the buffers on the way; then writing waits as
        // reading does. It has the whole limit for it, however long the reply took us.
        stream.get_mut().set_deadline(total.or_sooner(Deadline::after(limits.idle)));
        log::debug!("{peer} sending {} bytes {}", reply.len(), payload(reply.as_bytes()));
        service.framing.write(stream.get_mut(), reply.as_bytes())?;
    }
}
