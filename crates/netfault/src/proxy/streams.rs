//! Connections through a bad network: accepted here, each carried in a thread of its
//! own.

use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

use netcore::accept::pass_over;
use netcore::address::Address;
use netcore::deadline::Deadline;
use netcore::error::reason;
use netcore::shutdown::Shutdown;
use netcore::unix::Name;
use netcore::wait::{self, Interest, Waited};
use socket2::{SockAddr, Socket};

use super::stream::{Ends, carry};
use super::{Line, named};
use crate::reset::reset_on_close;

/// Connections at a time, of two descriptors each, and on Linux of one more for each end
/// that is a UNIX socket. Further ones are reset, with a word in the log.
const CONNECTIONS: usize = 1_024;

/// How long the server may take to accept.
const CONNECT: Duration = Duration::from_secs(10);

pub(super) fn start(
    listener: Socket,
    server: Address,
    line: Arc<Line>,
    shutdown: &Shutdown,
) -> io::Result<JoinHandle<()>> {
    listener.set_nonblocking(true)?;
    let open = Open::default();
    let closing = open.clone();
    shutdown.on_stop(move || closing.close());
    let shutdown = shutdown.clone();
    named("proxy", move || {
        if let Err(error) = accept(&listener, &server, &line, &open, &shutdown) {
            log::error!("cannot accept clients: {}", reason(&error));
        }
    })
}

fn accept(
    listener: &Socket,
    server: &Address,
    line: &Arc<Line>,
    open: &Open,
    shutdown: &Shutdown,
) -> io::Result<()> {
    let mut threads: Vec<JoinHandle<()>> = Vec::new();
    let mut clients = 0;
    let next = || wait::ready(listener, Interest::Reading, Some(shutdown), Deadline::NEVER);
    while next()? == Waited::Ready && !shutdown.is_stopping() {
        let (client, peer) = match listener.accept() {
            Ok((client, address)) => {
                clients += 1;
                let peer = called(&address, clients);
                (client, peer)
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
            Err(error) => {
                pass_over(error, shutdown)?;
                continue;
            }
        };
        threads.retain(|thread| !thread.is_finished());
        if threads.len() == CONNECTIONS {
            let _ = reset_on_close(&client);
            log::warn!("{peer} dropped: {CONNECTIONS} connections are carried already");
            continue;
        }
        let (line, open, shutdown) = (line.clone(), open.clone(), shutdown.clone());
        let (server, name) = (server.clone(), peer.clone());
        // Where there is no thread, the stream is closed with the closure that has it.
        let carried = named("connection", move || {
            log::info!("{name} connected");
            match connect(client, &server, &line, &open, &shutdown) {
                Ok(()) => log::info!("{name} closed"),
                Err(error) => log::warn!("{name} dropped: {}", reason(&error)),
            }
        });
        match carried {
            Ok(thread) => threads.push(thread),
            Err(error) => log::warn!("{peer} dropped: no thread for it: {error}"),
        }
    }
    threads.into_iter().for_each(|thread| drop(thread.join()));
    Ok(())
}

/// What the log calls a client: one that comes through a file has no address.
fn called(address: &SockAddr, number: u64) -> String {
    address.as_socket().map_or(format!("client-{number}"), |address| address.to_string())
}

/// One connection, until both directions have ended.
fn connect(
    client: Socket,
    server: &Address,
    line: &Line,
    open: &Open,
    shutdown: &Shutdown,
) -> io::Result<()> {
    let server = server.connect(CONNECT, Name::None)?;
    let ends = Arc::new(Ends { client, server });
    open.add(&ends);
    let connection = line.next_connection();
    carry(&ends, connection, line, shutdown)
}

/// The connections that are carried, for the stop that ends them all.
#[derive(Clone, Default)]
struct Open(Arc<Mutex<Vec<Weak<Ends>>>>);

impl Open {
    fn add(&self, ends: &Arc<Ends>) {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|ends| ends.strong_count() > 0);
        open.push(Arc::downgrade(ends));
    }

    /// Wakes their threads, which look whether there is a stop. One that is added after
    /// this looks before it waits.
    fn close(&self) {
        let open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.iter().filter_map(Weak::upgrade).for_each(|ends| ends.close());
    }
}
