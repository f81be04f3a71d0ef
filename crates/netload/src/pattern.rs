//! The bytes that are sent: a stream that tells its own position, so that a shift or a
//! mix-up is seen.

use clap::Args;

/// After this many bytes the stream repeats. A prime: messages of any one length begin
/// at a different place each time.
const PERIOD: usize = 65_521;

/// Bytes of a line in a long stream. `openssl s_server` reads no line of more than 16 KiB.
pub const LINE: usize = 8 << 10;

/// Bytes that look random and are the same in every run.
#[derive(Debug)]
pub struct Pattern {
    /// The stream, and the beginning of it once more.
    bytes: Vec<u8>,
    period: usize,
    /// Where it can begin or end: at each multiple of this.
    unit: usize,
}

/// What the stream is made of.
#[derive(Debug, Clone, Copy, Args)]
pub struct PatternArgs {
    /// Say lines that read the same backwards, for a server that reverses them, as
    /// `openssl s_server -rev` does
    #[arg(long)]
    pub mirrored: bool,
}

impl PatternArgs {
    /// A stream of which up to `longest` bytes are asked for at a time; a line is `line`
    /// bytes.
    pub fn pattern(self, longest: usize, line: usize) -> Pattern {
        if self.mirrored { Pattern::mirrored(longest, line) } else { Pattern::new(longest) }
    }
}

impl Pattern {
    /// A stream of which up to `longest` bytes are asked for at a time.
    pub fn new(longest: usize) -> Pattern {
        Pattern::repeated(noise().take(PERIOD).collect(), longest, 1)
    }

    /// The same in lines of `line` bytes, each of which reads the same backwards.
    fn mirrored(longest: usize, line: usize) -> Pattern {
        let letters = line.max(1) - 1;
        let mut letter = noise().map(|byte| b'a' + byte % 26);
        let mut bytes = Vec::new();
        for _ in 0..PERIOD.div_ceil(line) {
            let half: Vec<u8> = letter.by_ref().take(letters.div_ceil(2)).collect();
            bytes.extend_from_slice(&half);
            bytes.extend(half[..letters / 2].iter().rev());
            bytes.push(b'\n');
        }
        Pattern::repeated(bytes, longest, letters + 1)
    }

    fn repeated(mut bytes: Vec<u8>, longest: usize, unit: usize) -> Pattern {
        let period = bytes.len();
        for i in 0..longest {
            bytes.push(bytes[i]);
        }
        Pattern { bytes, period, unit }
    }

    /// Where a stream that is to end behind `position` can end.
    pub fn end(&self, position: u64) -> u64 {
        position.next_multiple_of(self.unit as u64)
    }

    /// `length` bytes of the stream from `position`.
    pub fn at(&self, position: u64, length: usize) -> &[u8] {
        let start = (position % self.period as u64) as usize;
        &self.bytes[start..start + length]
    }

    /// A place in the stream for connection `number` to begin at, far from those of its
    /// neighbours.
    pub fn start(&self, number: usize) -> u64 {
        let places = self.period / self.unit;
        (number as u64).wrapping_mul(7_919) % places as u64 * self.unit as u64
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

/// Bytes without a short period.
fn noise() -> impl Iterator<Item = u8> {
    // xorshift64: which generator does not matter.
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mirrored_lines_read_the_same_backwards_and_begin_where_messages_do() {
        for size in [1, 2, 16, 64, 65] {
            let pattern = Pattern::mirrored(size, size);
            let mut lines = std::collections::HashSet::new();
            for number in 0..50 {
                let start = pattern.start(number);
                assert_eq!(pattern.end(start), start);
                let line = pattern.at(start, size).strip_suffix(b"\n").unwrap();
                assert!(line.iter().eq(line.iter().rev()) && !line.contains(&b'\n'), "{line:?}");
                lines.insert(line);
            }
            assert!(size < 16 || lines.len() == 50, "{size}: {}", lines.len());
        }
        assert_eq!(Pattern::mirrored(9, 64).end(65), 128);
    }

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
