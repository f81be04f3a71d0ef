//! What a pitfall is seen by: two ends of a connection, and a sentence.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

/// Ends a wait for something that always comes.
pub const GENEROUS: Duration = Duration::from_secs(20);

/// How long something is watched that never comes.
pub const VAIN: Duration = Duration::from_millis(500);

/// What was seen, without a full stop. Err: it was not what should be seen.
pub type Seen = Result<String, String>;

/// Both ends of a connection on this machine: the client's, then the server's.
pub fn connection() -> io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address: SocketAddr = listener.local_addr()?;
    let client = TcpStream::connect(address)?;
    let (server, _) = listener.accept()?;
    for stream in [&client, &server] {
        stream.set_read_timeout(Some(GENEROUS))?;
    }
    Ok((client, server))
}

/// `Ok` where `right`, so that a pitfall that was not seen is not told as one.
pub fn seen(right: bool, story: impl Into<String>) -> Seen {
    if right { Ok(story.into()) } else { Err(story.into()) }
}

pub fn timed_out(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}
