use std::io::Write;
use std::net::{Shutdown, TcpListener, TcpStream};

use proptest::prelude::*;

use super::source::CHUNK_LINE_LIMIT;
use super::*;
use crate::stream::Socket;

const GENEROUS: Duration = Duration::from_secs(20);

/// Gives the body of a request to `look`; what is sent is `early`, which comes with
/// the head, then `late`.
fn with_body<T>(
    framing: Framing,
    early: &[u8],
    late: &[u8],
    look: impl FnOnce(Body<'_>) -> T,
) -> T {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (socket, _) = listener.accept().unwrap();
    client.write_all(late).unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    let mut stream = Socket::new(socket, GENEROUS);
    stream.set_read_deadline(Deadline::after(GENEROUS));
    let mut buf = vec![0; 4 << 10];
    buf[..early.len()].copy_from_slice(early);
    look(Body::new(Source::new(&mut stream, &mut buf, early.len()), framing, false))
}

fn text(framing: Framing, early: &[u8], late: &[u8]) -> Result<String, ErrorKind> {
    with_body(framing, early, late, |mut body| {
        let mut text = String::new();
        body.read_to_string(&mut text).map(|_| text).map_err(|error| error.kind())
    })
}

#[test]
fn a_body_of_a_length_ends_there() {
    assert_eq!(text(Framing::Length(5), b"he", b"lloGET /").as_deref(), Ok("hello"));
    assert_eq!(text(Framing::Length(0), b"GET /", b"").as_deref(), Ok(""));
    assert_eq!(text(Framing::Length(5), b"he", b"").unwrap_err(), ErrorKind::UnexpectedEof);
}

/// A connection whose other end is gone.
#[derive(Debug)]
struct Gone;

impl Read for Gone {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(ErrorKind::ConnectionReset.into())
    }
}

impl Write for Gone {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Stream for Gone {
    fn set_read_deadline(&mut self, _: Deadline) {}
}

/// As they are told of every other connection.
#[test]
fn a_body_that_breaks_off_is_told_in_our_words() {
    let (mut gone, mut buf) = (Gone, [0; 1]);
    let mut body = Body::new(Source::new(&mut gone, &mut buf, 1), Framing::Length(5), false);
    let error = body.read_to_end(&mut Vec::new()).unwrap_err();
    assert!(error.to_string().contains("connection reset by the other end"), "{error}");
}

#[test]
fn chunks_are_put_together_however_they_are_cut() {
    let body = b"3\r\nfoo\r\nA;ext=1\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\nGET /";
    for cut in 0..body.len() {
        let (early, late) = body.split_at(cut);
        assert_eq!(
            text(Framing::Chunked, early, late).as_deref(),
            Ok("foo0123456789"),
            "cut at {cut}"
        );
    }
}

#[test]
fn chunks_that_are_not_framed_exactly_are_refused() {
    for body in [
        "3\nfoo\r\n0\r\n\r\n",
        "3\r\nfoo\n0\r\n\r\n",
        "3\r\nfooo\r\n0\r\n\r\n",
        "\r\nfoo\r\n0\r\n\r\n",
        "-3\r\nfoo\r\n0\r\n\r\n",
        "+3\r\nfoo\r\n0\r\n\r\n",
        "0x3\r\nfoo\r\n0\r\n\r\n",
        "3 3\r\nfoo\r\n0\r\n\r\n",
        "10000000000000003\r\nfoo\r\n0\r\n\r\n",
        "3;a\r\r\nfoo\r\n0\r\n\r\n",
    ] {
        assert_eq!(
            text(Framing::Chunked, body.as_bytes(), b""),
            Err(ErrorKind::InvalidData),
            "{body:?}"
        );
    }
    let endless = "1".repeat(CHUNK_LINE_LIMIT + 100);
    assert_eq!(text(Framing::Chunked, b"", endless.as_bytes()), Err(ErrorKind::InvalidData));
    let trailers = format!("0\r\n{}\r\n", "a: b\r\n".repeat(TRAILER_LIMIT / 4 + 1));
    assert_eq!(text(Framing::Chunked, b"", trailers.as_bytes()), Err(ErrorKind::InvalidData));
}

#[test]
fn a_line_that_is_too_long_is_refused_wherever_it_is_cut() {
    let body =
        |length: usize| format!("3;{}\r\nfoo\r\n0\r\n\r\n", "a".repeat(length - "3;\r".len()));
    let (longest, too_long) = (body(CHUNK_LINE_LIMIT), body(CHUNK_LINE_LIMIT + 1));
    for cut in
        [0, 1, CHUNK_LINE_LIMIT - 1, CHUNK_LINE_LIMIT, CHUNK_LINE_LIMIT + 1, CHUNK_LINE_LIMIT + 3]
    {
        let cut_at = |body: &str| {
            let (early, late) = body.as_bytes().split_at(cut);
            text(Framing::Chunked, early, late)
        };
        assert_eq!(cut_at(&longest).as_deref(), Ok("foo"), "cut at {cut}");
        assert_eq!(cut_at(&too_long), Err(ErrorKind::InvalidData), "cut at {cut}");
    }
}

#[test]
fn a_body_is_not_mostly_extensions() {
    let chunks = |line: &str, content: &str| {
        let chunk = format!("{line}\r\n{content}\r\n");
        text(Framing::Chunked, b"", format!("{}0\r\n\r\n", chunk.repeat(40)).as_bytes())
    };
    let extension = "e".repeat(500);
    let content = "x".repeat(0x300);
    assert_eq!(chunks(&format!("1;{extension}"), "x"), Err(ErrorKind::InvalidData));
    assert_eq!(chunks(&format!("{}1", "0".repeat(500)), "x"), Err(ErrorKind::InvalidData));
    assert_eq!(chunks("1", "x"), Ok("x".repeat(40)));
    assert_eq!(chunks(&format!("300;{extension}"), &content), Ok(content.repeat(40)));
}

/// Each names the rule that it breaks.
#[test]
fn what_leaves_a_choice_is_refused_with_its_section() {
    for (body, section) in [
        ("3 \r\nfoo\r\n0\r\n\r\n", "(RFC 9112 section 7.1.1)"),
        ("3;\r\nfoo\r\n0\r\n\r\n", "(RFC 9112 section 7.1.1)"),
        ("x\r\nfoo\r\n0\r\n\r\n", "(RFC 9112 section 7.1)"),
        ("3\r\nfoobar\r\n0\r\n\r\n", "(RFC 9112 section 7.1)"),
        ("3\r\nfoo\r\n0\r\nno field\r\n\r\n", "(RFC 9112 section 7.1.2)"),
        ("3\r\nfoo\r\n0\r\na: b\r\n folded\r\n\r\n", "(RFC 9112 section 7.1.2)"),
        ("3\r\nfoo\r\n0\r\na : b\r\n\r\n", "(RFC 9112 section 7.1.2)"),
        ("3\r\nfo", "(RFC 9112 section 8)"),
    ] {
        let error = with_body(Framing::Chunked, body.as_bytes(), b"", |mut body| {
            body.read_to_end(&mut Vec::new()).unwrap_err()
        });
        assert!(error.to_string().contains(section), "{body:?}: {error}");
    }
}

proptest! {
    #[test]
    fn chunks_of_any_size_are_put_together(
        chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..40), 0..6),
        cut in 0usize..100,
        rest in proptest::collection::vec(any::<u8>(), 0..20),
    ) {
        let mut body = Vec::new();
        for chunk in &chunks {
            body.extend_from_slice(format!("{:X};x=y\r\n", chunk.len()).as_bytes());
            body.extend_from_slice(chunk);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"0\r\n\r\n");
        body.extend_from_slice(&rest);
        let (early, late) = body.split_at(cut.min(body.len()));
        with_body(Framing::Chunked, early, late, |mut reader| {
            let mut read = Vec::new();
            reader.read_to_end(&mut read).unwrap();
            prop_assert_eq!(&read, &chunks.concat());
            Ok(())
        })?;
    }

    #[test]
    fn no_bytes_make_the_reader_panic_or_go_on_for_ever(
        body in proptest::collection::vec(proptest::sample::select(b"0123aF;\r\nx ".to_vec()), 0..60),
    ) {
        with_body(Framing::Chunked, &body, b"", |mut reader| {
            let mut read = Vec::new();
            let _ = reader.read_to_end(&mut read);
            prop_assert!(read.len() <= body.len());
            Ok(())
        })?;
    }
}

#[test]
fn draining_leaves_what_follows_the_body() {
    with_body(Framing::Length(5), b"helloGET /", b"", |body| assert_eq!(body.drain(), Some(5..10)));
    with_body(Framing::Length(5), b"he", b"llo", |body| {
        assert_eq!(body.drain().map(|rest| rest.len()), Some(0))
    });
    let long = vec![b'x'; DRAIN_LIMIT as usize + 1];
    with_body(Framing::Length(DRAIN_LIMIT + 1), b"", &long, |body| assert_eq!(body.drain(), None));
    with_body(Framing::Chunked, b"nonsense\r\n", b"", |body| assert_eq!(body.drain(), None));
}
