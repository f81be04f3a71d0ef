//! Frames under any splitting, any cut and any bytes.

use std::io::{self, BufReader, ErrorKind, Read, Write};

use netcore::frame::{self, FrameError, Header};
use proptest::collection::vec;
use proptest::prelude::*;

/// The limit of a reader that is to accept every message of a test.
const MAX: usize = 1 << 20;

/// What `read_to_end` may reserve to look for the end of the stream, beside twice what
/// has arrived.
const PROBE: usize = 64;

/// Gives its bytes away in parts of these sizes, in turn: as TCP does, which keeps the
/// bytes and not their grouping. A size of zero is a signal that arrives first.
struct Parts<'a> {
    bytes: &'a [u8],
    sizes: Vec<usize>,
    turn: usize,
}

impl Parts<'_> {
    fn buffered(bytes: &[u8], sizes: Vec<usize>, buffer: usize) -> BufReader<Parts<'_>> {
        BufReader::with_capacity(buffer, Parts { bytes, sizes, turn: 0 })
    }
}

impl Read for Parts<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let size = self.sizes[self.turn % self.sizes.len()];
        self.turn += 1;
        if size == 0 {
            return Err(ErrorKind::Interrupted.into());
        }
        let n = size.min(buf.len());
        self.bytes.read(&mut buf[..n])
    }
}

/// Counts calls and takes all that it is given.
#[derive(Default)]
struct Calls {
    bytes: Vec<u8>,
    calls: usize,
}

impl Write for Calls {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.calls += 1;
        self.bytes.write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn written(header: Header, messages: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for message in messages {
        frame::write(&mut bytes, header, MAX, message).unwrap();
    }
    bytes
}

fn any_header() -> impl Strategy<Value = Header> {
    prop_oneof![Just(Header::Binary), Just(Header::Ascii)]
}

/// Mostly small ones, and some that are larger than every buffer on the way.
fn any_messages() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let small = vec(any::<u8>(), 0..40);
    let large = (any::<u8>(), 0..200_000_usize).prop_map(|(byte, length)| vec![byte; length]);
    vec(prop_oneof![9 => small, 1 => large], 0..8)
}

/// At least one part that is not a signal, or reading would never end.
fn any_sizes() -> impl Strategy<Value = Vec<usize>> {
    (1..5000_usize, vec(0..20_usize, 0..10)).prop_map(|(last, mut sizes)| {
        sizes.push(last);
        sizes
    })
}

proptest! {
    #[test]
    fn messages_come_back_whole_however_the_stream_is_split(
        header in any_header(),
        messages in any_messages(),
        sizes in any_sizes(),
        buffer in 1..20_000_usize,
    ) {
        let bytes = written(header, &messages);
        let mut reader = Parts::buffered(&bytes, sizes, buffer);
        let mut message = Vec::new();
        for sent in &messages {
            prop_assert!(frame::read(&mut reader, header, MAX, &mut message).unwrap());
            prop_assert!(message == *sent);
        }
        prop_assert!(!frame::read(&mut reader, header, MAX, &mut message).unwrap());
    }

    #[test]
    fn a_cut_is_told_from_the_end_between_two_messages(
        header in any_header(),
        messages in vec(vec(any::<u8>(), 0..20), 1..5),
        sizes in any_sizes(),
    ) {
        let bytes = written(header, &messages);
        let ends: Vec<usize> = (0..=messages.len()).map(|n| written(header, &messages[..n]).len()).collect();
        for cut in 0..=bytes.len() {
            let mut reader = Parts::buffered(&bytes[..cut], sizes.clone(), 64);
            let mut message = Vec::new();
            for sent in messages.iter().zip(&ends[1..]).filter(|(_, end)| **end <= cut).map(|(sent, _)| sent) {
                prop_assert!(frame::read(&mut reader, header, MAX, &mut message).unwrap());
                prop_assert_eq!(&message, sent);
            }
            match frame::read(&mut reader, header, MAX, &mut message) {
                Ok(false) => prop_assert!(ends.contains(&cut), "a clean end at {}", cut),
                Err(FrameError::CutShort) => prop_assert!(!ends.contains(&cut), "cut short at {}", cut),
                other => prop_assert!(false, "{other:?} at {cut}"),
            }
        }
    }

    #[test]
    fn noise_is_an_error_or_a_message_and_reserves_no_more_than_twice_what_came(
        header in any_header(),
        noise in vec(prop_oneof![any::<u8>(), Just(0), b'0'..=b'9', Just(b' ')], 0..300),
        sizes in any_sizes(),
        max in 0..MAX,
    ) {
        let mut reader = Parts::buffered(&noise, sizes, 64);
        let mut message = Vec::new();
        loop {
            let read = frame::read(&mut reader, header, max, &mut message);
            prop_assert!(message.capacity() <= 2 * noise.len().min(max) + PROBE, "{}", message.capacity());
            match read {
                Ok(true) => prop_assert!(message.len() <= max),
                Ok(false) | Err(FrameError::CutShort) => break,
                Err(FrameError::TooLong { length, .. }) => {
                    prop_assert!(length > max as u64);
                    break;
                }
                Err(FrameError::Text { header: text, .. }) => {
                    prop_assert_eq!(header, Header::Binary);
                    prop_assert!(u32::from_be_bytes(text) as usize > max);
                    break;
                }
                Err(FrameError::BadHeader(_)) => {
                    prop_assert_eq!(header, Header::Ascii);
                    break;
                }
                Err(FrameError::Io(error)) => return Err(TestCaseError::fail(error.to_string())),
            }
        }
    }

    #[test]
    fn an_ascii_header_is_digits_and_then_spaces_only(text in "([0-9]{0,10}|[ -9]{10}|\\PC{0,10})") {
        let mut bytes = text.clone().into_bytes();
        bytes.resize(10, b' ');
        let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let is_length = digits > 0 && bytes[digits..].iter().all(|byte| *byte == b' ');
        // A limit of zero turns every other length into an error that tells what was read.
        match frame::read(&mut &bytes[..], Header::Ascii, 0, &mut Vec::new()) {
            Ok(true) => prop_assert!(is_length && bytes[..digits].iter().all(|digit| *digit == b'0')),
            Err(FrameError::TooLong { length, max: 0 }) => {
                prop_assert!(is_length);
                prop_assert_eq!(length.to_string(), text.trim_end().trim_start_matches('0'));
            }
            Err(FrameError::BadHeader(header)) => {
                prop_assert!(!is_length);
                prop_assert_eq!(&header[..], &bytes);
            }
            other => prop_assert!(false, "{other:?}"),
        }
    }
}

#[test]
fn a_length_is_four_bytes_with_the_most_significant_first_or_ten_characters() {
    let message = "мир!".as_bytes();
    assert_eq!(written(Header::Binary, &[message.to_vec()]), [b"\0\0\0\x07", message].concat());
    assert_eq!(written(Header::Ascii, &[message.to_vec()]), [b"7         ", message].concat());
}

#[test]
fn no_header_but_a_length_is_understood() {
    for header in [
        "          ",
        "+5        ",
        "-5        ",
        " 5        ",
        "5 5       ",
        "5\0        ",
        "0x10      ",
        "5\t        ",
    ] {
        let read = frame::read(&mut header.as_bytes(), Header::Ascii, MAX, &mut Vec::new());
        assert!(matches!(read, Err(FrameError::BadHeader(_))), "{header:?}: {read:?}");
    }
}

#[test]
fn every_length_that_a_header_can_hold_is_read() {
    for (header, bytes, most) in [
        (Header::Binary, &b"\xff\xff\xff\xff"[..], 4_294_967_295),
        (Header::Ascii, &b"9999999999"[..], 9_999_999_999),
    ] {
        let mut message = Vec::new();
        match frame::read(&mut &bytes[..], header, MAX, &mut message) {
            Err(FrameError::TooLong { length, max: MAX }) => assert_eq!(length, most),
            other => panic!("{other:?}"),
        }
        assert_eq!(message.capacity(), 0);
    }
}

#[test]
fn a_claim_within_the_limit_reserves_nothing_for_what_has_not_come() {
    let mut message = Vec::new();
    let read = frame::read(&mut &b"1048576   abc"[..], Header::Ascii, MAX, &mut message);
    assert!(matches!(read, Err(FrameError::CutShort)), "{read:?}");
    assert!(message.capacity() <= PROBE, "{}", message.capacity());
}

#[test]
fn a_message_of_exactly_the_limit_is_read_and_one_byte_more_is_not() {
    let bytes = written(Header::Binary, &[vec![b'x'; 100]]);
    assert!(frame::read(&mut &bytes[..], Header::Binary, 100, &mut Vec::new()).unwrap());
    let read = frame::read(&mut &bytes[..], Header::Binary, 99, &mut Vec::new());
    assert!(matches!(read, Err(FrameError::TooLong { length: 100, max: 99 })), "{read:?}");
}

#[test]
fn a_message_is_written_with_its_header_in_one_call() {
    for header in [Header::Binary, Header::Ascii] {
        let mut writer = Calls::default();
        frame::write(&mut writer, header, MAX, b"hello").unwrap();
        assert_eq!(writer.calls, 1);
    }
}

#[test]
fn a_message_over_the_limit_is_refused_before_anything_is_written() {
    let mut writer = Calls::default();
    let refused = frame::write(&mut writer, Header::Binary, 4, b"hello");
    assert!(matches!(refused, Err(FrameError::TooLong { length: 5, max: 4 })), "{refused:?}");
    assert_eq!(writer.calls, 0);
}

#[test]
fn a_stream_that_fails_is_not_one_that_ends() {
    struct Fails;
    impl Read for Fails {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(ErrorKind::TimedOut.into())
        }
    }
    let whole = written(Header::Binary, &[b"hello".to_vec()]);
    for cut in 0..whole.len() {
        let mut reader = BufReader::new((&whole[..cut]).chain(Fails));
        match frame::read(&mut reader, Header::Binary, MAX, &mut Vec::new()) {
            Err(FrameError::Io(error)) => assert_eq!(error.kind(), ErrorKind::TimedOut),
            other => panic!("{other:?} at {cut}"),
        }
    }
}

#[test]
fn an_error_keeps_its_reason_and_gets_a_kind_as_an_io_error() {
    let error = io::Error::from(FrameError::BadHeader(*b"GET / HTTP"));
    assert_eq!(error.kind(), ErrorKind::InvalidData);
    assert_eq!(netcore::error::reason(&error), r#"the header "GET / HTTP" is not a length"#);
    let error = io::Error::from(FrameError::CutShort);
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    assert_eq!(netcore::error::reason(&error), "the connection ended in the middle of a message");
    let error = io::Error::from(FrameError::TooLong { length: 5, max: 4 });
    assert_eq!(netcore::error::reason(&error), "a message of 5 bytes is over the limit of 4");
}

#[test]
fn a_length_that_is_text_is_shown_as_such() {
    for (sent, told) in [
        (&b"GET / HTTP/1.1\r\n"[..], r#""GET ""#),
        (b"hi\r\nthere", r#""hi\r\n""#),
        (b"{\"a\":1}", r#""{\"a\"""#),
    ] {
        let read = frame::read(&mut &sent[..], Header::Binary, MAX, &mut Vec::new());
        let Err(FrameError::Text { header, max: MAX }) = read else { panic!("{read:?}") };
        assert_eq!(header, sent[..4]);
        let error = io::Error::from(FrameError::Text { header, max: MAX });
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        let reason = netcore::error::reason(&error);
        assert!(reason.contains(told), "{reason}");
    }
    // A length that no text is, and one that is within the limit.
    let read = frame::read(&mut &b"\x16\x03\x01\x02"[..], Header::Binary, MAX, &mut Vec::new());
    assert!(matches!(read, Err(FrameError::TooLong { .. })), "{read:?}");
    let read = frame::read(&mut &b"GET cut"[..], Header::Binary, usize::MAX, &mut Vec::new());
    assert!(matches!(read, Err(FrameError::CutShort)), "{read:?}");
}
