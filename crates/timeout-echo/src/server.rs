//! The server: accepts one client, serves it within its limits, and accepts the next.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener};

use netcore::accept::{Accepted, Acceptor};
use netcore::deadline::{Deadline, TimedStream};
use netcore::error::reason;
use netcore::log::payload;
use netcore::shutdown::{Connection, Shutdown};

use crate::{BUFFER, Options};

/// Serves clients, one at a time, until `shutdown` is told to stop or nobody comes for
/// `options.accept_timeout`.
///
/// # Errors
/// What accept says when no further client could be accepted. A client's error is
/// logged and ends that client only.
pub fn serve(listener: TcpListener, options: &Options, shutdown: &Shutdown) -> io::Result<()> {
    let acceptor = Acceptor::new(listener, shutdown)?;
    loop {
        log::info!("waiting for a client");
        let deadline = options.accept_timeout.map_or(Deadline::NEVER, Deadline::after);
        let (stream, peer) = match acceptor.accept_before(deadline)? {
            Accepted::Client(stream, peer) => (stream, peer),
            Accepted::Stopping => return Ok(()),
            Accepted::TimedOut => {
                log::info!("nobody came in time");
                return Ok(());
            }
        };
        visit(stream, peer, options);
    }
}

fn visit(stream: Connection, peer: SocketAddr, options: &Options) {
    log::info!("{peer} connected");
    match echo(stream, peer, options) {
        Ok(()) => log::info!("{peer} closed"),
        Err(error) => log::warn!("{peer} dropped: {}", reason(&error)),
    }
}

fn echo(stream: Connection, peer: SocketAddr, options: &Options) -> io::Result<()> {
    let mut buf = vec![0; BUFFER];
    // A point in time: a client that sends a byte now and then renews the idle limit, but
    // never this one.
    let total = Deadline::after(options.total);
    let mut stream = TimedStream::new(&stream, total);
    loop {
        stream.set_deadline(total.or_sooner(Deadline::after(options.idle)));
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
        reply(&mut buf[..n], options);
        log::debug!("{peer} sending {n} bytes {}", payload(&buf[..n]));
        // A client that never reads fills the buffers on the way; then writing blocks as
        // reading does.
        stream.set_deadline(total.or_sooner(Deadline::after(options.idle)));
        // `write` may take a part only; `write_all` calls it until nothing is left.
        stream.write_all(&buf[..n])?;
    }
}

/// Turns what was received into the reply: the place for what a server of your own
/// does.
fn reply(bytes: &mut [u8], options: &Options) {
    if options.upper {
        // ASCII only, so that UTF-8 text stays whole wherever the stream has cut it.
        bytes.make_ascii_uppercase();
    }
}
