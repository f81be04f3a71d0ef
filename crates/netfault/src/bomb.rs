//! A little that is much when it is unpacked.

/// Zeros that one code of DEFLATE repeats at most, and the bits of it: a length of 258
/// (the code 11000101) and a distance of 1 (00000), with the codes that are fixed
/// ([RFC 1951 section 3.2.6](https://www.rfc-editor.org/rfc/rfc1951#section-3.2.6)).
const REPEATED: usize = 258;
const REPEAT: &str = "1100010100000";

/// The last block, with fixed codes; then the letter that is repeated, a zero.
const BEGIN: &str = "11000110000";

/// What ends a block.
const END: &str = "0000000";

/// The head of a file of gzip ([RFC 1952](https://www.rfc-editor.org/rfc/rfc1952)): no
/// name, no time.
const HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

/// About `length` zeros, as gzip. Its checksum is wrong: whoever comes so far to see that has
/// unpacked all of it.
pub(crate) fn gzip(length: usize) -> Vec<u8> {
    let bits = [BEGIN, &REPEAT.repeat(length / REPEATED), END].concat();
    let mut bytes = HEAD.to_vec();
    // The first bit is the lowest of its byte.
    let byte = |bits: &[u8]| bits.iter().rev().fold(0, |byte, bit| byte << 1 | (bit - b'0'));
    bytes.extend(bits.as_bytes().chunks(8).map(byte));
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(&(length as u32).to_le_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What zlib unpacks to 775 zeros.
    #[test]
    fn a_bomb_is_what_other_programs_unpack() {
        let deflated = [0x63, 0x18, 0x05, 0xa3, 0x60, 0x14, 0x00, 0x00];
        let length = (3 * REPEATED as u32).to_le_bytes();
        let whole = [&HEAD[..], &deflated, &[0; 4], &length].concat();
        assert_eq!(gzip(3 * REPEATED), whole);
    }
}
