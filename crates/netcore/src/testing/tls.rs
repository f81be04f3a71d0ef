//! A client's stream in TLS: as a stream of TCP, it may be read in one thread and written
//! in another, and nobody waits for the handshake but who needs it.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use rustls::Connection;
use socket2::SockRef;

use super::{GENEROUS, Wire};
use crate::deadline::Deadline;
use crate::wait::{self, Interest, Waited};

/// Encrypted bytes that are read at once.
const INCOMING: usize = 16 << 10;

/// For how long the handshake keeps a connection open that everybody else has dropped.
const LOOK: Duration = Duration::from_millis(20);

/// One end of a stream in TLS. Dropping it says nothing: a test that is to say goodbye
/// does so by [`half_close`](Wire::half_close).
#[derive(Debug, Clone)]
pub struct TlsWire(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    socket: TcpStream,
    state: Mutex<State>,
    changed: Condvar,
    /// Who has it writes to the socket: what is encrypted first goes out first.
    sending: Mutex<()>,
}

#[derive(Debug)]
struct State {
    tls: Connection,
    /// What has come and not been decrypted yet.
    left: Vec<u8>,
    /// Goodbye is to be said once there is a way to say it.
    ending: bool,
    /// How the handshake has ended.
    begun: Option<Result<(), ErrorKind>>,
}

impl TlsWire {
    /// Over this connection. The handshake is made in the background.
    pub fn new(tls: Connection, socket: TcpStream) -> TlsWire {
        let state = Mutex::new(State { tls, left: Vec::new(), ending: false, begun: None });
        let (changed, sending) = (Condvar::new(), Mutex::default());
        let wire = TlsWire(Arc::new(Inner { socket, state, changed, sending }));
        let weak = Arc::downgrade(&wire.0);
        thread::spawn(move || shake_hands(&weak));
        wire
    }
}

/// Until it is done, or nobody has the stream any more.
fn shake_hands(stream: &Weak<Inner>) {
    while let Some(stream) = stream.upgrade() {
        let done = stream.shake_hands_for_a_while();
        if !matches!(done, Ok(false)) {
            stream.state().begun = Some(done.map(drop).map_err(|error| error.kind()));
            return stream.changed.notify_all();
        }
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it is done.
    fn shake_hands_for_a_while(&self) -> io::Result<bool> {
        self.send()?;
        if !self.state().tls.is_handshaking() {
            return Ok(true);
        }
        let soon = Deadline::after(LOOK);
        if wait::ready(&self.socket, Interest::Reading, None, soon)? == Waited::Ready {
            self.receive()?;
        }
        Ok(false)
    }

    /// Waits for the end of the handshake, as long as for any bytes.
    fn begun(&self) -> io::Result<()> {
        let limit = self.socket.read_timeout()?.unwrap_or(GENEROUS);
        let waits = |state: &mut State| state.begun.is_none();
        let waited = self.changed.wait_timeout_while(self.state(), limit, waits);
        let begun = waited.unwrap_or_else(PoisonError::into_inner).0.begun;
        begun.unwrap_or(Err(ErrorKind::TimedOut)).map_err(io::Error::from)
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
            (&self.socket).write_all(&bytes)?;
        }
    }

    /// Waits for more, unless there is more that has been read.
    fn receive(&self) -> io::Result<()> {
        if self.state().left.is_empty() {
            let mut bytes = vec![0; INCOMING];
            let n = (&self.socket).read(&mut bytes)?;
            bytes.truncate(n);
            self.state().left = bytes;
        }
        let mut state = self.state();
        let State { tls, left, ending, .. } = &mut *state;
        let mut rest = left.as_slice();
        // rustls takes a part only, and holds little that nobody has read.
        if tls.read_tls(&mut rest)? == 0 && tls.is_handshaking() {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        *left = rest.to_vec();
        let done = tls.process_new_packets();
        let answers = tls.wants_write() || *ending;
        drop(state);
        if answers {
            self.send()?;
        }
        done.map(drop).map_err(|error| io::Error::new(ErrorKind::InvalidData, error))
    }
}

impl Read for TlsWire {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.begun()?;
        loop {
            let read = self.0.state().tls.reader().read(buf);
            match read {
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.0.receive()?,
                done => return done,
            }
        }
    }
}

impl Write for TlsWire {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        loop {
            // Before the handshake, a little is kept until it can be encrypted.
            let n = self.0.state().tls.writer().write(buf)?;
            self.0.send()?;
            if n > 0 || buf.is_empty() {
                return Ok(n);
            }
            self.0.begun()?;
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Wire for TlsWire {
    fn socket(&self) -> SockRef<'_> {
        SockRef::from(&self.0.socket)
    }

    fn again(&self) -> Box<dyn Wire> {
        Box::new(self.clone())
    }

    fn half_close(&mut self) -> io::Result<()> {
        self.0.state().ending = true;
        self.0.send()
    }
}
