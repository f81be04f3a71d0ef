//! One end of an encrypted conversation, whatever carries its bytes.
//!
//! rustls neither reads nor waits: it turns bytes that have come into others, and says
//! what is to be sent. Here it gets what it needs from a stream that waits.

use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::ops::Range;
use std::sync::Arc;

use rustls::{Connection, HandshakeKind};

use super::refusal::{CUT_OFF, is_plain, refused, refused_meanwhile};

/// Encrypted bytes that one call reads at most: two of the largest records.
const INCOMING: usize = 32 << 10;

/// The first byte of a conversation in TLS: a record of the handshake.
const HANDSHAKE: u8 = 22;

/// The encryption of one connection, and the stream is the caller's: each call is given
/// it.
#[derive(Debug)]
pub struct Session {
    tls: Connection,
    /// What is said, readable, to a peer that does not speak TLS.
    to_plain: Arc<[u8]>,
    /// What has come and not been decrypted yet.
    incoming: Vec<u8>,
    left: Range<usize>,
    /// Whether anything has come at all.
    begun: bool,
    /// What the next read has to tell.
    wrong: Option<io::Error>,
}

impl Session {
    pub(super) fn new(tls: Connection, to_plain: Arc<[u8]>) -> Session {
        let (incoming, left) = (vec![0; INCOMING], 0..0);
        Session { tls, to_plain, incoming, left, begun: false, wrong: None }
    }

    /// Agrees on keys with the other end, and learns who it is. With the first
    /// [`read`](Session::read), this happens as well.
    ///
    /// # Errors
    /// What the stream says, and that there is no agreement.
    pub fn handshake(&mut self, stream: &mut (impl Read + Write)) -> io::Result<()> {
        while self.tls.is_handshaking() {
            self.send(stream)?;
            if self.tls.is_handshaking() && self.receive(stream)? == 0 {
                let why = "the other end left in the middle of the handshake";
                return Err(io::Error::new(ErrorKind::UnexpectedEof, why));
            }
        }
        self.send(stream)
    }

    /// As [`Read::read`]: `Ok(0)` when the other end has said that nothing more comes.
    ///
    /// # Errors
    /// `UnexpectedEof` when the stream has ended and the other end has not said so: anybody
    /// on the way may have cut it. Else as [`handshake`](Session::handshake).
    pub fn read(&mut self, stream: &mut (impl Read + Write), buf: &mut [u8]) -> io::Result<usize> {
        if let Some(error) = self.wrong.take() {
            return Err(error);
        }
        let mut n = 0;
        loop {
            let error = match self.tls.reader().read(&mut buf[n..]) {
                Ok(more) if more == 0 || n + more == buf.len() => return Ok(n + more),
                Ok(more) => {
                    n += more;
                    continue;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    // Of what has come, all that there is room for; and no wait for more.
                    if n > 0 && self.left.is_empty() {
                        return Ok(n);
                    }
                    match self.receive(stream) {
                        Ok(_) => continue,
                        Err(error) => error,
                    }
                }
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                    io::Error::new(ErrorKind::UnexpectedEof, CUT_OFF)
                }
                Err(error) => error,
            };
            if n == 0 {
                return Err(error);
            }
            // What was right comes first.
            self.wrong = Some(error);
            return Ok(n);
        }
    }

    /// Waits for more, once, and answers what wants an answer. 0 at the end of the stream.
    fn receive(&mut self, stream: &mut (impl Read + Write)) -> io::Result<usize> {
        let mut n = self.left.len();
        if n == 0 {
            n = stream.read(&mut self.incoming)?;
            self.left = 0..n;
            if n == 0 {
                // From here on, rustls tells whether anybody has said goodbye.
                self.tls.read_tls(&mut io::empty())?;
                return Ok(0);
            }
        }
        let speaks_tls = self.begun || self.incoming[self.left.start] == HANDSHAKE;
        self.begun = true;
        match self.decrypt() {
            Ok(()) => match self.send(stream) {
                // Of a stream that does not wait: what has come is there all the same.
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                sent => sent?,
            },
            Err(error) if !speaks_tls && is_plain(&error) => {
                stream.write_all(&self.to_plain)?;
                return Err(refused(error));
            }
            Err(error) => {
                // Tells the other end why, if it still listens.
                let _ = self.send(stream);
                return Err(refused_meanwhile(error));
            }
        }
        Ok(n)
    }

    /// Decrypts a part of what has come; rustls takes no more than 4 KiB at a time.
    fn decrypt(&mut self) -> Result<(), rustls::Error> {
        let mut left = &self.incoming[self.left.clone()];
        let taken = self.tls.read_tls(&mut left);
        self.left.start = self.left.end - left.len();
        match taken {
            Ok(_) => self.tls.process_new_packets().map(drop),
            Err(error) => Err(rustls::Error::General(error.to_string())),
        }
    }

    /// As [`Write::write_vectored`]: what it takes has been handed over when this returns,
    /// and nothing is kept.
    ///
    /// # Errors
    /// What the stream says. A part of a record may have been sent then, so that nothing
    /// can be written behind it.
    pub fn write(&mut self, stream: &mut impl Write, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        let n = self.keep(parts)?;
        self.send(stream)?;
        Ok(n)
    }

    /// Encrypts a part of it, which [`send`](Session::send) sends: for a stream that does
    /// not wait.
    ///
    /// # Errors
    /// None that rustls would have today.
    pub fn keep(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        self.tls.writer().write_vectored(parts)
    }

    /// Sends what is still to be sent.
    ///
    /// # Errors
    /// As [`write`](Session::write).
    pub fn send(&mut self, stream: &mut impl Write) -> io::Result<()> {
        while self.tls.wants_write() {
            match self.tls.write_tls(stream) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Says that nothing more will come, so that the other end knows that nobody cut it
    /// off ([RFC 8446 section 6.1](https://www.rfc-editor.org/rfc/rfc8446#section-6.1)).
    ///
    /// # Errors
    /// As [`write`](Session::write).
    pub fn end(&mut self, stream: &mut impl Write) -> io::Result<()> {
        if self.tls.is_handshaking() {
            // Nothing has been said that could be cut short.
            return Ok(());
        }
        self.tls.send_close_notify();
        self.send(stream)
    }

    /// Whether something is still to be sent.
    pub(super) fn wants_write(&self) -> bool {
        self.tls.wants_write()
    }

    /// Whether a read has something without a wait.
    pub(super) fn has_more(&mut self) -> bool {
        let decrypted = self.tls.process_new_packets();
        decrypted.map_or(true, |state| state.plaintext_bytes_to_read() > 0) || !self.left.is_empty()
    }

    /// Version and cipher, and whether the keys of an earlier visit were used again.
    pub fn summary(&self) -> String {
        let version = self.tls.protocol_version().and_then(|version| version.as_str());
        let suite = self.tls.negotiated_cipher_suite().and_then(|suite| suite.suite().as_str());
        let resumed = match self.tls.handshake_kind() {
            Some(HandshakeKind::Resumed) => ", resumed",
            _ => "",
        };
        format!("{} with {}{resumed}", version.unwrap_or("TLS"), suite.unwrap_or("no cipher"))
    }

    /// The certificate that the other end has shown, which has been verified (DER).
    pub fn certificate(&self) -> Option<&[u8]> {
        self.tls.peer_certificates().and_then(|chain| chain.first()).map(|first| first.as_ref())
    }

    /// Bytes that both ends of this very session know, and nobody else: of another
    /// session they are others
    /// ([RFC 8446 section 7.5](https://www.rfc-editor.org/rfc/rfc8446#section-7.5)).
    ///
    /// # Errors
    /// Before the handshake.
    pub fn exporter(&self, label: &[u8]) -> io::Result<[u8; 32]> {
        self.tls.export_keying_material([0; 32], label, None).map_err(io::Error::other)
    }
}
