//! What must hold of any bytes at all: called by the fuzz targets in `fuzz/`, and by
//! the test that replays their corpus.

use std::io::{BufReader, Read};

use netcore::codec::Codec;
use netcore::frame::{self, FrameError, Header};
use serde::{Deserialize, Serialize};

/// Small, so that fuzzing finds both sides of it.
const MAX: usize = 1 << 10;

/// As `object-exchange` has it, with less depth.
const CODEC: Codec = Codec::new(1, MAX, 8);

/// Values inside values, of every shape that takes memory.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Value {
    Integer(i64),
    Text(String),
    Optional(Option<Box<Value>>),
    List(Vec<Value>),
    Map(std::collections::BTreeMap<u32, Value>),
}

/// A stream of frames, in either kind of header and in reads of any size: no message is
/// over the limit, memory does not follow a claim, and what was read is written as the
/// same bytes.
pub fn frames(data: &[u8]) {
    let Some((&first, stream)) = data.split_first() else { return };
    let header = if first & 1 == 0 { Header::Binary } else { Header::Ascii };
    let room = usize::from(first >> 1) + 1;
    let mut reader = BufReader::with_capacity(room, Trickle(stream));
    let mut message = Vec::new();
    let mut rest = stream;
    loop {
        match frame::read(&mut reader, header, MAX, &mut message) {
            Ok(true) => {
                assert!(message.len() <= MAX);
                let mut written = Vec::new();
                frame::write(&mut written, header, MAX, &message)
                    .expect("what could be read can be written");
                // Of a length there is more than one spelling in ASCII: as long, and with the same
                // message behind.
                let (whole, behind) = rest.split_at(written.len());
                assert!(whole.ends_with(&message));
                assert!(header == Header::Ascii || whole == written);
                rest = behind;
            }
            Ok(false) => return assert!(rest.is_empty(), "the end came before the end"),
            Err(FrameError::TooLong { length, max }) => return assert!(length > max as u64),
            Err(FrameError::Text { header, max }) => {
                return assert!(u32::from_be_bytes(header) as usize > max);
            }
            Err(FrameError::Io(error)) => panic!("memory does not fail: {error}"),
            Err(FrameError::CutShort | FrameError::BadHeader(_)) => {
                // Memory grows with what has come, to at most twice as much.
                return assert!(message.capacity() <= 2 * MAX + 64);
            }
        }
    }
}

/// A message: what can be decoded is encoded and decoded to the same again.
pub fn values(data: &[u8]) {
    let Ok(value) = CODEC.decode::<Value>(data) else { return };
    let mut again = Vec::new();
    CODEC.encode(&value, &mut again).expect("what fitted into a message fits again");
    assert_eq!(CODEC.decode::<Value>(&again).expect("our own message can be decoded"), value);
}

/// A stream that gives three bytes at a time.
struct Trickle<'a>(&'a [u8]);

impl Read for Trickle<'_> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        const FEW: usize = 3;
        let few = buf.len().min(FEW);
        self.0.read(&mut buf[..few])
    }
}
