//! A value by hand
//!
//! What are the bytes of the request `Upper(text)`, without the length of the frame?
//! The version, the place of the variant among the variants (counted from 0), the length of
//! the text, the text.
//! Each number is one byte here, and the text is short.
//!
//! Hint: The version is 1: `object_exchange::message::VERSION`.
//!
//! Hint: The variants are `Get`, `Upper`, `Echo`, so that of `Upper` is 1.

use object_exchange::message::VERSION;

/// The message, for a text of up to 250 bytes.
pub fn upper(text: &str) -> Vec<u8> {
    // Solution:
    [&[VERSION, 1, text.len() as u8], text.as_bytes()].concat()
    // End.
}

// The check. Nothing below is to be changed.
#[cfg(test)]
mod tests {
    use super::*;
    use netcore::codec::{Codec, DEPTH, MAX_BYTES};
    use object_exchange::message::Request;

    #[test]
    fn the_codec_writes_the_same_and_reads_it() {
        let codec = Codec::new(VERSION, MAX_BYTES, DEPTH);
        for text in ["hi", "", "Привет"] {
            let mut written = Vec::new();
            codec.encode(&Request::Upper(text.into()), &mut written).unwrap();
            assert_eq!(upper(text), written, "for {text:?}");
            let read: Request = codec.decode(&upper(text)).unwrap();
            assert_eq!(read, Request::Upper(text.into()));
        }
    }
}
