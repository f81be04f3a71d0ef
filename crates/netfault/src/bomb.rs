//! A little that is much when it is unpacked.

use std::array::from_fn;

/// Bytes that one code of DEFLATE repeats at most, and the bits of it: a length of 258
/// (the code 11000101) and a distance of 1 (00000), with the codes that are fixed
/// ([RFC 1951 section 3.2.6](https://www.rfc-editor.org/rfc/rfc1951#section-3.2.6)).
const REPEATED: usize = 258;
const REPEAT: &str = "1100010100000";

/// The last block, with fixed codes.
const BEGIN: &str = "110";

/// What ends a block.
const END: &str = "0000000";

/// The head of a file of gzip ([RFC 1952](https://www.rfc-editor.org/rfc/rfc1952)): no
/// name, no time.
const HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

/// What CRC-32 divides by, the lowest bit first.
const DIVISOR: u32 = 0xedb8_8320;

/// ASCII `text` and about `length` spaces behind it, as gzip. Whoever unpacks all of it
/// finds nothing wrong with it.
pub(crate) fn gzip(text: &str, length: usize) -> Vec<u8> {
    let repeats = length / REPEATED;
    let spaces = 1 + repeats * REPEATED;
    let literals: String = text.bytes().chain([b' ']).map(literal).collect();
    let bits = [BEGIN, &literals, &REPEAT.repeat(repeats), END].concat();
    let mut bytes = HEAD.to_vec();
    // The first bit is the lowest of its byte.
    let byte = |bits: &[u8]| bits.iter().rev().fold(0, |byte, bit| byte << 1 | (bit - b'0'));
    bytes.extend(bits.as_bytes().chunks(8).map(byte));
    let sum = !with_spaces(text.bytes().fold(!0, with_byte), spaces);
    bytes.extend_from_slice(&sum.to_le_bytes());
    bytes.extend_from_slice(&((text.len() + spaces) as u32).to_le_bytes());
    bytes
}

/// The fixed code of a byte below 144.
fn literal(byte: u8) -> String {
    format!("{:08b}", 0b0011_0000 + byte)
}

/// The checksum of a byte more.
fn with_byte(sum: u32, byte: u8) -> u32 {
    (0..8).fold(sum ^ u32::from(byte), |sum, _| match sum & 1 {
        0 => sum >> 1,
        _ => sum >> 1 ^ DIVISOR,
    })
}

/// The checksum of so many spaces more. Each bit of a sum has its own share in the next
/// one, so the step of two spaces is made of that of one, and so on: a hundred million
/// steps are not walked.
fn with_spaces(mut sum: u32, mut spaces: usize) -> u32 {
    let nothing = with_byte(0, b' ');
    // The share of each bit, and at the end what comes of no bit at all.
    let mut step: [u32; 33] = from_fn(|bit| match bit {
        32 => nothing,
        _ => with_byte(1 << bit, b' ') ^ nothing,
    });
    let take = |step: &[u32; 33], sum: u32| {
        (0..32).filter(|bit| sum >> bit & 1 == 1).fold(step[32], |next, bit| next ^ step[bit])
    };
    while spaces > 0 {
        if spaces & 1 == 1 {
            sum = take(&step, sum);
        }
        step = from_fn(|bit| take(&step, step[bit]) ^ if bit < 32 { step[32] } else { 0 });
        spaces >>= 1;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What zlib packs two letters and 775 spaces into.
    #[test]
    fn a_bomb_is_what_other_programs_pack() {
        let deflated = [0xab, 0xae, 0x55, 0x18, 0x05, 0xa3, 0x60, 0x14, 0x00, 0x00];
        let (sum, length) = (0xd39f_6a77_u32.to_le_bytes(), 777_u32.to_le_bytes());
        let whole = [&HEAD[..], &deflated, &sum, &length].concat();
        assert_eq!(gzip("{}", 3 * REPEATED), whole);
    }

    #[test]
    fn many_steps_at_once_are_as_many_one_by_one() {
        let one_by_one = (0..1000).fold(!0, |sum, _| with_byte(sum, b' '));
        assert_eq!(with_spaces(!0, 1000), one_by_one);
    }
}
