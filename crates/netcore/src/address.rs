//! Where a stream server listens, whatever its family: `127.0.0.1:9090`, `unix:echo.sock`.

use std::fmt;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use socket2::{Domain, SockAddr, Socket, Type};

use crate::unix::{self, Name, PREFIX};

/// An address of the internet, or a file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Address {
    /// TCP, or UDP.
    Inet(SocketAddr),
    /// A UNIX socket.
    Unix(PathBuf),
}

impl Address {
    /// A port of this machine alone, over IPv4; 0 is whichever is free.
    pub fn port(port: u16) -> Address {
        Address::Inet(([127, 0, 0, 1], port).into())
    }

    /// The option that leads the server or the client of a rung there: `--port 9090`.
    pub fn option(&self) -> [String; 2] {
        match self {
            Address::Inet(address) => ["--port".into(), address.port().to_string()],
            Address::Unix(path) => ["--path".into(), path.display().to_string()],
        }
    }

    /// Connects a stream socket to it, within `timeout`, that sends small messages at once.
    /// Over TCP, an end always has a name, and `name` says nothing.
    ///
    /// # Errors
    /// What connect says, and that the system has no UNIX sockets.
    pub fn connect(&self, timeout: Duration, name: Name) -> io::Result<Socket> {
        match self {
            Address::Inet(address) => {
                let socket = Socket::new(Domain::for_address(*address), Type::STREAM, None)?;
                socket.connect_timeout(&(*address).into(), timeout)?;
                socket.set_tcp_nodelay(true)?;
                Ok(socket)
            }
            Address::Unix(path) => unix::connect_socket(path, timeout, name),
        }
    }

    /// The address of a socket that listens; `None` where it has none of these.
    pub fn of(address: &SockAddr) -> Option<Address> {
        let inet = address.as_socket().map(Address::Inet);
        #[cfg(unix)]
        let inet = inet.or(address.as_pathname().map(|path| Address::Unix(path.into())));
        inet
    }

    /// As one word, in which a path can have any bytes: as a ready line ends.
    pub fn word(&self) -> String {
        match self {
            Address::Inet(address) => address.to_string(),
            Address::Unix(path) => unix::word(path),
        }
    }

    /// The address in a ready line, its last word: `listening on 127.0.0.1:9090`, `listening
    /// on unix:echo.sock`, `Serving /a at http://127.0.0.1:8000/`. `None` for another line.
    pub fn in_ready_line(line: &str) -> Option<Address> {
        let word = line.rsplit(' ').next()?;
        if let Some(path) = unix::path_in(word) {
            return Some(Address::Unix(path));
        }
        let address = word.strip_prefix("http://").unwrap_or(word).trim_end_matches('/');
        // Not as it is read otherwise, which asks the resolver for names.
        address.parse().ok().map(Address::Inet)
    }

    /// The address of the internet.
    ///
    /// # Errors
    /// `Unsupported` where it is a file.
    pub fn inet(&self) -> io::Result<SocketAddr> {
        match self {
            Address::Inet(address) => Ok(*address),
            Address::Unix(_) => {
                Err(io::Error::new(ErrorKind::Unsupported, "there are no datagrams to a file"))
            }
        }
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Address {
        Address::Inet(address)
    }
}

impl From<&Address> for Address {
    fn from(address: &Address) -> Address {
        address.clone()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Inet(address) => write!(f, "{address}"),
            Address::Unix(path) => f.write_str(&unix::name(path)),
        }
    }
}

impl FromStr for Address {
    type Err = String;

    /// Of a name, the first address that the resolver gives.
    fn from_str(text: &str) -> Result<Address, String> {
        if let Some(path) = text.strip_prefix(PREFIX) {
            return Ok(Address::Unix(path.into()));
        }
        let mut addresses =
            text.to_socket_addrs().map_err(|error| format!("{error}, as in 127.0.0.1:9090"))?;
        addresses.next().map(Address::Inet).ok_or_else(|| format!("{text} has no address"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_it_is_written() {
        for text in ["127.0.0.1:9090", "[::1]:9090", "unix:echo.sock", "unix:/run/a b.sock"] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
        for wrong in ["", "127.0.0.1", "echo.sock", "127.0.0.1:99999"] {
            assert!(wrong.parse::<Address>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn the_address_is_the_last_word_of_a_ready_line() {
        let read = Address::in_ready_line;
        for word in ["127.0.0.1:9090", "[::1]:9090", "unix:echo.sock", "unix:a%20b%0A"] {
            let address = read(&format!("listening on {word}")).unwrap();
            assert_eq!(address.word(), word);
        }
        let web = read("Serving /a b at http://127.0.0.1:8000/");
        assert_eq!(web, Some(Address::Inet(([127, 0, 0, 1], 8000).into())));
        assert_eq!(read("listening on unix:a%0Ab"), Some(Address::Unix("a\nb".into())));
        assert_eq!(read("listening soon"), None);
    }

    #[test]
    fn a_file_is_no_address_for_datagrams() {
        assert!(Address::Unix("echo.sock".into()).inet().is_err());
        let address = SocketAddr::from(([127, 0, 0, 1], 9));
        assert_eq!(Address::from(address).inet().unwrap(), address);
    }
}
