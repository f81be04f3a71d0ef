//! A thread for each client
//!
//! One client says nothing for hours, and the next one must not wait for it.
//! Serve so many clients, each in a thread of its own, and return when all have left.
//!
//! Hint: The thread that accepts does nothing else, so it is free for the next client.
//!
//! Hint: `thread::scope(|scope| ...)` waits at its end for every thread of `scope.spawn`.

use std::io;
use std::net::{TcpListener, TcpStream};
use std::thread;

/// Serves so many clients at once.
pub fn serve(
    listener: &TcpListener,
    clients: usize,
    visit: impl Fn(TcpStream) + Sync,
) -> io::Result<()> {
    // Solution:
    let visit = &visit;
    thread::scope(|scope| {
        for _ in 0..clients {
            let (stream, _) = listener.accept()?;
            scope.spawn(move || visit(stream));
        }
        Ok(())
    })
    // End.
}

// The check. Nothing below is to be changed.
#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};

    fn echo(mut stream: TcpStream) {
        let mut buf = [0; 64];
        while let Ok(n @ 1..) = stream.read(&mut buf) {
            stream.write_all(&buf[..n]).unwrap();
        }
    }

    #[test]
    fn the_second_client_is_served_while_the_first_is_silent() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let clients = thread::spawn(move || {
            let silent = TcpStream::connect(address).unwrap();
            let mut second = TcpStream::connect(address).unwrap();
            second.write_all(b"hello").unwrap();
            let mut reply = [0; 5];
            second.read_exact(&mut reply).unwrap();
            drop(silent);
            reply
        });
        serve(&listener, 2, echo).unwrap();
        assert_eq!(&clients.join().unwrap(), b"hello");
    }
}
