//! The server: accepts one client, greets it, answers its requests within its limits,
//! and accepts the next.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::{self, BufReader};
use std::net::{SocketAddr, TcpListener};

use netcore::accept::Acceptor;
use netcore::codec::{Codec, CodecError};
use netcore::connection::Connection;
use netcore::deadline::Deadline;
use netcore::log::payload;
use netcore::shutdown::Shutdown;
use netcore::visit::visit;
use serde::Serialize;

use crate::message::{Greeting, Reply, Request};
use crate::{BUFFER, Options};

/// Serves clients, one at a time, until `shutdown` is told to stop or nobody comes for
/// `options.accept_timeout`.
///
/// # Errors
/// What accept says when no further client could be accepted. A client's error is
/// logged and ends that client only.
pub fn serve(listener: TcpListener, options: &Options, shutdown: &Shutdown) -> io::Result<()> {
    let acceptor = Acceptor::new(listener, shutdown)?.give_up_after(options.accept_timeout);
    while let Some((stream, peer)) = acceptor.accept()? {
        visit(stream, peer, |stream| answer(stream, peer, options));
    }
    Ok(())
}

fn answer(stream: &mut Connection, peer: SocketAddr, options: &Options) -> io::Result<()> {
    let mut message = Vec::new();
    let codec = options.limits.codec();
    // A point in time: a client that sends a message now and then renews the idle limit,
    // but never this one.
    let total = Deadline::after(options.total);
    // One for the whole connection: what it has read beyond a message is the beginning of
    // the next.
    let mut stream = BufReader::with_capacity(BUFFER, stream);
    stream.get_mut().set_deadline(total.or_sooner(Deadline::after(options.idle)));
    // The server speaks first, as the client knows. If both waited for the other, both
    // would wait for ever.
    let greeting = greeting();
    send(stream.get_mut(), peer, &codec, &greeting, &mut message)?;
    loop {
        stream.get_mut().set_deadline(total.or_sooner(Deadline::after(options.idle)));
        let reply = match codec.read::<Request>(&mut stream, &mut message) {
            // End of stream between two messages: the client has closed its sending side. No more
            // will come.
            Ok(None) => return Ok(()),
            Ok(Some(request)) => {
                log::debug!(
                    "{peer} received {} bytes {}",
                    message.len(),
                    payload(request.to_string().as_bytes())
                );
                reply(request, &greeting)
            }
            // The frame was whole, so it is known where the next one begins: the client is told and
            // may go on.
            Err(CodecError::Value(error)) => {
                log::debug!("{peer} received {} bytes {}", message.len(), payload(&message));
                log::debug!("{peer} refused: {error}");
                Reply::Refused(error.into())
            }
            // No reply could follow: where the next message begins is unknown from here on.
            Err(CodecError::Frame(error)) => return Err(error.into()),
        };
        // A client that never reads fills the buffers on the way; then writing blocks as
        // reading does.
        stream.get_mut().set_deadline(total.or_sooner(Deadline::after(options.idle)));
        match send(stream.get_mut(), peer, &codec, &reply, &mut message) {
            // Nothing has been sent yet, so there is room for another reply.
            Err(CodecError::Value(error)) => {
                send(stream.get_mut(), peer, &codec, &Reply::Refused(error.into()), &mut message)?;
            }
            sent => sent?,
        }
    }
}

fn send<T: Serialize + Display>(
    stream: &mut Connection,
    peer: SocketAddr,
    codec: &Codec,
    value: &T,
    message: &mut Vec<u8>,
) -> Result<(), CodecError> {
    codec.encode(value, message)?;
    log::debug!("{peer} sending {} bytes {}", message.len(), payload(value.to_string().as_bytes()));
    codec.write(stream, message)?;
    Ok(())
}

/// What every client is told first: the tutorial's dictionary.
fn greeting() -> Greeting {
    Greeting(BTreeMap::from([(1, "hi".into()), (2, "there".into())]))
}

/// Turns a request into the reply: the place for what a server of your own does.
///
/// That a request has come in this shape does not mean that its sender may ask for it,
/// or that its numbers make sense: a server that does more than this one checks both
/// here.
fn reply(request: Request, greeting: &Greeting) -> Reply {
    match request {
        Request::Get(key) => Reply::Entry(greeting.0.get(&key).cloned()),
        // All of Unicode, since a text arrives whole. It can become longer: "ŉ" becomes "ʼN".
        Request::Upper(text) => Reply::Upper(text.to_uppercase()),
        Request::Echo(value) => Reply::Echo(value),
    }
}
