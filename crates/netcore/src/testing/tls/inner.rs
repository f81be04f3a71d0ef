//! What the handles of one stream share.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustls::Connection;

use super::Greeting;
use crate::deadline::Deadline;
use crate::testing::GENEROUS;
use crate::wait::{self, Interest, Waited};

/// Encrypted bytes that are read at once.
const INCOMING: usize = 16 << 10;

/// Bytes that a client may say before it can.
const PENDING: usize = 64 << 10;

/// For how long the handshake keeps a connection open that everybody else has dropped.
const LOOK: Duration = Duration::from_millis(20);

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) socket: TcpStream,
    state: Mutex<State>,
    changed: Condvar,
    /// What is encrypted and not sent. Who has it writes to the socket: what is encrypted
    /// first goes out first.
    sending: Mutex<Vec<u8>>,
}

#[derive(Debug)]
struct State {
    tls: Connection,
    /// What has come and not been decrypted yet.
    left: Vec<u8>,
    /// What was said before it could be.
    pending: Vec<u8>,
    /// Goodbye is to be said once there is a way to say it.
    ending: bool,
    /// How handshake and greeting have ended.
    begun: Option<Result<(), ErrorKind>>,
}

/// A stream between the handshake and its first user.
#[derive(Debug)]
struct Bare<'a>(&'a Inner);

impl Inner {
    pub(super) fn new(tls: Connection, socket: TcpStream) -> Inner {
        let (left, pending) = (Vec::new(), Vec::new());
        let state = Mutex::new(State { tls, left, pending, ending: false, begun: None });
        Inner { socket, state, changed: Condvar::new(), sending: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the handshake is done.
    pub(super) fn shake_hands_for_a_while(&self) -> io::Result<bool> {
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

    pub(super) fn greet<G: Greeting>(&self) -> io::Result<()> {
        let exported = self.state().tls.export_keying_material([0; 32], G::LABEL, None);
        G::greet(&mut Bare(self), exported.map_err(io::Error::other)?)
    }

    /// Everybody may read and write, or is told why not.
    pub(super) fn begin(&self, done: io::Result<()>) {
        self.state().begun = Some(done.map_err(|error| error.kind()));
        // Where it fails, whoever reads next is told.
        let _ = self.send();
        self.changed.notify_all();
    }

    /// Waits for the end of all that, as long as for any bytes.
    fn begun(&self) -> io::Result<()> {
        let limit = self.socket.read_timeout()?.unwrap_or(GENEROUS);
        let waits = |state: &mut State| state.begun.is_none();
        let waited = self.changed.wait_timeout_while(self.state(), limit, waits);
        let begun = waited.unwrap_or_else(PoisonError::into_inner).0.begun;
        begun.unwrap_or(Err(ErrorKind::TimedOut)).map_err(io::Error::from)
    }

    /// Sends what there is to send.
    fn send(&self) -> io::Result<()> {
        let mut unsent = self.sending.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let mut state = self.state();
            if state.begun.is_some() && !state.tls.is_handshaking() {
                let State { tls, pending, .. } = &mut *state;
                let n = tls.writer().write(pending)?;
                pending.drain(..n);
                if pending.is_empty() && std::mem::take(&mut state.ending) {
                    state.tls.send_close_notify();
                }
            }
            while state.tls.wants_write() {
                state.tls.write_tls(&mut *unsent)?;
            }
            // Not while it waits for room: the other thread has to read meanwhile.
            drop(state);
            let Some(_) = unsent.first() else { return Ok(()) };
            while !unsent.is_empty() {
                let n = (&self.socket).write(&unsent)?;
                unsent.drain(..n);
            }
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
        let State { tls, left, .. } = &mut *state;
        let mut rest = left.as_slice();
        // rustls takes a part only, and holds little that nobody has read.
        if tls.read_tls(&mut rest)? == 0 && tls.is_handshaking() {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        *left = rest.to_vec();
        let done = tls.process_new_packets();
        let answers = tls.wants_write();
        drop(state);
        if answers {
            self.send()?;
        }
        done.map(drop).map_err(|error| io::Error::new(ErrorKind::InvalidData, error))
    }

    pub(super) fn read(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.begun()?;
        Bare(self).read(buf)
    }

    pub(super) fn write(&self, buf: &[u8]) -> io::Result<usize> {
        let mut state = self.state();
        if state.begun.is_none() && state.pending.len() < PENDING {
            state.pending.extend_from_slice(buf);
            return Ok(buf.len());
        }
        drop(state);
        self.begun()?;
        Bare(self).write(buf)
    }

    pub(super) fn half_close(&self) -> io::Result<()> {
        self.state().ending = true;
        self.send()
    }
}

impl Read for Bare<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.0.state().tls.reader().read(buf);
            match read {
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.0.receive()?,
                done => return done,
            }
        }
    }
}

impl Write for Bare<'_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let n = self.0.state().tls.writer().write(buf)?;
        self.0.send().map(|()| n)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
