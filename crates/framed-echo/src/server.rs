//! The server: accepts one client, answers its messages within its limits, and accepts
//! the next.

use std::io::{self, BufReader, ErrorKind};
use std::net::{SocketAddr, TcpListener};

use netcore::accept::Acceptor;
use netcore::connection::Connection;
use netcore::deadline::Deadline;
use netcore::frame;
use netcore::log::payload;
use netcore::shutdown::Shutdown;
use netcore::visit::visit;

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
        visit(stream, peer, |stream| echo(stream, peer, options));
    }
    Ok(())
}

fn echo(stream: &mut Connection, peer: SocketAddr, options: &Options) -> io::Result<()> {
    let mut message = Vec::new();
    // A point in time: a client that sends a message now and then renews the idle limit,
    // but never this one.
    let total = Deadline::after(options.total);
    // One for the whole connection: what it has read beyond a message is the beginning of
    // the next.
    let mut stream = BufReader::with_capacity(BUFFER, stream);
    if let Some(greeting) = &options.greeting {
        stream.get_mut().set_deadline(total.or_sooner(Deadline::after(options.idle)));
        send(stream.get_mut(), peer, greeting, options)?;
    }
    loop {
        // For the message as a whole: a client that drips its bytes does not renew this limit
        // any more.
        stream.get_mut().set_deadline(total.or_sooner(Deadline::after(options.idle)));
        // A length over the limit, a header that is none and a message that is cut short are
        // errors. No reply could follow them: where the next message begins is unknown
        // from there on.
        if !frame::read(
            &mut stream,
            options.framing.header(),
            options.framing.max_message,
            &mut message,
        )? {
            // End of stream between two messages: the client has closed its sending side. No more
            // will come.
            return Ok(());
        }
        log::debug!("{peer} received {} bytes {}", message.len(), payload(&message));
        // The message is whole, so what is not UTF-8 is the sender's mistake and not a cut by
        // the stream.
        let text = str::from_utf8(&message)
            .map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
        let reply = reply(text, options);
        // A client that never reads fills the buffers on the way; then writing blocks as
        // reading does.
        stream.get_mut().set_deadline(total.or_sooner(Deadline::after(options.idle)));
        send(stream.get_mut(), peer, &reply, options)?;
    }
}

fn send(
    stream: &mut Connection,
    peer: SocketAddr,
    text: &str,
    options: &Options,
) -> io::Result<()> {
    log::debug!("{peer} sending {} bytes {}", text.len(), payload(text.as_bytes()));
    frame::write(stream, options.framing.header(), options.framing.max_message, text.as_bytes())?;
    Ok(())
}

/// Turns what was received into the reply: the place for what a server of your own
/// does. It may have another length, as pieces of a stream may not.
fn reply(text: &str, options: &Options) -> String {
    if options.upper {
        // ASCII only, for the same answers as the other rungs give. `str::to_uppercase` would
        // be right here as well, as no character is ever cut; but its result can be
        // longer ("ß" becomes "SS"), and so over the limit.
        return text.to_ascii_uppercase();
    }
    text.into()
}
