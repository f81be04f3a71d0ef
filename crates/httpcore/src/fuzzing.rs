//! What must hold of any bytes at all: called by the fuzz targets in `fuzz/`, which see
//! this module, and by the tests here, which replay their corpus. It is in no ordinary
//! build.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use netcore::deadline::Deadline;

use crate::body::{Body, Source};
use crate::freshness::{self, RANGE_LIMIT, Wanted};
use crate::handler::Form;
use crate::head::target::Path;
use crate::head::{FIELD_LIMIT, Framing, HEAD_LIMIT, Head, Method, Scanner, Target};
use crate::stream::{Socket, Stream};

/// A head, however it is cut: it ends at the same place, or is refused, wherever the
/// reads end.
pub fn head(data: &[u8]) {
    let whole = Scanner::default().find_end(data);
    let mut scanner = Scanner::default();
    for end in 0..=data.len() {
        match (scanner.find_end(&data[..end]), &whole) {
            (Ok(None), _) => {}
            (Ok(Some(found)), Ok(Some(expected))) => {
                assert_eq!(found, *expected);
                break;
            }
            (Ok(Some(_)), Ok(None)) => panic!("a head in parts, and none in one piece"),
            // One of the two met a limit first.
            (Ok(Some(_)), Err(_)) | (Err(_), _) => break,
        }
    }
    let Ok(Some(extent)) = whole else { return };
    let end = extent.length;
    assert!(end <= data.len() && end <= HEAD_LIMIT);
    let mut slots = [httparse::EMPTY_HEADER; FIELD_LIMIT];
    let Ok(head) = Head::parse(&data[..end], &extent.line, &mut slots) else { return };
    let is_coding = |line: &[u8]| {
        let name = line.split(|&byte| byte == b':').next().unwrap_or_default();
        name.eq_ignore_ascii_case(b"transfer-encoding")
    };
    // The first line is the request line.
    if data[..end].split(|&byte| byte == b'\n').skip(1).any(is_coding) {
        assert_eq!(head.framing, Framing::Chunked, "a transfer coding that is not the framing");
    }
    target(head.target);
}

/// A request target: its path leads nowhere but down, and is the same when it is
/// written and read again.
pub fn target(data: &[u8]) {
    // The request line has been looked at before, and holds no control characters.
    if data.iter().any(u8::is_ascii_control) {
        return;
    }
    let Ok(target) = Target::parse(Method::Get, data) else { return };
    let Ok(path) = Path::parse(target.path) else { return };
    for name in &path.names {
        assert!(!matches!(name.as_ref(), b"" | b"." | b".."));
        assert!(!name.iter().any(|byte| matches!(byte, b'/' | b'\\' | 0)));
    }
    let encoded = path.encode();
    assert!(encoded.starts_with('/') && !encoded.starts_with("//"), "{encoded}");
    let again = Path::parse(encoded.as_bytes()).ok();
    assert_eq!(again.map(|again| again.names), Some(path.names));
    let _ = target.query_value("n");
}

/// A Range header, with the length of the file in its first eight bytes: its parts are
/// inside the file, in no part twice, and never more bytes than there are.
pub fn range(data: &[u8]) {
    let Some((length, value)) = data.split_first_chunk() else { return };
    let length = u64::from_le_bytes(*length);
    if let Wanted::Parts(parts) = freshness::wanted(value, length) {
        assert!(!parts.is_empty() && parts.len() <= RANGE_LIMIT);
        let mut sorted = parts;
        sorted.sort_by_key(|part| part.start);
        assert!(sorted.iter().all(|part| part.start < part.end && part.end <= length));
        assert!(sorted.windows(2).all(|two| two[0].end < two[1].start), "{sorted:?}");
    }
}

/// A chunked body that has arrived, and then the end of the stream: it gives no more
/// bytes than came, and what is behind it is still there.
pub fn chunked(data: &[u8]) {
    thread_local!(static ENDED: RefCell<Option<Socket<TcpStream>>> = const { RefCell::new(None) });
    ENDED.with_borrow_mut(|stream| {
        let stream = stream.get_or_insert_with(ended);
        let mut buf = vec![0; data.len().max(4 << 10)];
        buf[..data.len()].copy_from_slice(data);
        let mut body =
            Body::new(Source::new(stream, &mut buf, data.len()), Framing::Chunked, false);
        let mut content = Vec::new();
        let read = body.read_to_end(&mut content);
        assert!(content.len() < data.len().max(1));
        if read.is_err() {
            assert!(body.drain().is_none(), "a connection goes on behind a broken body");
            return;
        }
        let behind = body.drain().expect("a whole body can be followed by a request");
        assert!(data.ends_with(&buf[behind]));
    });
}

/// A chunked body that comes in pieces, with a wait behind each: it is the same as in one
/// piece, and what is behind it as well. The first byte says how long the pieces are.
pub fn resumed(data: &[u8]) {
    let Some((&size, data)) = data.split_first() else { return };
    let whole = collect(data, data.len().max(1));
    let cut = collect(data, usize::from(size).max(1));
    assert_eq!(cut, whole);
}

/// The content of a chunked body that comes in pieces of `size`, and what is behind it;
/// `None` of a broken one.
fn collect(data: &[u8], size: usize) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut pieces = Pieces { pieces: data.chunks(size).collect(), is_late: false };
    let (mut buf, mut filled) = (vec![0; data.len() + (4 << 10)], 0);
    let body = Body::new(Source::new(&mut pieces, &mut buf, 0), Framing::Chunked, false);
    let (mut progress, _) = body.lay_aside();
    loop {
        let mut body = Body::resume(Source::new(&mut pieces, &mut buf, filled), progress);
        let collected = body.collect(usize::MAX);
        let mut content = Vec::new();
        if collected.is_ok() {
            body.read_to_end(&mut content).expect("it is kept");
        }
        let behind;
        (progress, behind) = body.lay_aside();
        buf.copy_within(behind.clone(), 0);
        filled = behind.len();
        match collected {
            Ok(()) => {
                let rest = Vec::from(pieces.pieces).concat();
                return Some((content, [&buf[..filled], &rest].concat()));
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(_) => return None,
        }
    }
}

/// A stream that has nothing yet before each of its pieces.
#[derive(Debug)]
struct Pieces<'a> {
    pieces: VecDeque<&'a [u8]>,
    /// The next read finds nothing.
    is_late: bool,
}

impl Read for Pieces<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.is_late = !self.is_late;
        if self.is_late && !self.pieces.is_empty() {
            return Err(ErrorKind::WouldBlock.into());
        }
        let Some(piece) = self.pieces.front_mut() else { return Ok(0) };
        let n = piece.read(out)?;
        if piece.is_empty() {
            self.pieces.pop_front();
        }
        Ok(n)
    }
}

impl Write for Pieces<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Stream for Pieces<'_> {
    fn set_read_deadline(&mut self, _: Deadline) {}
}

/// The fields of a form: every name that there is has its value.
pub fn form(data: &[u8]) {
    let form = Form::parse(data);
    assert!(form.iter().all(|(name, value)| form.all(name).any(|known| known == value)));
    assert!(form.iter().count() <= data.split(|&byte| byte == b'&').count());
}

/// A stream of which the end has come.
fn ended() -> Socket<TcpStream> {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let client =
        TcpStream::connect(listener.local_addr().expect("it has an address")).expect("it accepts");
    let (server, _) = listener.accept().expect("a client has come");
    drop(client);
    Socket::new(server, Duration::from_secs(1))
}

#[cfg(test)]
mod tests {
    use std::fs;

    fn replay(target: &str, check: fn(&[u8])) {
        let folder =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
        let mut count = 0;
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            println!("{}", path.display());
            check(&fs::read(path).unwrap());
            count += 1;
        }
        assert!(count > 0, "{} is empty", folder.display());
    }

    #[test]
    fn every_input_in_the_corpus_is_read_as_it_should_be() {
        replay("head", super::head);
        replay("request-target", super::target);
        replay("range", super::range);
        replay("chunked", super::chunked);
        replay("resumed", super::resumed);
        replay("form", super::form);
    }
}
