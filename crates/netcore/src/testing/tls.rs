//! The promises in TLS, each with a certificate that lives as long as its test.
//!
//! As a stream of TCP, a client's may be read in one thread and written in another, and
//! nobody waits for the handshake but who needs it.

use std::fmt::Debug;
use std::io::{self, Read, Write};
use std::marker::PhantomData;
use std::net::{Shutdown as Side, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use rustls::Connection as Session;

use super::transport::{Stream, Tcp, Transport};
use crate::client::exchange;
use crate::connection::Connection;
use crate::tls::{ClientSide, ServerSide};
use inner::Inner;

mod inner;

/// What the certificate is for.
const HOST: &str = "localhost";

/// TLS over TCP; a client says `G` first.
#[derive(Debug, Clone)]
pub struct Tls<G = ()>(PhantomData<G>);

/// What a client says after the handshake and before anything else.
pub trait Greeting: Debug + Clone + Send + 'static {
    /// What the keys of the session are asked for.
    const LABEL: &'static [u8];

    /// Says it. `session` is what the keys say to the label.
    ///
    /// # Errors
    /// What the stream says, and that the server did not like it.
    fn greet(stream: &mut (impl Read + Write), session: [u8; 32]) -> io::Result<()>;
}

/// Nothing.
impl Greeting for () {
    const LABEL: &'static [u8] = b"EXPORTER-nothing";

    fn greet(_: &mut (impl Read + Write), _: [u8; 32]) -> io::Result<()> {
        Ok(())
    }
}

/// What a server accepts from, and what it shows of itself.
#[derive(Debug)]
pub struct TlsListener {
    /// Where connections come in.
    pub socket: TcpListener,
    /// The certificate.
    pub side: ServerSide,
}

/// Where a server listens, and what it is known by.
#[derive(Debug, Clone)]
pub struct TlsAddress {
    /// Where connections go.
    pub socket: SocketAddr,
    /// Whom a client believes.
    pub side: ClientSide,
}

impl<G: Greeting> Transport for Tls<G> {
    type Listener = TlsListener;
    type Address = TlsAddress;
    type Stream = TlsWire;

    fn listen() -> TlsListener {
        let side = ServerSide::made_now().expect("a certificate can be made");
        TlsListener { socket: Tcp::listen(), side }
    }

    fn address(listener: &TlsListener) -> TlsAddress {
        let side = ClientSide::knowing(listener.side.fingerprint()).expect("it can be known");
        TlsAddress { socket: Tcp::address(&listener.socket), side }
    }

    fn limit_room(listener: &TlsListener) {
        Tcp::limit_room(&listener.socket);
    }

    fn connect(address: &TlsAddress) -> io::Result<TlsWire> {
        TlsWire::start::<G>(&address.side, Tcp::connect(&address.socket)?)
    }

    fn connect_with_little_room(address: &TlsAddress) -> io::Result<TlsWire> {
        TlsWire::start::<G>(&address.side, Tcp::connect_with_little_room(&address.socket)?)
    }

    fn exchange(address: &TlsAddress, messages: &[&[u8]]) -> io::Result<Vec<Vec<u8>>> {
        let mut connection = Connection::of_client(Tcp::connect(&address.socket)?)?;
        let mut stream = address.side.connect(&mut connection, HOST)?;
        let session = stream.session().exporter(G::LABEL)?;
        G::greet(&mut stream, session)?;
        let replies = messages.iter().map(|message| exchange(&mut stream, message)).collect();
        stream.finish()?;
        replies
    }
}

/// One end of a stream in TLS. Dropping it says nothing: a test that is to say goodbye
/// does so by ending its sending.
#[derive(Debug, Clone)]
pub struct TlsWire(Arc<Inner>);

impl TlsWire {
    /// Over this connection. The handshake is made in the background.
    fn start<G: Greeting>(side: &ClientSide, socket: TcpStream) -> io::Result<TlsWire> {
        let session: Session = side.connection(HOST)?;
        let inner = Arc::new(Inner::new(session, socket));
        let weak = Arc::downgrade(&inner);
        thread::spawn(move || begin::<G>(&weak));
        Ok(TlsWire(inner))
    }

    /// The socket under it, which nobody encrypts for.
    pub fn socket(&self) -> &TcpStream {
        &self.0.socket
    }
}

/// Until it is done, or nobody has the stream any more.
fn begin<G: Greeting>(stream: &Weak<Inner>) {
    while let Some(stream) = stream.upgrade() {
        let done = match stream.shake_hands_for_a_while() {
            Ok(false) => continue,
            Ok(true) => stream.greet::<G>(),
            Err(error) => Err(error),
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

impl Stream for TlsWire {
    fn set_timeouts(&self, read: Duration, write: Duration) -> io::Result<()> {
        self.socket().set_timeouts(read, write)
    }

    fn again(&self) -> io::Result<TlsWire> {
        Ok(self.clone())
    }

    /// The end of the sending is a word of the protocol; the other ends are those of the
    /// socket.
    fn shutdown(&self, side: Side) -> io::Result<()> {
        match side {
            Side::Write => self.0.half_close(),
            side => self.socket().shutdown(side),
        }
    }

    fn reset_at_end(&self) -> io::Result<()> {
        self.socket().reset_at_end()
    }

    fn name(&self) -> io::Result<String> {
        self.socket().name()
    }
}
