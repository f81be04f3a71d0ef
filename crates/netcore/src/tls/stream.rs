//! A session over a connection: its deadlines and its stop, a half-close and a goodbye.

use std::fmt;
use std::io::{self, IoSlice, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::OnceLock;

use super::fingerprint::name_in;
use super::session::Session;
use crate::client::{Duplex, REPLY_TIMEOUT, or_nothing_yet, unasked};
use crate::connection::{Connection, LINGER, Socket};
use crate::deadline::Deadline;
use crate::wait::{Interest, Waited};

/// An encrypted stream over a [`Connection`], whose deadlines and whose stop it keeps.
///
/// Dropping it says goodbye, on every way out but one: where a part of what was to be
/// written is missing, the other end must not be told that it has everything.
#[derive(Debug)]
pub struct TlsStream<'a, S: Socket = TcpStream> {
    session: Session,
    connection: &'a mut Connection<S>,
    /// The last write took a part of what was to be said, and nobody has said the rest.
    cut: bool,
    /// Goodbye has been said.
    ended: bool,
}

impl<'a, S: Socket> TlsStream<'a, S> {
    /// Makes the handshake, until the deadline of the connection.
    pub(super) fn new(
        mut session: Session,
        connection: &'a mut Connection<S>,
    ) -> io::Result<TlsStream<'a, S>> {
        session.handshake(connection)?;
        Ok(TlsStream { session, connection, cut: false, ended: false })
    }

    /// From here on, every call fails with `TimedOut` when `deadline` has passed.
    pub fn set_deadline(&mut self, deadline: Deadline) {
        self.connection.set_deadline(deadline);
    }

    /// The encryption.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// The name in the certificate of the other end, where it has shown one.
    pub fn name(&self) -> Option<String> {
        self.session.certificate().map(name_in)
    }

    /// Says that nothing more will come: a half-close, since the other end may go on.
    ///
    /// # Errors
    /// What the connection says.
    pub fn half_close(&mut self) -> io::Result<()> {
        self.ended = true;
        self.session.end(self.connection)
    }

    /// The end of a client that has everything: says goodbye, and waits for that of the
    /// server, within [`REPLY_TIMEOUT`]. A server that has not even let us in says so here
    /// at the latest.
    ///
    /// # Errors
    /// What the connection says; `TimedOut`; that the server ended without a goodbye;
    /// `InvalidData` when it has said what nobody has asked for.
    pub fn finish(mut self) -> io::Result<()> {
        // The deadline of the last exchange has passed where a person has thought for longer.
        self.set_deadline(Deadline::after(REPLY_TIMEOUT));
        self.half_close()?;
        (io::copy(&mut self, &mut io::sink())? == 0).then_some(()).ok_or_else(unasked)
    }

    fn goodbye(&mut self) {
        if self.cut || self.ended {
            return;
        }
        // What has ended the visit may be its deadline, and what was taken before may still be
        // here: it goes first. Most often there is room, and all goes out at once, even beyond
        // the drain limit.
        self.connection.set_deadline(Deadline::after(LINGER));
        let _ = self.session.end(&mut AtOnce(self.connection));
        let _ = self.session.send(self.connection);
    }
}

/// A socket as it is: with no wait but its own. What is said has no deadline.
struct AtOnce<'a, S: Socket>(&'a Connection<S>);

impl<S: Socket> Write for AtOnce<'_, S> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0.get_ref().write_vectored(&[IoSlice::new(buf)])
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<S: Socket> Read for AtOnce<'_, S> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        // What comes need not be text, and then there may be no end to it.
        self.0.check_deadline()?;
        self.0.get_ref().read(buf)
    }
}

impl<S: Socket> Read for TlsStream<'_, S> {
    /// `Ok(0)` when the other end has said that nothing more comes, or a stop has begun and
    /// everything that had arrived is read. An end without a word is an error.
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self.session.read(self.connection, buf) {
            Err(_) if self.connection.ended_by_stop() => Ok(0),
            done => done,
        }
    }
}

impl<S: Socket> Write for TlsStream<'_, S> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let n = self.session.keep(&[IoSlice::new(buf)])?;
        self.cut = n < buf.len();
        self.session.send(self.connection)?;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<S: Socket> Duplex for TlsStream<'_, S> {
    fn peer(&self) -> io::Result<String> {
        self.connection.get_ref().peer_name()
    }

    fn set_deadline(&mut self, deadline: Deadline) {
        self.connection.set_deadline(deadline);
    }

    fn wait(&mut self, interest: Interest) -> io::Result<Waited> {
        if interest != Interest::Writing && self.session.has_more() {
            return Ok(Waited::Ready);
        }
        // What is encrypted already has to go out, whatever the caller waits for.
        let wants_write = self.session.wants_write();
        self.connection.wait(if wants_write { Interest::Both } else { interest })
    }

    fn write_now(&mut self, buf: &[u8]) -> io::Result<Option<usize>> {
        let mut socket = AtOnce(self.connection);
        // A part of a record is followed by its rest and by nothing else.
        let sent = or_nothing_yet(self.session.send(&mut socket))?;
        if sent.is_none() || buf.is_empty() {
            self.cut |= !buf.is_empty();
            return Ok(None);
        }
        let n = self.session.keep(&[IoSlice::new(buf)])?;
        self.cut = n < buf.len();
        or_nothing_yet(self.session.send(&mut socket))?;
        Ok(Some(n))
    }

    fn read_now(&mut self, buf: &mut [u8]) -> io::Result<Option<usize>> {
        or_nothing_yet(self.session.read(&mut AtOnce(self.connection), buf))
    }
}

impl<S: Socket> Drop for TlsStream<'_, S> {
    fn drop(&mut self) {
        self.goodbye();
    }
}

/// A client as the log calls it: by its address, and from the handshake on by the name in
/// its certificate as well.
#[derive(Debug)]
pub struct Peer {
    address: SocketAddr,
    name: OnceLock<String>,
}

impl Peer {
    /// Of whom only the address is known.
    pub fn at(address: SocketAddr) -> Peer {
        Peer { address, name: OnceLock::new() }
    }

    /// From here on it has this name, if any. A second one is of no effect.
    pub fn is_called(&self, name: Option<String>) {
        if let Some(name) = name {
            let _ = self.name.set(name);
        }
    }

    /// Its name, where it has proven one.
    pub fn name(&self) -> Option<&str> {
        self.name.get().map(String::as_str)
    }

    /// Its address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{}/{name}", self.address),
            None => write!(f, "{}", self.address),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;
    use std::net::TcpListener;
    use std::thread::{self, JoinHandle};
    use std::time::Duration;

    use super::*;
    use crate::tls::{ClientSide, ServerSide};

    /// Ends a test that would otherwise hang.
    const GENEROUS: Duration = Duration::from_secs(30);

    /// A client, its connection, and what a server does with the other end of it.
    fn connected<T: Send + 'static>(
        serve: impl FnOnce(&ServerSide, Connection) -> T + Send + 'static,
    ) -> (ClientSide, Connection, JoinHandle<T>) {
        let side = ServerSide::made_now().unwrap();
        let client = ClientSide::knowing(side.fingerprint()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let ours = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let [ours, theirs] = [ours, listener.accept().unwrap().0].map(|socket| {
            let mut connection = Connection::of_client(socket).unwrap();
            connection.set_deadline(Deadline::after(GENEROUS));
            connection
        });
        (client, ours, thread::spawn(move || serve(&side, theirs)))
    }

    /// What a client reads of a server that writes `text` when its time is over.
    fn read_what_was_late(text: &'static [u8]) -> (Vec<u8>, io::Result<usize>) {
        let (client, mut connection, server) = connected(move |side, mut connection| {
            let mut stream = side.accept(&mut connection).unwrap();
            stream.set_deadline(Deadline::after(Duration::ZERO));
            assert_eq!(stream.write_all(text).unwrap_err().kind(), ErrorKind::TimedOut);
        });
        let mut stream = client.connect(&mut connection, "localhost").unwrap();
        let mut read = Vec::new();
        let end = stream.read_to_end(&mut read);
        server.join().unwrap();
        (read, end)
    }

    #[test]
    fn what_was_written_at_the_last_moment_arrives_and_then_the_goodbye() {
        let (read, end) = read_what_was_late(b"hello");
        assert_eq!(read, b"hello");
        assert_eq!(end.unwrap(), 5);
    }

    /// A person at a prompt may have said nothing for a long time.
    #[test]
    fn a_client_that_ends_long_after_its_last_exchange_ends_well() {
        let (client, mut connection, server) = connected(|side, mut connection| {
            let read = side.accept(&mut connection).unwrap().read(&mut [0; 1]);
            assert_eq!(read.unwrap(), 0);
        });
        let mut stream = client.connect(&mut connection, "localhost").unwrap();
        stream.set_deadline(Deadline::after(Duration::ZERO));
        stream.finish().unwrap();
        server.join().unwrap();
    }

    /// It has spoken TLS until then, so it is not told that it does not.
    #[test]
    fn what_is_no_tls_in_the_middle_of_it_is_told_as_that() {
        let (client, mut connection, server) = connected(|side, mut connection| {
            side.accept(&mut connection).unwrap().read(&mut [0; 1]).unwrap_err().to_string()
        });
        let stream = client.connect(&mut connection, "localhost").unwrap();
        stream.connection.get_ref().write_all(b"hello\n").unwrap();
        assert_eq!(server.join().unwrap(), "what came is no TLS any more");
    }

    /// It could send for ever what says nothing, such as tickets for a further visit.
    #[test]
    fn who_never_stops_sending_is_not_read_beyond_the_deadline() {
        let (client, mut connection, server) = connected(|side, mut connection| {
            let mut stream = side.accept(&mut connection).unwrap();
            while stream.write_all(&[b'x'; 16 << 10]).is_ok() {}
        });
        let mut stream = client.connect(&mut connection, "localhost").unwrap();
        stream.read_exact(&mut [0; 1]).unwrap();
        stream.set_deadline(Deadline::after(Duration::ZERO));
        // More than can have come by then.
        let end = (0..10_000).find_map(|_| stream.read_now(&mut [0; 16 << 10]).err());
        drop(stream);
        drop(connection);
        server.join().unwrap();
        assert_eq!(end.map(|error| error.kind()), Some(ErrorKind::TimedOut));
    }

    /// More than is encrypted at a time: the rest has not even been taken.
    #[test]
    fn who_misses_a_part_of_what_was_to_be_written_is_not_told_that_this_is_all() {
        const LONG: &[u8] = &[b'x'; 1 << 20];
        let (read, end) = read_what_was_late(LONG);
        assert!(read.len() < LONG.len(), "{}", read.len());
        assert_eq!(end.unwrap_err().kind(), ErrorKind::UnexpectedEof);
    }
}
