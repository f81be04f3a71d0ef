//! Wake a blocked accept
//!
//! A flag that says "stop" is seen by nobody while the server is blocked in `accept`.
//! Write `stop`: it sets the flag and makes the server look at it, by the one thing that
//! every accept waits for.
//! (The rungs wait for the listener and a waker at once, which needs no false client.)
//!
//! Hint: Set the flag first. Whom does `accept` wait for?
//!
//! Hint: `TcpStream::connect(server)` is a client, and accept returns.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};

/// Serves until it is told to stop.
pub fn serve(listener: &TcpListener, stopping: &AtomicBool) -> io::Result<()> {
    while !stopping.load(Ordering::SeqCst) {
        let (_client, _) = listener.accept()?;
    }
    Ok(())
}

/// Tells it to stop, and wakes it.
pub fn stop(server: SocketAddr, stopping: &AtomicBool) -> io::Result<()> {
    // Solution:
    stopping.store(true, Ordering::SeqCst);
    TcpStream::connect(server)?;
    Ok(())
    // End.
}

// The check. Nothing below is to be changed.
#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::thread;

    #[test]
    fn a_stop_ends_a_server_that_waits() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let stopping = Arc::new(AtomicBool::new(false));
        let flag = stopping.clone();
        let server = thread::spawn(move || serve(&listener, &flag));
        TcpStream::connect(address).unwrap();
        stop(address, &stopping).unwrap();
        server.join().unwrap().expect("it has ended in good order");
    }

    #[test]
    fn whoever_is_blocked_in_accept_is_woken_and_finds_the_flag_set() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let stopping = AtomicBool::new(false);
        stop(listener.local_addr().unwrap(), &stopping).unwrap();
        listener.set_nonblocking(true).unwrap();
        listener.accept().expect("nobody came: an accept would still wait");
        assert!(stopping.load(Ordering::SeqCst), "the flag is not set");
    }
}
