//! What carries the bytes between a test and its server. The promises are the same for
//! all of it.

use std::fmt::Debug;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown as Side, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use socket2::{Domain, SockRef, Socket as Socket2, Type};

use super::events;
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
        let socket = socket_of_its_own_name(*address)?;
        socket.connect(&(*address).into())?;
        socket.set_tcp_nodelay(true)?;
        Ok(socket.into())
    }

    fn connect_with_little_room(address: &SocketAddr) -> io::Result<TcpStream> {
        let socket = socket_of_its_own_name(*address)?;
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

/// A socket for a client of `server`, with an address that no other client has. Left to
/// connect(2), clients of two servers may have the same one, and the log of this process
/// would take them for one. bind(2) leaves out what is in use; but a client that has been
/// reset is no longer in use to it, although its test goes on to speak of it.
fn socket_of_its_own_name(server: SocketAddr) -> io::Result<Socket2> {
    // Open until there is a better one, so that no port comes twice.
    let mut known = Vec::new();
    loop {
        let socket = Socket2::new(Domain::for_address(server), Type::STREAM, None)?;
        socket.bind(&SocketAddr::new(server.ip(), 0).into())?;
        let name = socket.local_addr()?.as_socket().ok_or(ErrorKind::AddrNotAvailable)?;
        if !events::is_known(&name.to_string()) {
            return Ok(socket);
        }
        known.push(socket);
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

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::super::Client;
    use super::super::dialogue::Dialogue;
    use super::*;

    /// Clients that a test has.
    const KEPT: usize = 60;

    /// Those that come and go meanwhile: about as many as there are ports, which a system
    /// that is left to choose goes through in order.
    const OTHERS: usize = 16_000;

    /// Has clients of another server come and go.
    fn assert_keep_their_names(kept: &[Client]) {
        let listener = Tcp::listen();
        for _ in 0..OTHERS {
            let other = Tcp::connect(&Tcp::address(&listener)).unwrap();
            drop(listener.accept().unwrap());
            let name = other.name().unwrap();
            assert!(kept.iter().all(|client| client.peer() != name), "{name} is two clients");
        }
    }

    fn client_of(listener: &TcpListener) -> Client {
        let stream = Tcp::connect(&Tcp::address(listener)).unwrap();
        Client::new(stream, &Dialogue::new(Vec::new(), Vec::new()))
    }

    #[test]
    fn clients_of_two_servers_have_two_names() {
        let listener = Tcp::listen();
        let kept: Vec<Client> = (0..KEPT).map(|_| client_of(&listener)).collect();
        assert_keep_their_names(&kept);
    }

    #[test]
    fn the_name_of_a_client_that_has_been_reset_is_not_given_again() {
        let listener = Tcp::listen();
        let reset = |_| {
            let client = client_of(&listener);
            listener.accept().unwrap().0.reset_at_end().unwrap();
            client
        };
        assert_keep_their_names(&(0..KEPT).map(reset).collect::<Vec<Client>>());
    }
}
