//! A client's stream in TLS: as a stream of TCP, it may be read in one thread and written
//! in another, and nothing waits for the handshake but what needs it.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::Connection;
use socket2::SockRef;

use super::Wire;

/// Encrypted bytes that are read at once.
const INCOMING: usize = 16 << 10;

/// One end of a stream in TLS. Dropping it says nothing: a test that is to say goodbye
/// does so by [`half_close`](Wire::half_close).
#[derive(Debug, Clone)]
pub struct TlsWire {
    tls: Arc<Mutex<State>>,
    /// Who has it writes to the socket: what is encrypted first goes out first.
    sending: Arc<Mutex<()>>,
    socket: Arc<TcpStream>,
}

#[derive(Debug)]
struct State {
    tls: Connection,
    /// What has come and not been decrypted yet.
    left: Vec<u8>,
    /// Goodbye is to be said once there is a way to say it.
    ending: bool,
}

impl TlsWire {
    /// Over this connection. The handshake comes with the first reads and writes.
    pub fn new(tls: Connection, socket: TcpStream) -> TlsWire {
        let tls = Arc::new(Mutex::new(State { tls, left: Vec::new(), ending: false }));
        TlsWire { tls, sending: Arc::default(), socket: Arc::new(socket) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.tls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends what there is to send.
    fn send(&self) -> io::Result<()> {
        let _turn = self.sending.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let mut bytes = Vec::new();
            let mut state = self.state();
            if state.ending && !state.tls.is_handshaking() {
                state.tls.send_close_notify();
                state.ending = false;
            }
            while state.tls.wants_write() {
                state.tls.write_tls(&mut bytes)?;
            }
            // Not while it waits for room: the other thread has to read meanwhile.
            drop(state);
            if bytes.is_empty() {
                return Ok(());
            }
            (&*self.socket).write_all(&bytes)?;
        }
    }

    /// Waits for more, unless there is more that has been read.
    fn receive(&self) -> io::Result<()> {
        if self.state().left.is_empty() {
            let mut bytes = vec![0; INCOMING];
            let n = (&*self.socket).read(&mut bytes)?;
            bytes.truncate(n);
            self.state().left = bytes;
        }
        let mut state = self.state();
        let State { tls, left, ending } = &mut *state;
        let mut rest = left.as_slice();
        // rustls takes a part only, and holds little that nobody has read.
        tls.read_tls(&mut rest)?;
        *left = rest.to_vec();
        let done = tls.process_new_packets();
        let answers = tls.wants_write() || *ending;
        drop(state);
        if answers {
            self.send()?;
        }
        done.map(drop).map_err(|error| io::Error::new(ErrorKind::InvalidData, error))
    }

    fn is_handshaking(&self) -> bool {
        self.state().tls.is_handshaking()
    }
}

impl Read for TlsWire {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.is_handshaking() {
            self.send()?;
        }
        loop {
            let read = self.state().tls.reader().read(buf);
            match read {
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.receive()?,
                done => return done,
            }
        }
    }
}

impl Write for TlsWire {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        loop {
            // Before the handshake, a little is kept until it can be encrypted.
            let n = self.state().tls.writer().write(buf)?;
            self.send()?;
            if n > 0 || buf.is_empty() {
                return Ok(n);
            }
            self.receive()?;
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Wire for TlsWire {
    fn socket(&self) -> SockRef<'_> {
        SockRef::from(&*self.socket)
    }

    fn again(&self) -> Box<dyn Wire> {
        Box::new(self.clone())
    }

    fn half_close(&mut self) -> io::Result<()> {
        self.state().ending = true;
        self.send()
    }
}
