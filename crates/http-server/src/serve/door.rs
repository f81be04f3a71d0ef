//! Where clients come in: a listening socket of either family, which waits for nobody.

use std::io;
use std::net::SocketAddr;

use mio::event::Source;
use mio::net::{TcpListener, TcpStream};
use socket2::Socket;

#[cfg(target_os = "linux")]
use super::defer_accept;

/// A listener.
pub enum Door {
    /// On an address.
    Tcp(TcpListener),
    /// On a file.
    #[cfg(unix)]
    Unix(mio::net::UnixListener),
}

/// Somebody who has come in.
pub struct Visitor {
    /// The connection, which does not block.
    pub socket: TcpStream,
    /// The address; `None` for one that has come through a file.
    pub peer: Option<SocketAddr>,
    /// The name in the log.
    pub name: String,
}

impl Door {
    /// Takes over a bound listener.
    ///
    /// # Errors
    /// When it cannot be made non-blocking.
    pub fn new(listener: Socket) -> io::Result<Door> {
        listener.set_nonblocking(true)?;
        #[cfg(unix)]
        if listener.local_addr()?.is_unix() {
            let listener = std::os::fd::OwnedFd::from(listener).into();
            return Ok(Door::Unix(mio::net::UnixListener::from_std(listener)));
        }
        #[cfg(target_os = "linux")]
        if let Err(error) = defer_accept::until_first_bytes(&listener) {
            // Only speed is lost.
            log::debug!("clients are accepted before they say something: {error}");
        }
        Ok(Door::Tcp(TcpListener::from_std(listener.into())))
    }

    /// What is registered.
    pub fn source(&mut self) -> &mut dyn Source {
        match self {
            Door::Tcp(listener) => listener,
            #[cfg(unix)]
            Door::Unix(listener) => listener,
        }
    }

    /// The next client.
    ///
    /// # Errors
    /// `WouldBlock` where nobody waits; what accept says otherwise.
    pub fn accept(&self) -> io::Result<Visitor> {
        match self {
            Door::Tcp(listener) => {
                let (socket, peer) = listener.accept()?;
                // The end of a response would otherwise wait for the acknowledgement of its
                // beginning. macOS answers EINVAL once the peer has reset; then a read tells.
                let _ = socket.set_nodelay(true);
                Ok(Visitor { socket, peer: Some(peer), name: peer.to_string() })
            }
            #[cfg(unix)]
            Door::Unix(listener) => {
                let stream = std::os::unix::net::UnixStream::from(listener.accept()?.0);
                // The system has forgotten whoever is gone.
                let name = netcore::unix::Peer::of(&stream)
                    .map_or_else(|_| "unix".to_string(), |peer| peer.to_string());
                // What std calls a TcpStream is any stream socket here: reading, writing and
                // closing are the same for a Unix one.
                let socket = std::net::TcpStream::from(std::os::fd::OwnedFd::from(stream));
                Ok(Visitor { socket: TcpStream::from_std(socket), peer: None, name })
            }
        }
    }
}
