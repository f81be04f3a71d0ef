//! The access log: one line for each response on standard error, in the common log
//! format with the time it took.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use httpcore::Status;
use httpcore::head::without_empty_line;
use httpcore::reply::clock;
use netcore::log::has_room;

/// One line of the log.
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    /// Who asked; `None` on a Unix socket.
    pub peer: Option<SocketAddr>,
    /// What the rest of the log calls it.
    pub name: &'a str,
    /// The head of the request, as far as it came.
    pub head: &'a [u8],
    /// What it was answered with.
    pub status: Status,
    /// Bytes of content that were really sent.
    pub bytes: u64,
    /// When the response had been sent, as in a Date field.
    pub date: &'a str,
    /// How long it took.
    pub took: Duration,
}

impl Line<'_> {
    /// Writes the line in one call, so that lines of several threads do not mix. Where
    /// there is no room for it, it is dropped and counted: a log that nobody reads is no
    /// reason to stop serving.
    pub fn write(&self) {
        let mut text = self.text().into_bytes();
        if text.len() > LONGEST {
            text.truncate(LONGEST - 1);
            text.push(b'\n');
        }
        // Whoever has the lock has the room as well.
        let mut stderr = io::stderr().lock();
        if !has_room() {
            DROPPED.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let _ = stderr.write_all(&text);
        let dropped = DROPPED.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            drop(stderr);
            log::warn!("{dropped} lines of the access log had no room");
        }
    }

    fn text(&self) -> String {
        // An address without its port, as everybody's access log has it.
        let address = self.peer.map(|peer| peer.ip().to_canonical().to_string());
        let peer = address.unwrap_or_else(|| self.name.to_string());
        let line =
            without_empty_line(self.head).split(|&byte| byte == b'\n').next().unwrap_or_default();
        format!(
            "{peer} - - [{}] \"{}\" {} {} {:.3}ms\n",
            clock::log_date(self.date),
            shown(line.strip_suffix(b"\r").unwrap_or(line)),
            self.status.0,
            self.bytes,
            self.took.as_secs_f64() * 1000.0,
        )
    }
}

/// Lines for which there was no room, since the last that was written.
static DROPPED: AtomicU64 = AtomicU64::new(0);

/// Bytes of a line, which a pipe takes as a whole once it has room.
const LONGEST: usize = 4096;

/// Bytes of a request line that the log shows.
const SHOWN: usize = 1 << 10;

/// What a client sent, made harmless: whatever is not a printable ASCII character is
/// `\xNN`, as nginx has it. A client could otherwise write lines of its own, or
/// commands to the terminal.
fn shown(line: &[u8]) -> String {
    let mut text = String::new();
    for &byte in &line[..line.len().min(SHOWN)] {
        match byte {
            b'"' | b'\\' | 0..=0x1f | 0x7f.. => text.push_str(&format!("\\x{byte:02X}")),
            byte => text.push(char::from(byte)),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_in_the_common_log_format() {
        let line = Line {
            peer: Some(([127, 0, 0, 1], 5000).into()),
            name: "127.0.0.1:5000",
            // Behind the empty line that may come before a head.
            head: b"\r\nGET /\x1b[31m\" HTTP/1.1\r\nHost: a\r\n\r\n",
            status: Status::OK,
            bytes: 12,
            date: "Sun, 06 Nov 1994 08:49:37 GMT",
            took: Duration::from_micros(1500),
        };
        assert_eq!(
            line.text(),
            "127.0.0.1 - - [06/Nov/1994:08:49:37 +0000] \"GET /\\x1B[31m\\x22 HTTP/1.1\" 200 12 1.500ms\n"
        );
    }
}
