//! What carries the bytes between a test and its server. The promises are the same for
//! all of it.

use std::fmt::Debug;
use std::io::{self, Read, Write};
use std::net::{Shutdown as Side, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use socket2::SockRef;

use crate::client::exchange;
use crate::connection::{Connection, Socket};
use crate::listen;

/// Bytes that one end can leave to the system, where a test wants the other one to wait.
const LITTLE_ROOM: usize = 4 << 10;

/// Bytes of questions that can wait for such an end. The system would take mebibytes, and
/// each of them is answered in the end, which takes long on a slow machine.
const ROOM_FOR_QUESTIONS: usize = 16 << 10;

/// How a test and its server find each other.
pub trait Transport: Debug + Clone + Send + 'static {
    /// What the server accepts from.
    type Listener: Send + 'static;
    /// Where it listens.
    type Address: Debug + Clone + Send + Sync;
    /// The test's end of a connection.
    type Stream: Stream;

    /// A listener of nobody else's.
    fn listen() -> Self::Listener;

    /// Where it listens.
    fn address(listener: &Self::Listener) -> Self::Address;

    /// Has its connections hold little of what their clients do not take, where the
    /// system can be told so.
    fn limit_room(listener: &Self::Listener);

    /// A client.
    ///
    /// # Errors
    /// What the system says.
    fn connect(address: &Self::Address) -> io::Result<Self::Stream>;

    /// A client that has next to no room for what it does not read, where the system can
    /// be told so.
    ///
    /// # Errors
    /// What the system says.
    fn connect_with_little_room(address: &Self::Address) -> io::Result<Self::Stream>;

    /// What the plain client gets for each of these messages, all over one connection.
    ///
    /// # Errors
    /// What the connection says.
    fn exchange(address: &Self::Address, messages: &[&[u8]]) -> io::Result<Vec<Vec<u8>>>;
}

/// One end of a connection.
pub trait Stream: Read + Write + Debug + Send + Sized + 'static {
    /// Limits on each read and each write.
    ///
    /// # Errors
    /// What the system says.
    fn set_timeouts(&self, read: Duration, write: Duration) -> io::Result<()>;

    /// A second handle.
    ///
    /// # Errors
    /// What the system says.
    fn again(&self) -> io::Result<Self>;

    /// Ends one direction or both.
    ///
    /// # Errors
    /// Where the other end has gone.
    fn shutdown(&self, side: Side) -> io::Result<()>;

    /// From here on its end is a rude one: what the server reads or writes next fails.
    ///
    /// # Errors
    /// What the system says.
    fn reset_at_end(&self) -> io::Result<()>;

    /// What the server's log calls it.
    ///
    /// # Errors
    /// What the system says.
    fn name(&self) -> io::Result<String>;
}

/// TCP, on a port of 127.0.0.1.
#[derive(Debug, Clone)]
pub struct Tcp;

impl Transport for Tcp {
    type Listener = TcpListener;
    type Address = SocketAddr;
    type Stream = TcpStream;

    fn listen() -> TcpListener {
        listen::tcp("127.0.0.1", 0).expect("a port is free")
    }

    fn address(listener: &TcpListener) -> SocketAddr {
        listener.local_addr().expect("a listener has an address")
    }

    fn limit_room(listener: &TcpListener) {
        // Its connections have this as well, and a size that was asked for is never made
        // larger by the system.
        let listener = SockRef::from(listener);
        listener.set_send_buffer_size(LITTLE_ROOM).expect("a size can be set");
        listener.set_recv_buffer_size(ROOM_FOR_QUESTIONS).expect("a size can be set");
    }

    fn connect(address: &SocketAddr) -> io::Result<TcpStream> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    fn connect_with_little_room(address: &SocketAddr) -> io::Result<TcpStream> {
        let domain = socket2::Domain::for_address(*address);
        let socket = socket2::Socket::new(domain, socket2::Type::STREAM, None)?;
        socket.set_recv_buffer_size(LITTLE_ROOM)?;
        socket.set_send_buffer_size(ROOM_FOR_QUESTIONS)?;
        socket.connect(&(*address).into())?;
        socket.set_tcp_nodelay(true)?;
        Ok(socket.into())
    }

    fn exchange(address: &SocketAddr, messages: &[&[u8]]) -> io::Result<Vec<Vec<u8>>> {
        exchange_over(Tcp::connect(address)?, messages)
    }
}

/// As [`Transport::exchange`], over this socket of the system.
pub(super) fn exchange_over(socket: impl Socket, messages: &[&[u8]]) -> io::Result<Vec<Vec<u8>>> {
    let mut connection = Connection::of_client(socket)?;
    messages.iter().map(|message| exchange(&mut connection, message)).collect()
}

impl Stream for TcpStream {
    fn set_timeouts(&self, read: Duration, write: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(read))?;
        self.set_write_timeout(Some(write))
    }

    fn again(&self) -> io::Result<TcpStream> {
        self.try_clone()
    }

    fn shutdown(&self, side: Side) -> io::Result<()> {
        TcpStream::shutdown(self, side)
    }

    fn reset_at_end(&self) -> io::Result<()> {
        // With zero, close is a reset.
        SockRef::from(self).set_linger(Some(Duration::ZERO))
    }

    fn name(&self) -> io::Result<String> {
        Ok(self.local_addr()?.to_string())
    }
}
