//! The close in stages: ends the sending, reads and drops what still comes, and closes.

use std::net::Shutdown as Side;
use std::time::Duration;

use crate::deadline::Deadline;
use crate::shutdown::Shutdown;
use crate::socket::{Socket, has_taken_all, is_nothing_yet};
use crate::wait::{self, Interest, Waited};

/// How long a connection that we end stays open for what the peer still sends. A close
/// that leaves something unread resets the connection, and the reset may overtake our
/// last reply ([RFC 9112 section 9.6](https://www.rfc-editor.org/rfc/rfc9112#section-9.6)).
/// A peer that goes on for longer may lose the rest.
pub const LINGER: Duration = Duration::from_secs(2);

/// All but the close itself. `talking`: more of the peer may be on its way.
pub(crate) fn linger(socket: &impl Socket, talking: bool, shutdown: &Shutdown) {
    // A request that is answered before all of it has come: the rest may come later.
    let mut linger = talking || !has_taken_all(socket);
    if socket.set_nonblocking(true).and_then(|()| socket.shutdown(Side::Write)).is_err() {
        return;
    }
    let limit = Deadline::after(LINGER);
    let mut scrap = [0; 4096];
    loop {
        // A stop that begins meanwhile is waited for as well: it may set an earlier limit.
        let begins = (!shutdown.is_stopping()).then_some(shutdown);
        let limit = limit.or_sooner(shutdown.drain_deadline());
        match socket.read(&mut scrap) {
            Ok(n) if n > 0 && !limit.has_passed() => linger = true,
            // Nobody waits for a peer that was silent and has everything.
            Err(error) if is_nothing_yet(&error) && linger => {
                match wait::ready(socket, Interest::Reading, begins, limit) {
                    Ok(Waited::Ready | Waited::Stopping) => {}
                    Ok(Waited::TimedOut) | Err(_) => return,
                }
            }
            _ => return,
        }
    }
}
