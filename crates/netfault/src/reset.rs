//! A close that is a reset.

use std::io;
use std::net::TcpStream;
use std::time::Duration;

use socket2::SockRef;

/// With a linger time of zero a close is a reset, in both directions and at once.
pub(crate) fn reset_on_close(stream: &TcpStream) -> io::Result<()> {
    SockRef::from(stream).set_linger(Some(Duration::ZERO))
}
