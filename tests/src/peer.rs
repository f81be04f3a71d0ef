//! The other end of a connection, byte by byte, in words for what a test expects of it.

use std::io::{self, ErrorKind, Read, Write};
use std::mem::MaybeUninit;
use std::net::{Shutdown, SocketAddr, TcpListener};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use ladder::Address;
use netcore::testing::{Stream, TlsWire};
use socket2::{Domain, SockAddr, Socket, Type};

use crate::GENEROUS;

/// Long enough for a server on a busy machine to take what it will take.
const STUCK: Duration = Duration::from_secs(1);

/// Bytes that a [`deaf`](Peer::connect_deaf) peer takes before it is full.
const LITTLE_ROOM: usize = 4 << 10;

/// One end of a connection, over TCP or a UNIX socket, in TLS where the other end speaks
/// that. No call on it waits beyond the generous deadline.
#[derive(Debug)]
pub struct Peer {
    socket: Socket,
    /// What encrypts for the socket.
    tls: Option<TlsWire>,
}

impl Peer {
    /// Connects.
    ///
    /// # Panics
    /// When nobody listens at `address`.
    #[track_caller]
    pub fn connect(address: impl Into<Address>) -> Peer {
        let address = address.into();
        match connect(&address, |_| Ok(())) {
            Ok(socket) => Peer::new(socket),
            Err(error) => panic!("cannot connect to {address}: {error}"),
        }
    }

    /// Connects with next to no room for replies, for a test that will not read them.
    ///
    /// # Panics
    /// When nobody listens at `address`.
    #[track_caller]
    pub fn connect_deaf(address: impl Into<Address>) -> Peer {
        let address = address.into();
        // A size that was asked for is never made larger by the system.
        match connect(&address, |socket| socket.set_recv_buffer_size(LITTLE_ROOM)) {
            Ok(socket) => Peer::new(socket),
            Err(error) => panic!("cannot connect to {address}: {error}"),
        }
    }

    /// Accepts one connection, in a test that is the server itself.
    ///
    /// # Panics
    /// When nobody comes, or accept fails.
    #[track_caller]
    pub fn accept(listener: &TcpListener) -> Peer {
        let listener = listener.try_clone().expect("a listener can be cloned");
        let (sender, accepted) = mpsc::channel();
        // In a thread: std cannot accept until a deadline, and the client may have failed
        // before it connects.
        thread::spawn(move || sender.send(listener.accept()));
        let client = accepted.recv_timeout(GENEROUS).expect("a client comes");
        Peer::new(client.expect("a client can be accepted").0.into())
    }

    /// Over a connection in TLS.
    pub(crate) fn encrypted(wire: TlsWire) -> Peer {
        let socket = wire.socket().try_clone().expect("a stream can be cloned");
        Peer { tls: Some(wire), ..Peer::new(socket.into()) }
    }

    fn new(socket: Socket) -> Peer {
        socket.set_read_timeout(Some(GENEROUS)).expect("a timeout can be set");
        socket.set_write_timeout(Some(GENEROUS)).expect("a timeout can be set");
        // Over a UNIX socket nothing is held back, and there is no such option.
        let _ = socket.set_tcp_nodelay(true);
        Peer { socket, tls: None }
    }

    /// A second handle of the same end, for a test that reads and writes at once.
    pub fn again(&self) -> Peer {
        let socket = self.socket.try_clone().expect("a stream can be cloned");
        Peer { socket, tls: self.tls.clone() }
    }

    /// Our own address, which is the peer of the server's log: over a UNIX socket, our user
    /// and process and the name of this end.
    pub fn address(&self) -> String {
        let address = self.socket.local_addr().expect("a connection has an address");
        address.as_socket().map_or_else(|| user(&address), |address| address.to_string())
    }

    /// The stream itself, which nobody encrypts for.
    pub fn stream(&mut self) -> &mut Socket {
        &mut self.socket
    }

    fn reader(&mut self) -> &mut dyn Read {
        self.tls.as_mut().map_or(&mut self.socket, |tls| tls as &mut dyn Read)
    }

    fn writer(&mut self) -> &mut dyn Write {
        self.tls.as_mut().map_or(&mut self.socket, |tls| tls as &mut dyn Write)
    }

    /// Sends all of `bytes`.
    #[track_caller]
    pub fn send(&mut self, bytes: &[u8]) {
        if let Err(error) = self.writer().write_all(bytes) {
            panic!("cannot send {} bytes: {error}", bytes.len());
        }
    }

    /// Sends and reads at once: more than all the buffers on the way can hold.
    #[track_caller]
    pub fn exchange(&mut self, bytes: &[u8], expected: &[u8]) {
        let mut writer = self.again();
        thread::scope(|scope| {
            scope.spawn(move || writer.writer().write_all(bytes).expect("all is sent"));
            self.expect_bytes(expected);
        });
    }

    /// Sends all of `bytes` unless the other end has hung up.
    ///
    /// # Panics
    /// When it neither takes them nor hangs up.
    #[track_caller]
    pub fn try_send(&mut self, bytes: &[u8]) -> bool {
        still_there(self.writer().write_all(bytes))
    }

    /// Sends `bytes` and reads as many back unless the other end has hung up.
    ///
    /// # Panics
    /// When it neither answers nor hangs up.
    #[track_caller]
    pub fn try_exchange(&mut self, bytes: &[u8]) -> bool {
        self.try_send(bytes) && still_there(self.reader().read_exact(&mut vec![0; bytes.len()]))
    }

    /// Sends `bytes` again and again and reads nothing, until the server takes no more:
    /// it is blocked in a write.
    #[track_caller]
    pub fn send_until_stuck(&mut self, bytes: &[u8]) {
        self.socket.set_write_timeout(Some(STUCK)).expect("a timeout can be set");
        loop {
            match self.writer().write_all(bytes) {
                Ok(()) => {}
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
                {
                    return;
                }
                Err(error) => panic!("the server hung up instead of waiting: {error}"),
            }
        }
    }

    /// Closes the sending side: the other end reads end of stream, and its replies
    /// still come. In TLS this is a word, and the socket stays as it is.
    pub fn half_close(&mut self) {
        let closed = match &self.tls {
            Some(tls) => Stream::shutdown(tls, Shutdown::Write),
            None => self.socket.shutdown(Shutdown::Write),
        };
        closed.expect("the sending side can be closed");
    }

    /// Waits until there is something to read, and leaves it; in TLS, all but its first
    /// byte.
    #[track_caller]
    pub fn expect_something(&mut self) {
        if let Some(tls) = &mut self.tls {
            tls.read_exact(&mut [0]).expect("something comes");
            return;
        }
        match self.socket.peek(&mut [MaybeUninit::uninit()]) {
            Ok(1) => {}
            other => panic!("nothing came: {other:?}"),
        }
    }

    /// Hangs up rudely: the other end reads "connection reset". Over a UNIX socket, it does
    /// where there was something to read here.
    pub fn reset(self) {
        // SO_LINGER 0 makes the close a reset.
        self.socket.set_linger(Some(Duration::ZERO)).expect("SO_LINGER can be set");
    }

    /// Waits for exactly these bytes; what follows them is left.
    #[track_caller]
    pub fn expect_bytes(&mut self, expected: &[u8]) {
        let mut bytes = vec![0; expected.len()];
        if let Err(error) = self.reader().read_exact(&mut bytes) {
            panic!("no {} bytes: {error}", expected.len());
        }
        // Not assert_eq: a megabyte of numbers helps nobody.
        if bytes != expected {
            let at = bytes.iter().zip(expected).position(|(a, b)| a != b).unwrap_or_default();
            let end = expected.len().min(at + 40);
            let (got, wanted) = (&bytes[at..end], &expected[at..end]);
            panic!("at byte {at}: {:?}, not {:?}", got.escape_ascii(), wanted.escape_ascii());
        }
    }

    /// Waits for the end of the stream, with nothing before it.
    #[track_caller]
    pub fn expect_end_of_stream(&mut self) {
        let mut rest = [0; 64];
        match self.reader().read(&mut rest) {
            Ok(0) => {}
            Ok(n) => panic!("more came: {}", rest[..n].escape_ascii()),
            Err(error) => panic!("no end of stream: {error}"),
        }
    }

    /// Waits until the other end has hung up, politely or by a reset, whatever it sends
    /// before.
    #[track_caller]
    pub fn expect_hang_up(&mut self) {
        let mut rest = [0; 64 << 10];
        loop {
            match self.reader().read(&mut rest) {
                Ok(0) => return,
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return,
                // In TLS, an end without a goodbye, or in the middle of the handshake.
                Err(error)
                    if matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::BrokenPipe) =>
                {
                    return;
                }
                Err(error) => panic!("the other end does not hang up: {error}"),
            }
        }
    }

    /// Waits until the other end has hung up, politely or by a reset, with nothing
    /// before it.
    #[track_caller]
    pub fn expect_hang_up_without_a_word(&mut self) {
        let mut rest = [0; 64];
        match self.reader().read(&mut rest) {
            Ok(0) => {}
            Ok(n) => panic!("more came: {}", rest[..n].escape_ascii()),
            // What the other end has left unread makes its close a reset.
            Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}"),
        }
    }

    /// Nothing has come, and the connection is open.
    #[track_caller]
    pub fn assert_would_block(&mut self) {
        self.socket.set_nonblocking(true).expect("the mode can be set");
        let mut early = [0; 64];
        match self.reader().read(&mut early) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Ok(n) => panic!("something came: {:?}", early[..n].escape_ascii().to_string()),
            Err(error) => panic!("not open any more: {error}"),
        }
        self.socket.set_nonblocking(false).expect("the mode can be set");
    }
}

impl Peer {
    /// The connection is open, whatever has come: some servers speak first.
    #[track_caller]
    pub fn assert_open(&mut self) {
        self.socket.set_nonblocking(true).expect("the mode can be set");
        match self.socket.peek(&mut [MaybeUninit::uninit()]) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Ok(n) => assert_ne!(n, 0, "not open any more"),
            Err(error) => panic!("not open any more: {error}"),
        }
        self.socket.set_nonblocking(false).expect("the mode can be set");
    }
}

#[track_caller]
fn still_there(done: io::Result<()>) -> bool {
    match done {
        Ok(()) => true,
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
            panic!("the other end neither goes on nor hangs up")
        }
        Err(_) => false,
    }
}

/// Nobody listens at `address`.
#[track_caller]
pub fn assert_refused(address: impl Into<Address>) {
    let address = address.into();
    // Whoever listens on a file takes it away.
    let refusals = match &address {
        Address::Inet(_) => [ErrorKind::ConnectionRefused; 2],
        Address::Unix(_) => [ErrorKind::ConnectionRefused, ErrorKind::NotFound],
    };
    match connect(&address, |_| Ok(())) {
        Err(error) => assert!(refusals.contains(&error.kind()), "{address}: {error}"),
        Ok(_) => panic!("somebody listens at {address}"),
    }
}

fn connect(address: &Address, prepare: fn(&Socket) -> io::Result<()>) -> io::Result<Socket> {
    let domain = match address {
        Address::Inet(address) => Domain::for_address(*address),
        Address::Unix(_) => Domain::UNIX,
    };
    let socket = Socket::new(domain, Type::STREAM, None)?;
    prepare(&socket)?;
    match address {
        Address::Inet(address) => socket.connect_timeout(&(*address).into(), GENEROUS)?,
        Address::Unix(path) => {
            // By a name that the system chooses, the server's log tells it from others of this
            // process. Other systems have no such names, and one client at a time will do.
            if cfg!(target_os = "linux") {
                socket.bind(&SockAddr::unix("")?)?;
            }
            socket.connect(&SockAddr::unix(path)?)?;
        }
    }
    Ok(socket)
}

/// What the log of a server on a file calls us.
#[cfg(unix)]
fn user(address: &SockAddr) -> String {
    let mut name = format!("uid={}", rustix::process::geteuid().as_raw());
    if cfg!(target_os = "linux") {
        name.push_str(&format!(",pid={}", std::process::id()));
    }
    #[cfg(target_os = "linux")]
    if let Some(own) = address.as_abstract_namespace() {
        name.push_str(&format!(",@{}", own.escape_ascii()));
    }
    let _ = address;
    name
}

#[cfg(not(unix))]
fn user(_: &SockAddr) -> String {
    unreachable!("there are no UNIX sockets")
}

/// A port that stays free when its server ends, for a test that starts a server there
/// again: no system hands it out by itself.
///
/// # Panics
/// When all of them are taken.
pub fn lasting_port() -> u16 {
    ladder::port::lasting().expect("a port is free")
}

/// A TCP port where nobody listens, and nobody else can while it is held: it is bound
/// and no more.
#[derive(Debug)]
pub struct ClosedPort(Socket);

impl ClosedPort {
    /// Takes a free port on 127.0.0.1.
    ///
    /// # Panics
    /// When there is none.
    pub fn take() -> ClosedPort {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket can be made");
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        socket.bind(&address.into()).expect("a port is free");
        ClosedPort(socket)
    }

    /// Its number.
    ///
    /// # Panics
    /// Never: a bound socket has an address.
    pub fn port(&self) -> u16 {
        let address = self.0.local_addr().expect("a bound socket has an address");
        address.as_socket().expect("the address is an internet one").port()
    }
}
