//! Lines under any splitting and any bytes.

use std::io::{self, BufReader, ErrorKind, Read};

use netcore::lines::{self, LineError};
use proptest::collection::vec;
use proptest::prelude::*;

/// The limit where a test is not about it.
const MAX: usize = 1 << 20;

/// Gives its bytes away so many at a time.
struct Parts<'a> {
    bytes: &'a [u8],
    size: usize,
}

impl Read for Parts<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.size.min(buf.len());
        self.bytes.read(&mut buf[..n])
    }
}

fn all(bytes: &[u8], max: usize) -> Vec<String> {
    let (mut reader, mut line, mut found) = (bytes, Vec::new(), Vec::new());
    while lines::read(&mut reader, max, &mut line).unwrap() {
        found.push(String::from_utf8(line.clone()).unwrap());
    }
    found
}

proptest! {
    #[test]
    fn what_is_written_is_read_however_the_stream_is_split(
        messages in vec("[^\n\r]{0,40}", 0..8),
        size in 1..20_usize,
        buffer in 1..50_usize,
    ) {
        let mut bytes = Vec::new();
        for message in &messages {
            lines::write(&mut bytes, MAX, message.as_bytes()).unwrap();
        }
        let mut reader = BufReader::with_capacity(buffer, Parts { bytes: &bytes, size });
        let mut line = Vec::new();
        for message in &messages {
            prop_assert!(lines::read(&mut reader, MAX, &mut line).unwrap());
            prop_assert_eq!(&line, message.as_bytes());
        }
        prop_assert!(!lines::read(&mut reader, MAX, &mut line).unwrap());
    }

    #[test]
    fn noise_is_lines_within_the_limit_or_an_error(noise in vec(prop_oneof![any::<u8>(), Just(b'\n'), Just(b'\r')], 0..300), max in 0..40_usize) {
        let (mut reader, mut line) = (&noise[..], Vec::new());
        loop {
            match lines::read(&mut reader, max, &mut line) {
                Ok(true) => prop_assert!(line.len() <= max && !line.contains(&b'\n')),
                Ok(false) => break prop_assert!(reader.is_empty()),
                Err(LineError::TooLong { .. }) => break prop_assert!(noise.len() > max),
                Err(LineError::CutShort) => break prop_assert!(!noise.ends_with(b"\n")),
                Err(error) => return Err(TestCaseError::fail(error.to_string())),
            }
        }
    }
}

#[test]
fn a_line_ends_with_lf_or_cr_lf() {
    assert_eq!(all(b"one\ntwo\r\n\r\n\nlast\n", MAX), ["one", "two", "", "", "last"]);
    assert_eq!(all(b"", MAX), [""; 0]);
    assert_eq!(all(b"\n", MAX), [""]);
    // A CR that ends no line is a byte of it.
    assert_eq!(all(b"a\rb\r\r\nc\r\r\n", MAX), ["a\rb\r", "c\r"]);
}

#[test]
fn a_stream_that_ends_in_the_middle_of_a_line_has_not_said_that_line() {
    for cut in [&b"DELETE /draft"[..], b"one\r"] {
        let read = lines::read(&mut &cut[..], MAX, &mut Vec::new());
        assert!(matches!(read, Err(LineError::CutShort)), "{cut:?}: {read:?}");
    }
}

#[test]
fn a_line_of_exactly_the_limit_is_read_and_one_byte_more_is_not() {
    assert_eq!(all(b"abc\nabc\r\nabc\n", 3), ["abc"; 3]);
    for beyond in [&b"abcd\n"[..], b"abcd\r\n", b"abcd", b"abc\r"] {
        let read = lines::read(&mut &beyond[..], 3, &mut Vec::new());
        assert!(matches!(read, Err(LineError::TooLong { max: 3 })), "{beyond:?}: {read:?}");
    }
    assert_eq!(all(b"\n\n", 0), ["", ""]);
}

#[test]
fn a_line_without_end_takes_no_more_memory_than_the_limit_allows() {
    let mut line = Vec::new();
    let endless = &mut BufReader::new(io::repeat(b'x'));
    assert!(matches!(lines::read(endless, 1000, &mut line), Err(LineError::TooLong { .. })));
    assert!(line.capacity() <= 2 * 1002, "{}", line.capacity());
}

#[test]
fn what_would_be_read_as_two_lines_is_not_written() {
    for several in [&b"one\ntwo"[..], b"one\n", b"one\r"] {
        let mut written = Vec::new();
        let error = lines::write(&mut written, MAX, several).unwrap_err();
        assert!(matches!(error, LineError::Several) && written.is_empty(), "{error:?}");
    }
    let mut written = Vec::new();
    assert!(matches!(lines::write(&mut written, 2, b"one"), Err(LineError::TooLong { max: 2 })));
    assert!(written.is_empty());
}

#[test]
fn a_stream_that_fails_is_not_one_that_ends() {
    struct Fails;
    impl Read for Fails {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(ErrorKind::TimedOut.into())
        }
    }
    let mut reader = BufReader::new((&b"half a li"[..]).chain(Fails));
    let error = lines::read(&mut reader, MAX, &mut Vec::new()).unwrap_err();
    assert_eq!(io::Error::from(error).kind(), ErrorKind::TimedOut);
}
