//! Accept, connection and visit as they are for threads, for tasks of tokio (feature
//! `tasks`).

use std::fmt::Display;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::pin::Pin;

use rustix::buffer::spare_capacity;
use rustix::net::{RecvFlags, recv};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{Instant, Sleep, sleep, timeout};

use crate::accept::{SHORTAGE_PAUSE, affordable, log_accept_error, without_delay};
use crate::client::or_nothing_yet;
use crate::connection::{LINGER, has_taken_all};
use crate::deadline::{Deadline, LONGEST};
use crate::error::reason;
use crate::reach::Reach;
use crate::shutdown::Shutdown;
use crate::visit::{Ended, caught_async, log_end};
use crate::wait::{Interest, is_ready};

/// A listener together with the stop that ends its waiting.
#[derive(Debug)]
pub struct Acceptor {
    listener: TcpListener,
    /// Tells of the stop when the other end is dropped.
    stopping: watch::Receiver<()>,
}

impl Acceptor {
    /// Takes over a bound listener. Whoever drops the acceptor refuses new clients.
    ///
    /// # Errors
    /// When the listener cannot be handed to the runtime.
    pub fn new(listener: std::net::TcpListener, shutdown: &Shutdown) -> io::Result<Acceptor> {
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        let (stop, stopping) = watch::channel(());
        shutdown.on_stop(move || drop(stop));
        Ok(Acceptor { listener, stopping })
    }

    /// The next client, or `None` when the process has been told to stop.
    ///
    /// # Errors
    /// As [`accept`](crate::accept::Acceptor::accept) of the threads.
    pub async fn accept(&mut self) -> io::Result<Option<(Connection, SocketAddr)>> {
        let (listener, mut stopping) = (&self.listener, self.stopping.clone());
        log::info!("waiting for a client");
        let (stream, peer) = tokio::select! {
            // A stop comes first, however many clients wait.
            biased;
            _ = stopping.changed() => return Ok(None),
            accepted = next(listener) => accepted?,
        };
        Ok(Some((Connection::new(stream, stopping), peer)))
    }
}

async fn next(listener: &TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
    loop {
        match affordable(listener.accept().await) {
            Ok((stream, peer)) => match without_delay(&stream) {
                Ok(()) => return Ok((stream, peer)),
                // macOS answers EINVAL once the peer has reset.
                Err(error) => log::warn!("{peer} dropped: {}", reason(&error)),
            },
            Err(error) => {
                if log_accept_error(error)? == Reach::AllForNow {
                    sleep(SHORTAGE_PAUSE).await;
                }
            }
        }
    }
}

/// A client's connection: a read that a stop finds waiting ends as a stream does.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    stopping: watch::Receiver<()>,
    /// For all reads: to set one timer anew costs less than to make one for each.
    alarm: Pin<Box<Sleep>>,
    ended_by_stop: bool,
}

impl Connection {
    fn new(stream: TcpStream, stopping: watch::Receiver<()>) -> Connection {
        let alarm = Box::pin(sleep(LONGEST));
        Connection { stream, stopping, alarm, ended_by_stop: false }
    }

    /// Waits until there is something, and appends it, as far as `buf` has room: 0 bytes at
    /// the end of the stream, or for a stop when everything that has arrived is read.
    /// Nothing is lost when it is dropped.
    ///
    /// # Errors
    /// `TimedOut` when `deadline` passes first, or has passed; those of the stream.
    pub async fn read_by(&mut self, deadline: Deadline, buf: &mut Vec<u8>) -> io::Result<usize> {
        // A client that always has something is never waited for.
        deadline.remaining()?;
        self.alarm.as_mut().reset(deadline.into());
        let stopped = tokio::select! {
            // What has arrived comes before a stop.
            biased;
            n = self.stream.read_buf(buf) => return n,
            _ = self.stopping.changed() => true,
            () = &mut self.alarm => false,
        };
        // The runtime may not have been told of it yet: where the process was halted, it
        // tells of the clock before the bytes. And it is never told of bytes behind urgent
        // ones (MSG_OOB), at which a read ends early: to wait for it would be for ever.
        if is_ready(&self.stream, Interest::Reading)? {
            let read = recv(&self.stream, spare_capacity(buf), RecvFlags::empty());
            if let Some((n, _)) = or_nothing_yet(read.map_err(io::Error::from))? {
                return Ok(n);
            }
        }
        self.ended_by_stop = stopped;
        if stopped { Ok(0) } else { Err(ErrorKind::TimedOut.into()) }
    }

    /// Waits until the system has taken all of `bytes`. A stop does not cut it.
    ///
    /// # Errors
    /// Those of the stream.
    pub async fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await
    }

    /// Ends our side. A close that leaves something unread would reset the connection, and
    /// the reset may overtake our last reply: so from a client that sends, or has not
    /// taken everything, what comes is read first until it ends too or [`LINGER`] is over.
    async fn close(mut self) {
        let has_all = has_taken_all(&self.stream);
        let mut scrap = [0; 4096];
        let ended = self.stream.shutdown().await;
        if ended.is_err() || has_all && self.stream.try_read(&mut scrap).is_err() {
            return;
        }
        let drained = async { while self.stream.read(&mut scrap).await.is_ok_and(|n| n > 0) {} };
        let _ = timeout(LINGER, drained).await;
    }
}

/// Serves one client with `serve`, logs how that ended, and closes the connection in
/// stages. A panic in `serve` ends this client and nobody else.
pub async fn visit(
    mut connection: Connection,
    peer: impl Display,
    serve: impl AsyncFnOnce(&mut Connection) -> io::Result<()>,
) {
    log::info!("{peer} connected");
    let served = caught_async(serve(&mut connection)).await;
    let ended = served.map(|()| match connection.ended_by_stop {
        true => Ended::ByStop,
        false => Ended::ByPeer,
    });
    log_end(peer, &ended);
    if !matches!(ended, Ok(Ended::ByPeer)) {
        connection.close().await;
    }
}

/// As the runtime has it, which knows of no never.
impl From<Deadline> for Instant {
    fn from(deadline: Deadline) -> Instant {
        deadline.instant().map_or_else(|| Instant::now() + LONGEST, Instant::from_std)
    }
}

#[cfg(target_os = "linux")]
#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::time::Duration;

    use socket2::SockRef;

    use super::*;

    /// Ends a test that would otherwise hang; no correct run comes near it.
    const GENEROUS: Duration = Duration::from_secs(30);

    #[tokio::test]
    async fn what_stands_behind_urgent_bytes_holds_nobody_beyond_the_deadline() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let shutdown = Shutdown::new(GENEROUS).unwrap();
        let mut client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let mut acceptor = Acceptor::new(listener, &shutdown).unwrap();
        let (mut connection, _) = acceptor.accept().await.unwrap().unwrap();
        let mut buf = Vec::with_capacity(64);
        client.write_all(b"first").unwrap();
        assert_eq!(connection.read_by(Deadline::after(GENEROUS), &mut buf).await.unwrap(), 5);
        client.write_all(b"ab").unwrap();
        SockRef::from(&client).send_out_of_band(b"!").unwrap();
        client.write_all(b"cd").unwrap();
        // All is there before the runtime looks, so the system tells of it once.
        while !has_taken_all(&client) {
            std::thread::yield_now();
        }
        let mut come = Vec::new();
        // The last one finds nothing.
        for _ in 0..3 {
            let deadline = Deadline::after(Duration::from_millis(50));
            let read = timeout(GENEROUS, connection.read_by(deadline, &mut buf)).await;
            come.push(read.expect("a deadline holds").map_err(|error| error.kind()));
        }
        assert_eq!(come, [Ok(2), Ok(2), Err(ErrorKind::TimedOut)]);
        assert_eq!(buf, b"firstabcd");
    }
}
