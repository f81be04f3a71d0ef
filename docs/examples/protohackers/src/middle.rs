//! Problem 5: somebody in the middle of a chat, who hands every line on, and puts an address of
//! their own in the place of every address of the coin.

use std::io::{self, BufReader, Write};
use std::net::{Shutdown as Side, SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use netcore::connection::Connection;
use netcore::deadline::Deadline;
use netcore::lines;

use crate::server::{LONGEST_LINE, next_line};

/// Whose pocket it goes to.
pub const OURS: &str = "7YWHMfk9JZe0LM0g1ZauHuiSxhI";

/// How long the room may take to let us in, and both sides to take a line.
const PATIENCE: Duration = Duration::from_secs(10);

/// Stands between a client and the room at `upstream`.
///
/// # Errors
/// What either connection says.
pub fn talk(stream: &mut Connection, upstream: SocketAddr) -> io::Result<()> {
    let room = TcpStream::connect_timeout(&upstream, PATIENCE)?;
    room.set_write_timeout(Some(PATIENCE))?;
    let mut to_client = Connection::of_client(stream.get_ref().try_clone()?)?;
    let mut to_room = room.try_clone()?;
    let mut reader = BufReader::new(stream);
    thread::scope(|scope| {
        // One direction each: neither waits for the other.
        scope.spawn(move || {
            let (mut from_room, mut line) = (BufReader::new(room), Vec::new());
            while let Ok(true) = lines::read(&mut from_room, LONGEST_LINE, &mut line) {
                // A room that says more than the client takes has to wait with the rest.
                to_client.set_deadline(Deadline::after(PATIENCE));
                if to_client.write_all(&changed(&line)).is_err() {
                    break;
                }
            }
            // Its client hears the end behind the last line, and says no more to the room.
            let _ = to_client.get_ref().shutdown(Side::Write);
            let _ = from_room.get_ref().shutdown(Side::Both);
        });
        let mut line = Vec::new();
        let done = loop {
            match next_line(&mut reader, &mut line) {
                Ok(true) => {
                    if let Err(error) = to_room.write_all(&changed(&line)) {
                        break Err(error);
                    }
                }
                Ok(false) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        // Which ends the other direction.
        let _ = to_room.shutdown(Side::Both);
        done
    })
}

fn changed(line: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(line);
    let words: Vec<&str> =
        text.split(' ').map(|word| if is_address(word) { OURS } else { word }).collect();
    (words.join(" ") + "\n").into_bytes()
}

/// 26 to 35 letters and digits, the first of them a 7.
fn is_address(word: &str) -> bool {
    (26..=35).contains(&word.len())
        && word.starts_with('7')
        && word.chars().all(|c| c.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_whole_word_that_is_neither_too_short_nor_too_long() {
        let of = |length: usize| format!("7{}", "a".repeat(length - 1));
        assert!(is_address(&of(26)) && is_address(&of(35)) && is_address(OURS));
        for other in [of(25), of(36), of(26).replace('7', "8"), of(26) + "-1", String::new()] {
            assert!(!is_address(&other), "{other}");
        }
    }
}
