//! The server: workers that take turns at accepting. One waits for clients and the
//! others for their turn, so that a new connection wakes one thread and none has to be
//! born for it.
//!
//! A worker stays with its client until the connection ends: while the client is idle
//! it costs a sleeping thread and no processor time, and a request is read by the
//! thread that waits for it, with nothing handed over. The [`Slots`] bounds how many
//! there are. There is always one worker more than slots, so that somebody is there to
//! make room.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use netcore::accept::pass_over;
use netcore::deadline::Deadline;
use netcore::error::reason;
use netcore::shutdown::Shutdown;
use netcore::wait;
use socket2::Socket;

use httpcore::stream::Stream;

use super::access;
use super::connection;
#[cfg(target_os = "linux")]
use super::defer_accept;
use super::reply::{self, Buffers, Client};
use super::service::Service;
use super::slots::Slots;
use super::stream::ClientStream;
use super::tls::Tls;

/// The name of each worker's thread, for debuggers, lists of threads and the message of
/// a panic. Linux shows 15 bytes.
const WORKER: &str = "http-worker";

/// A worker's stack. Only what is used of it takes memory.
const STACK: usize = 512 << 10;

/// How long a client that finds the server full may take to send its request, so that
/// it reads the answer.
const TURN_AWAY: Duration = Duration::from_millis(50);

/// For workers to end after their connections have been closed.
const GRACE: Duration = Duration::from_secs(1);

/// Serves clients of all `listeners` until `shutdown` is told to stop, and until what
/// is under way then has ended or the drain limit has passed.
///
/// # Errors
/// What accept says when no further client could be accepted, and what the system says
/// when no worker can be started. A client's error is logged and ends that client only.
pub fn serve(listeners: Vec<Socket>, service: Service, shutdown: &Shutdown) -> io::Result<()> {
    for listener in &listeners {
        // A client that has been announced may be gone again before accept is called.
        listener.set_nonblocking(true)?;
        #[cfg(target_os = "linux")]
        if listener.local_addr()?.as_socket().is_some()
            && let Err(error) = defer_accept::until_first_bytes(listener)
        {
            // Only speed is lost.
            log::debug!("clients are accepted before they say something: {error}");
        }
    }
    let drain = service.limits.drain;
    let shared = Arc::new(Shared {
        slots: Slots::new(service.limits.clients),
        service,
        shutdown: shutdown.clone(),
        accepting: Mutex::new(Accepting { listeners, failed: None }),
        workers: Mutex::new(Workers::default()),
        gone: Condvar::new(),
    });
    // With nobody to accept, no client would ever be served.
    shared
        .start_worker()
        .map_err(|error| io::Error::other(format!("no worker can be started: {error}")))?;
    wait::until_stop(shutdown, Deadline::NEVER)?;
    // Whoever waits for a client ends; from here on, new ones are refused.
    let mut accepting = shared.accepting();
    accepting.listeners.clear();
    let failed = accepting.failed.take();
    drop(accepting);
    shared.slots.stop();
    shared.slots.drain(drain);
    shared.wait_until_gone();
    failed.map_or(Ok(()), Err)
}

/// What the workers share.
struct Shared {
    service: Service,
    slots: Slots,
    shutdown: Shutdown,
    /// Whoever holds the lock accepts.
    accepting: Mutex<Accepting>,
    workers: Mutex<Workers>,
    gone: Condvar,
}

struct Accepting {
    listeners: Vec<Socket>,
    failed: Option<io::Error>,
}

impl Accepting {
    /// The next client; `None` when the server is stopping.
    fn accept(
        &mut self,
        shutdown: &Shutdown,
    ) -> io::Result<Option<(TcpStream, Option<SocketAddr>)>> {
        while let Some(place) = wait::first_readable(&self.listeners, shutdown)? {
            match self.listeners[place].accept() {
                Ok((socket, peer)) => {
                    // Of several listeners the first that has a client is taken: a busy one goes to
                    // the end.
                    self.listeners.rotate_left(place + 1);
                    // What std calls a TcpStream is any stream socket here: reading, writing and
                    // closing are the same for a Unix one.
                    return Ok(Some((socket.into(), peer.as_socket())));
                }
                Err(error) => pass_over(error, shutdown)?,
            }
        }
        Ok(None)
    }
}

#[derive(Default)]
struct Workers {
    all: usize,
    free: usize,
}

impl Shared {
    /// Starts one more worker, if there may be one more.
    fn start_worker(self: &Arc<Shared>) -> io::Result<()> {
        let mut workers = self.workers();
        if workers.all > self.service.limits.clients {
            return Ok(());
        }
        let shared = self.clone();
        let worker = thread::Builder::new().name(WORKER.into()).stack_size(STACK);
        worker.spawn(move || shared.work())?;
        workers.all += 1;
        workers.free += 1;
        Ok(())
    }

    fn work(self: Arc<Shared>) {
        let mut buffers = Buffers::default();
        while let Some((socket, peer)) = self.next_client() {
            let free = {
                let mut workers = self.workers();
                workers.free -= 1;
                workers.free
            };
            // Those that are there go on; clients wait for them in the backlog.
            if free == 0
                && let Err(error) = self.start_worker()
            {
                log::warn!("cannot start one more worker: {error}");
            }
            // Whatever goes wrong in one visit, the worker goes on.
            let visit = AssertUnwindSafe(|| self.visit(socket, peer, &mut buffers));
            if catch_unwind(visit).is_err() {
                log::error!("a connection was dropped: its visit panicked");
            }
            self.workers().free += 1;
        }
        let mut workers = self.workers();
        workers.all -= 1;
        workers.free -= 1;
        if workers.all == 0 {
            self.gone.notify_all();
        }
    }

    /// Takes its turn at accepting; `None` when the server is stopping.
    fn next_client(&self) -> Option<(TcpStream, Option<SocketAddr>)> {
        let mut accepting = self.accepting();
        let client = accepting.accept(&self.shutdown);
        client.unwrap_or_else(|error| {
            // Nobody could accept any more: the server ends, and says why.
            accepting.failed = Some(error);
            self.shutdown.stop();
            None
        })
    }

    fn visit(&self, socket: TcpStream, peer: Option<SocketAddr>, buffers: &mut Buffers) {
        let name = access::name_of(&socket, peer);
        log::debug!("{name} connected");
        match self.converse(Arc::new(socket), peer, &name, buffers) {
            Ok(()) => log::debug!("{name} closed"),
            Err(error) => log::info!("{name} dropped: {}", reason(&error)),
        }
    }

    fn converse(
        &self,
        socket: Arc<TcpStream>,
        peer: Option<SocketAddr>,
        name: &str,
        buffers: &mut Buffers,
    ) -> io::Result<()> {
        // On BSD and macOS it inherits the listener's mode.
        #[cfg(not(target_os = "linux"))]
        socket.set_nonblocking(false)?;
        if peer.is_some() {
            // The end of a response would otherwise wait for the acknowledgement of its beginning.
            socket.set_nodelay(true)?;
        }
        // Who comes through a socket file is on this machine: there is nothing to hide on the
        // way.
        let tls = self.service.tls.as_ref().filter(|_| peer.is_some());
        let session = tls.map(Tls::session).transpose()?;
        let mut stream =
            ClientStream::new(socket.clone(), self.service.limits.write)?.with_session(session);
        let client = Client { peer, name };
        match self.slots.take(socket) {
            Some(slot) => connection::serve(&mut stream, &client, &slot, &self.service, buffers),
            None => {
                stream.set_read_deadline(Deadline::after(TURN_AWAY));
                reply::turn_away(&mut stream, &client, &self.service, buffers)
            }
        }
    }

    /// Waits for the workers, whose clients have gone. One that is stuck in a handler
    /// is not waited for.
    fn wait_until_gone(&self) {
        let workers = self.workers();
        let waited = self.gone.wait_timeout_while(workers, GRACE, |workers| workers.all > 0);
        let (workers, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if workers.all > 0 {
            log::warn!("{} handlers have not returned and are left behind", workers.all);
        }
    }

    fn accepting(&self) -> MutexGuard<'_, Accepting> {
        self.accepting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn workers(&self) -> MutexGuard<'_, Workers> {
        self.workers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use netcore::listen;
    use netcore::shutdown::DRAIN;

    use super::*;

    #[test]
    fn a_busy_listener_does_not_keep_the_clients_of_another_waiting() {
        let [busy, quiet] = [0, 0].map(|port| listen::tcp("127.0.0.1", port).unwrap());
        let [to_busy, to_quiet] = [&busy, &quiet].map(|listener| listener.local_addr().unwrap());
        let crowd: Vec<TcpStream> = (0..10).map(|_| TcpStream::connect(to_busy).unwrap()).collect();
        let last = TcpStream::connect(to_quiet).unwrap();
        let mut accepting = Accepting { listeners: vec![busy.into(), quiet.into()], failed: None };
        let shutdown = Shutdown::new(DRAIN).unwrap();
        let accepted = [(); 3].map(|()| {
            let (client, _) = accepting.accept(&shutdown).unwrap().unwrap();
            client.local_addr().unwrap()
        });
        assert_eq!(accepted, [to_busy, to_quiet, to_busy]);
        drop((crowd, last));
    }
}
