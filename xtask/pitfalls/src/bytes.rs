//! Bytes that are lost, awaited or taken for messages. The broken halves are BROKEN ON
//! PURPOSE.

use std::io::{self, BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, UdpSocket};
use std::thread;
use std::time::Duration;

use netcore::connection::Connection;
use netcore::deadline::Deadline;
use netcore::frame::{self, Header};

use crate::seen::{GENEROUS, Seen, VAIN, connection, seen, timed_out};

/// More than all the buffers on the way.
const LARGE: usize = 64 << 20;

/// Of the tutorial's datagram, and of the buffer that it was received into.
const DATAGRAM: usize = 3_000;
const BUFFER: usize = 1_024;

/// A pause between two looks how much has come.
const PAUSE: Duration = Duration::from_millis(1);

/// A text, and how many of its bytes a small read takes: three letters and a half.
const TEXT: &str = "Привет";
const FEW: usize = 7;

/// BROKEN: write has a limit on time, and what it has not taken by then is forgotten.
pub fn one_write() -> io::Result<Seen> {
    if cfg!(windows) {
        return Ok(Ok(
            "on Windows, a socket that blocks takes all that it is given, or fails".into()
        ));
    }
    let (mut client, mut server) = connection()?;
    client.set_write_timeout(Some(Duration::from_millis(100)))?;
    let sent = client.write(&vec![b'x'; LARGE])?;
    drop(client);
    let received = server.read_to_end(&mut Vec::new())?;
    Ok(seen(
        received < LARGE,
        format!("write took {sent} of {LARGE} bytes, and the other end got {received}"),
    ))
}

/// `write_all` goes on until all is taken, and the deadline is for all of it.
pub fn write_all() -> io::Result<Seen> {
    let (client, mut server) = connection()?;
    let reader = thread::spawn(move || server.read_to_end(&mut Vec::new()));
    let mut client = Connection::of_client(client)?;
    client.set_deadline(Deadline::after(GENEROUS));
    client.write_all(&vec![b'x'; LARGE])?;
    drop(client);
    let received =
        reader.join().unwrap_or_else(|_| Err(io::Error::other("the reader panicked")))?;
    Ok(seen(received == LARGE, format!("the other end got all {received} bytes")))
}

/// BROKEN: the client reads to the end, and so does the server.
pub fn both_wait() -> io::Result<Seen> {
    converse(false)
}

/// The client says that it has finished before it reads.
pub fn half_close() -> io::Result<Seen> {
    converse(true)
}

fn converse(finish: bool) -> io::Result<Seen> {
    let (mut client, mut server) = connection()?;
    server.set_read_timeout(Some(GENEROUS))?;
    let answering = thread::spawn(move || -> io::Result<()> {
        let mut all = Vec::new();
        server.read_to_end(&mut all)?;
        server.write_all(&all)
    });
    client.write_all(b"hello")?;
    if finish {
        client.shutdown(Shutdown::Write)?;
    }
    client.set_read_timeout(Some(if finish { GENEROUS } else { VAIN }))?;
    let mut reply = Vec::new();
    let read = client.read_to_end(&mut reply);
    // Ends the server's wait as well.
    drop(client);
    let _ = answering.join();
    Ok(match read {
        Err(error) if timed_out(&error) => {
            seen(!finish, "both waited for the other to finish, and would have for ever")
        }
        Err(error) => return Err(error),
        Ok(n) => {
            seen(finish && reply == b"hello", format!("the client got its {n} bytes, and the end"))
        }
    })
}

/// BROKEN: two texts are sent; whatever a read returns is decoded as one.
pub fn reads_as_messages() -> io::Result<Seen> {
    let (mut client, mut server) = connection()?;
    client.write_all(TEXT.as_bytes())?;
    client.write_all(TEXT.as_bytes())?;
    // Both are here before the first read.
    let mut buf = [0; 64];
    let deadline = Deadline::after(GENEROUS);
    while server.peek(&mut buf)? < 2 * TEXT.len() {
        deadline.remaining()?;
        // The system tells of bytes, not of how many.
        thread::sleep(PAUSE);
    }
    let mut few = [0; FEW];
    let n = server.read(&mut few)?;
    let split = str::from_utf8(&few[..n]).is_err();
    let n = server.read(&mut buf)?;
    let rest = String::from_utf8_lossy(&buf[..n]).into_owned();
    let story = format!(
        "a read of {FEW} bytes ended in the middle of a letter, and the next one got {rest:?} as one"
    );
    Ok(seen(split && n > TEXT.len(), story))
}

/// Each text has its length before it, in bytes.
pub fn frames() -> io::Result<Seen> {
    let (mut client, server) = connection()?;
    for _ in 0..2 {
        frame::write(&mut client, Header::Binary, BUFFER, TEXT.as_bytes())?;
    }
    let mut server = BufReader::with_capacity(FEW, server);
    let mut texts = Vec::new();
    for _ in 0..2 {
        let mut message = Vec::new();
        frame::read(&mut server, Header::Binary, BUFFER, &mut message)?;
        texts.push(String::from_utf8_lossy(&message).into_owned());
    }
    Ok(seen(
        texts == [TEXT, TEXT],
        format!("with a length before each, in the same small reads: {}", texts.join(", then ")),
    ))
}

/// BROKEN: nothing says that the rest of the datagram is gone. Windows does: there it
/// is an error.
pub fn small_buffer() -> io::Result<Seen> {
    let (n, more) = receive(BUFFER)?;
    let story = format!(
        "{n} of {DATAGRAM} bytes came, and nothing more: {} are lost without a word",
        DATAGRAM - n
    );
    Ok(seen(n == BUFFER && !more, story))
}

/// Room for the largest datagram that there is, and one byte more.
pub fn large_buffer() -> io::Result<Seen> {
    let (n, _) = receive(1 << 16)?;
    Ok(seen(n == DATAGRAM, format!("all {n} bytes came")))
}

/// Receives a datagram: how many bytes came, and whether there is more to receive.
fn receive(room: usize) -> io::Result<(usize, bool)> {
    let receiver = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    let sender = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    sender.send_to(&[b'x'; DATAGRAM], receiver.local_addr()?)?;
    receiver.set_read_timeout(Some(GENEROUS))?;
    let mut buf = vec![0; room];
    let n = match receiver.recv(&mut buf) {
        Err(_) if cfg!(windows) && room < DATAGRAM => room,
        received => received?,
    };
    receiver.set_nonblocking(true)?;
    Ok((n, receiver.recv(&mut buf).is_ok()))
}
