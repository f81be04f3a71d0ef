//! The server: accepts a client, leaves it to a thread of its own, and accepts the next,
//! until it is told to stop.

use std::io::{self, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::thread;

use netcore::accept::Acceptor;
use netcore::connection::Connection;
use netcore::deadline::Deadline;
use netcore::log::payload;
use netcore::shutdown::Shutdown;
use netcore::visit::visit;

use crate::message::{Reply, Request, VERSION};
use crate::{BUFFER, Exchange};

/// Serves clients, each in a thread of its own, until `shutdown` is told to stop or nobody
/// comes for `service.accept_timeout`. Returns when the last client has gone, which
/// a stop brings about within its drain limit.
///
/// # Errors
/// What accept says when no further client could be accepted. A client's error is logged
/// and ends that client only.
pub fn serve(listener: TcpListener, service: &Exchange, shutdown: &Shutdown) -> io::Result<()> {
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

fn answer(stream: &mut Connection, peer: SocketAddr, service: &Exchange) -> io::Result<()> {
    let mut message = Vec::new();
    let limits = &service.limits;
    let codec = service.messages.codec(VERSION);
    // A point in time: a client that sends a message now and then renews the idle limit,
    // but never this one.
    let total = Deadline::after(limits.total);
    // One for the whole connection: what it has read beyond a message is the beginning of
    // the next.
    let mut stream = BufReader::with_capacity(BUFFER, stream);
    // The server speaks first, as the client knows. If both waited for the other, both
    // would wait for ever.
    codec.encode(&service.greeting(), &mut message)?;
    loop {
        // A client that never reads fills the buffers on the way; then writing waits as
        // reading does. It has the whole limit for it, however long the reply took us.
        stream.get_mut().set_deadline(total.or_sooner(Deadline::after(limits.idle)));
        log::debug!("{peer} sending {} bytes {}", message.len(), payload(&message));
        codec.write(stream.get_mut(), &message)?;
        // For the message as a whole: a client that drips its bytes does not renew this
        // limit any more.
        stream.get_mut().set_deadline(total.or_sooner(Deadline::after(limits.idle)));
        // A frame that is not whole is an error. No reply could follow it: where the next
        // message begins is unknown from there on.
        let Some(request) = codec.read::<Request>(&mut stream, &mut message)? else {
            // End of stream between two messages: the client has closed its sending side,
            // or a stop has begun and everything that had arrived is answered.
            return Ok(());
        };
        log::debug!("{peer} received {} bytes {}", message.len(), payload(&message));
        // The frame was whole, so it is known where the next one begins: a client whose
        // request is none, or whose reply would not fit, is told and may go on.
        if let Err(error) = request.and_then(|request| service.reply(request, &mut message)) {
            log::debug!("{peer} refused: {error}");
            codec.encode(&Reply::Refused(error.into()), &mut message)?;
        }
    }
}
