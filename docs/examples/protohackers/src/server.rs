//! The server of `threaded-echo`, with what is said left open.

use std::io::{self, BufRead};
use std::net::{SocketAddr, TcpListener};
use std::thread;
use std::time::Duration;

use netcore::accept::Acceptor;
use netcore::connection::Connection;
use netcore::deadline::Deadline;
use netcore::lines;
use netcore::shutdown::Shutdown;
use netcore::visit::visit;

/// Clients at once; more wait.
pub const MAX_CLIENTS: usize = 500;

/// How long a client may be silent, or not take its replies. The checks of the site leave
/// some open for long.
pub const IDLE: Duration = Duration::from_secs(120);

/// Bytes of a line at most. Somebody who sends a number of 300 digits means it.
pub const LONGEST_LINE: usize = 64 << 10;

/// Serves clients with `talk`, each in a thread of its own, until it is told to stop.
///
/// # Errors
/// What accept says. A client's error is logged and ends that client only.
pub fn serve(
    listener: TcpListener,
    shutdown: &Shutdown,
    talk: impl Fn(&mut Connection, SocketAddr) -> io::Result<()> + Sync,
) -> io::Result<()> {
    let acceptor = Acceptor::new(listener, shutdown)?.at_most(MAX_CLIENTS);
    let talk = &talk;
    thread::scope(|scope| {
        while let Some((stream, peer)) = acceptor.accept()? {
            let visit = move || visit(stream, peer, |stream| talk(stream, peer));
            if let Err(error) = thread::Builder::new().spawn_scoped(scope, visit) {
                log::warn!("{peer} dropped: no thread for it: {error}");
            }
        }
        Ok(())
    })
}

/// The next line within [`IDLE`], and as long again for what is answered; `false` at the end of
/// the stream. A line that was cut by it is none.
///
/// # Errors
/// What the connection says, and that the line is too long.
pub fn next_line(
    reader: &mut io::BufReader<&mut Connection>,
    line: &mut Vec<u8>,
) -> io::Result<bool> {
    reader.get_mut().set_deadline(Deadline::after(IDLE));
    let read = lines::read(reader, LONGEST_LINE, line);
    reader.get_mut().set_deadline(Deadline::after(IDLE));
    match read {
        Err(lines::LineError::CutShort) => Ok(false),
        done => Ok(done?),
    }
}

/// Whether more can be read without waiting.
pub fn has_more(reader: &mut impl BufRead) -> bool {
    reader.fill_buf().is_ok_and(|buffer| !buffer.is_empty())
}
