//! Where the head of a request ends, while it still arrives.

use super::empty_line::EMPTY_LINE;
use super::line::{RequestLine, without_cr};
use crate::refusal::Refusal;
use crate::status::Status;

/// Bytes of a request line. Past it: 414.
pub const LINE_LIMIT: usize = 16 << 10;

/// Bytes of a whole head. Past it: 431.
pub const HEAD_LIMIT: usize = 64 << 10;

/// Finds the end of a head in a buffer that fills, and looks at each byte once however
/// slowly they come.
#[derive(Debug, Default)]
pub struct Scanner {
    scanned: usize,
    line_start: usize,
    line: Option<RequestLine>,
}

/// A whole head at the front of a buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// Its bytes, with its empty line, and with one before it.
    pub length: usize,
    /// What its first line says.
    pub line: RequestLine,
}

impl Scanner {
    /// Where the head ends, once `buf` holds all of it.
    ///
    /// # Errors
    /// A head that is past a limit, or a first line that is none: there is no reason to
    /// wait for the rest of it.
    pub fn find_end(&mut self, buf: &[u8]) -> Result<Option<Extent>, Refusal> {
        if self.scanned == 0 && buf.first() == Some(&TLS_HANDSHAKE) {
            return Err(Refusal::bad(
                "",
                "this is a TLS handshake, and the server speaks plain HTTP here",
            ));
        }
        while let Some(length) = buf[self.scanned..].iter().position(|&byte| byte == b'\n') {
            let newline = self.scanned + length;
            let start = self.line_start;
            let line = without_cr(&buf[start..newline]);
            self.scanned = newline + 1;
            self.line_start = newline + 1;
            match self.line {
                None if newline > LINE_LIMIT => return Err(line_too_long()),
                None if buf[..=newline] == *EMPTY_LINE => {}
                None => self.line = Some(RequestLine::parse(buf, start..newline)?),
                Some(_) if !line.is_empty() => {}
                Some(_) if newline >= HEAD_LIMIT => return Err(head_too_long()),
                Some(line) => return Ok(Some(Extent { length: newline + 1, line })),
            }
        }
        self.scanned = buf.len();
        match self.line {
            None if buf.len() > LINE_LIMIT => Err(line_too_long()),
            Some(_) if buf.len() > HEAD_LIMIT => Err(head_too_long()),
            _ => Ok(None),
        }
    }
}

/// The first byte of a TLS connection: somebody typed https:// for http://.
const TLS_HANDSHAKE: u8 = 0x16;

fn line_too_long() -> Refusal {
    let why = format!("the request line is longer than {LINE_LIMIT} bytes");
    Refusal::by("RFC 9110 section 15.5.15", Status::URI_TOO_LONG, why)
}

fn head_too_long() -> Refusal {
    let why = format!("the head is longer than {HEAD_LIMIT} bytes");
    Refusal::by("RFC 6585 section 5", Status::FIELDS_TOO_LARGE, why)
}
