//! A client's stream in TLS: as a stream of TCP, it may be read in one thread and written
//! in another, and nobody waits for the handshake but who needs it.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use rustls::Connection;
use socket2::SockRef;

use super::Wire;
use inner::Inner;

mod inner;

pub use inner::Bare;

/// One end of a stream in TLS. Dropping it says nothing: a test that is to say goodbye
/// does so by [`half_close`](Wire::half_close).
#[derive(Debug, Clone)]
pub struct TlsWire(Arc<Inner>);

impl TlsWire {
    /// Over this connection. The handshake is made in the background.
    pub fn new(tls: Connection, socket: TcpStream) -> TlsWire {
        TlsWire(Inner::start(tls, socket, None))
    }

    /// As [`new`](TlsWire::new), where something has to be said first: `greet` is given the
    /// exporter value of `label` in this session.
    pub fn greeting(
        tls: Connection,
        socket: TcpStream,
        label: &'static [u8],
        greet: impl Fn(&mut Bare<'_>, [u8; 32]) -> io::Result<()> + Send + Sync + 'static,
    ) -> TlsWire {
        TlsWire(Inner::start(tls, socket, Some((label, Arc::new(greet)))))
    }
}

impl Read for TlsWire {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read(buf)
    }
}

impl Write for TlsWire {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0.write(buf)
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
        self.0.half_close()
    }
}
