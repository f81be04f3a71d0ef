//! The bytes that are sent: a stream that tells its own position, so that a shift or a
//! mix-up is seen.

/// After this many bytes the stream repeats. A prime: messages of any one length begin
/// at a different place each time.
const PERIOD: usize = 65_521;

/// Bytes that look random and are the same in every run.
#[derive(Debug)]
pub struct Pattern(Vec<u8>);

impl Pattern {
    /// A stream of which up to `longest` bytes are asked for at a time.
    pub fn new(longest: usize) -> Pattern {
        // xorshift64: which generator does not matter, only that it has no short period.
        let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut bytes: Vec<u8> = std::iter::repeat_with(|| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 32) as u8
        })
        .take(PERIOD)
        .collect();
        for i in 0..longest {
            bytes.push(bytes[i]);
        }
        Pattern(bytes)
    }

    /// `length` bytes of the stream from `position`.
    pub fn at(&self, position: u64, length: usize) -> &[u8] {
        let start = (position % PERIOD as u64) as usize;
        &self.0[start..start + length]
    }

    /// A place in the stream for connection `number` to begin at, far from those of its
    /// neighbours.
    pub fn start(number: usize) -> u64 {
        (number as u64).wrapping_mul(7_919) % PERIOD as u64
    }

    /// Where `got` first differs from the stream at `position`: the offset, what came,
    /// what should have.
    pub fn difference(&self, position: u64, got: &[u8]) -> Option<(usize, u8, u8)> {
        let expected = self.at(position, got.len());
        // One comparison of the whole is many times as fast as one of each byte, and nearly
        // always enough.
        if got == expected {
            return None;
        }
        let offset = got.iter().zip(expected).position(|(got, expected)| got != expected)?;
        Some((offset, got[offset], expected[offset]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_goes_on_where_it_repeats() {
        let pattern = Pattern::new(100);
        let end = PERIOD as u64 - 40;
        assert_eq!(&pattern.at(end, 100)[40..], pattern.at(0, 60));
        assert_eq!(&pattern.at(end, 100)[40..], pattern.at(end + 40, 60));
    }

    #[test]
    fn messages_that_follow_each_other_differ() {
        let pattern = Pattern::new(8);
        let messages: std::collections::HashSet<&[u8]> =
            (0..10_000).map(|n| pattern.at(n * 8, 8)).collect();
        assert_eq!(messages.len(), 10_000);
    }

    #[test]
    fn a_flipped_byte_is_named() {
        let pattern = Pattern::new(64);
        let mut got = pattern.at(70_000, 64).to_vec();
        assert_eq!(pattern.difference(70_000, &got), None);
        let right = got[17];
        got[17] ^= 1;
        assert_eq!(pattern.difference(70_000, &got), Some((17, right ^ 1, right)));
    }
}
