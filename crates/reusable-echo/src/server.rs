//! The server: accepts one client, serves it until it has sent everything, and accepts
//! the next.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener};

use netcore::accept::Acceptor;
use netcore::error::reason;
use netcore::log::payload;
use netcore::shutdown::{Connection, Shutdown};

use crate::{BUFFER, Options};

/// Serves clients, one at a time, until `shutdown` is told to stop.
///
/// # Errors
/// What accept says when no further client could be accepted. A client's error is
/// logged and ends that client only.
pub fn serve(listener: TcpListener, options: &Options, shutdown: &Shutdown) -> io::Result<()> {
    let acceptor = Acceptor::new(listener, shutdown)?;
    loop {
        log::info!("waiting for a client");
        let Some((stream, peer)) = acceptor.accept()? else { return Ok(()) };
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

fn echo(mut stream: Connection, peer: SocketAddr, options: &Options) -> io::Result<()> {
    let mut buf = vec![0; BUFFER];
    loop {
        // Returns as soon as there is anything, not when the buffer is full.
        // A client that says nothing keeps us here: `timeout-echo` sets a limit.
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
