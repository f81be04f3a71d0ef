//! A client's stream in TLS: as a stream of TCP, it may be read in one thread and written
//! in another, and nobody waits for the handshake but who needs it.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Weak};
use std::thread;

use rustls::Connection;
use socket2::SockRef;

use super::Wire;
use inner::{Greet, Inner};

mod inner;

pub use inner::Bare;

/// One end of a stream in TLS. Dropping it says nothing: a test that is to say goodbye
/// does so by [`half_close`](Wire::half_close).
#[derive(Debug, Clone)]
pub struct TlsWire(Arc<Inner>);

/// What is said first, and the label of what it is given.
type Greeting = (&'static [u8], Box<Greet>);

impl TlsWire {
    /// Over this connection. The handshake is made in the background.
    pub fn new(tls: Connection, socket: TcpStream) -> TlsWire {
        TlsWire::start(tls, socket, None)
    }

    /// As [`new`](TlsWire::new), where something has to be said first: `greet` is given the
    /// exporter value of `label` in this session.
    pub fn greeting(
        tls: Connection,
        socket: TcpStream,
        label: &'static [u8],
        greet: impl Fn(&mut Bare<'_>, [u8; 32]) -> io::Result<()> + Send + Sync + 'static,
    ) -> TlsWire {
        TlsWire::start(tls, socket, Some((label, Box::new(greet))))
    }

    fn start(tls: Connection, socket: TcpStream, greeting: Option<Greeting>) -> TlsWire {
        let inner = Arc::new(Inner::new(tls, socket));
        let weak = Arc::downgrade(&inner);
        thread::spawn(move || begin(&weak, greeting));
        TlsWire(inner)
    }
}

/// Until it is done, or nobody has the stream any more.
fn begin(stream: &Weak<Inner>, greeting: Option<Greeting>) {
    while let Some(stream) = stream.upgrade() {
        let done = match (stream.shake_hands_for_a_while(), &greeting) {
            (Ok(false), _) => continue,
            (Ok(true), Some((label, greet))) => stream.greet(label, &**greet),
            (done, _) => done.map(drop),
        };
        return stream.begin(done);
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
