//! Close in stages
//!
//! A close that leaves something unread makes the system send a reset, which may destroy the
//! last reply on its way.
//! Write the close that loses nothing: end your direction, read until the client has ended
//! its own, and only then let go.
//!
//! Hint: `shutdown(Shutdown::Write)` is the first stage: the client reads the end of the stream.
//!
//! Hint: The second stage is a loop of `read` that ends at `Ok(0)`; what it reads is dropped.

use std::io::{self, Read};
use std::net::{Shutdown, TcpStream};

/// Ends the conversation, and returns when the client has ended it as well.
pub fn close(mut stream: TcpStream) -> io::Result<()> {
    // Solution:
    stream.shutdown(Shutdown::Write)?;
    let mut dropped = [0; 1024];
    while stream.read(&mut dropped)? > 0 {}
    Ok(())
    // End.
}

// The check. Nothing below is to be changed.
#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::net::TcpListener;
    use std::thread;

    #[test]
    fn the_last_reply_arrives_although_something_was_unread() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        client.write_all(&[b'x'; 10_000]).unwrap();
        let mut stream = listener.accept().unwrap().0;
        stream.write_all(b"goodbye").unwrap();
        let closing = thread::spawn(move || close(stream));
        let mut reply = Vec::new();
        let end = client.read_to_end(&mut reply);
        // More than all buffers hold: it goes through where somebody reads it, and only there.
        let more = client.write_all(&vec![b'x'; 32 << 20]);
        drop(client);
        closing.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)).unwrap();
        end.expect("no reset comes before the end of the stream");
        assert_eq!(reply, b"goodbye");
        more.expect("it is not closed before the client has ended");
    }
}
