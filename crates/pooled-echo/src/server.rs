//! The server: workers that each accept a client, serve it, and accept the next.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};
use std::thread;

use netcore::accept::Acceptor;
use netcore::deadline::{Deadline, TimedStream};
use netcore::error::reason;
use netcore::log::payload;
use netcore::shutdown::{Connection, Shutdown};

use crate::{BUFFER, Options, STACK};

/// Serves clients by `options.max_clients` workers until `shutdown` is told to stop.
/// Returns when the last client has gone, which a stop brings about within its drain
/// limit.
///
/// # Errors
/// What accept says when no further client could be accepted, or that a worker could
/// not be started. A client's error is logged and ends that client only.
pub fn serve(listener: TcpListener, options: &Options, shutdown: &Shutdown) -> io::Result<()> {
    let acceptor = Arc::new(Acceptor::new(listener, shutdown)?);
    thread::scope(|scope| {
        let mut workers = Vec::new();
        for _ in 0..options.max_clients.max(1) {
            let acceptor = Arc::downgrade(&acceptor);
            let worker = thread::Builder::new().stack_size(STACK);
            match worker.spawn_scoped(scope, || work(acceptor, options, shutdown)) {
                Ok(worker) => workers.push(worker),
                Err(error) => {
                    // The workers that are there would wait for clients, and this scope for them.
                    shutdown.stop();
                    let why = format!("only {} workers could be started: {error}", workers.len());
                    return Err(io::Error::other(why));
                }
            }
        }
        // Without a stop, the scope would wait for the workers for ever.
        shutdown.wait().inspect_err(|_| shutdown.stop())?;
        // Workers that serve a client hold no share of the listener: from here on, new clients
        // are refused.
        drop(acceptor);
        workers.into_iter().try_for_each(|worker| worker.join().unwrap_or(Ok(())))
    })
}

fn work(acceptor: Weak<Acceptor>, options: &Options, shutdown: &Shutdown) -> io::Result<()> {
    while let Some(listening) = acceptor.upgrade() {
        let (stream, peer) = match listening.accept() {
            Ok(Some(client)) => client,
            Ok(None) => return Ok(()),
            Err(error) => {
                // No worker could accept any more.
                shutdown.stop();
                return Err(error);
            }
        };
        drop(listening);
        // A panic ends this client and nobody else: the worker goes on.
        if catch_unwind(AssertUnwindSafe(|| visit(stream, peer, options))).is_err() {
            log::error!("{peer} dropped: its visit panicked");
        }
    }
    Ok(())
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
