//! A close that is a reset.

use std::io;
use std::time::Duration;

use crate::stream::Stream;

/// With a linger time of zero a close is a reset, in both directions and at once. On a UNIX
/// socket it is one where something has been left unread, and nothing else makes it one.
pub(crate) fn reset_on_close(stream: &Stream) -> io::Result<()> {
    stream.set_linger(Some(Duration::ZERO))
}
