//! One client's visit from beginning to end, told in the log whatever ends it.

use std::fmt::Display;
use std::io::{self, ErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::connection::{Connection, Socket};
use crate::error::reason;

/// Serves one client with `serve`, logs how that ended, and closes the connection in
/// stages.
///
/// An error ends this client only, and so does a panic: whoever has put a bug into a
/// reply loses one client and not the server.
pub fn visit<S: Socket>(
    mut connection: Connection<S>,
    peer: impl Display,
    serve: impl FnOnce(&mut Connection<S>) -> io::Result<()>,
) {
    log::info!("{peer} connected");
    let served = catch_unwind(AssertUnwindSafe(|| serve(&mut connection)));
    match (served, connection.ended_by_stop()) {
        (Ok(Ok(())), false) => log::info!("{peer} closed"),
        (Ok(Ok(())), true) => log::info!("{peer} closed, because the server stops"),
        // The end that the reader of a message met was not the client's.
        (Ok(Err(error)), true) if error.kind() == ErrorKind::UnexpectedEof => {
            log::warn!("{peer} dropped: the server stops in the middle of a message");
        }
        (Ok(Err(error)), _) => log::warn!("{peer} dropped: {}", reason(&error)),
        (Err(_), _) => log::error!("{peer} dropped: its visit panicked"),
    }
    connection.close();
}
