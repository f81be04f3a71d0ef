//! Problem 8: bytes go through a cipher that the client describes first, and inside are lines
//! with orders of toys, of which the largest is to be named.
//!
//! Where the wrapper is put around the stream is as in `tls-echo`; that this one hides nothing
//! from anybody is the joke.

use std::io::{self, BufReader, ErrorKind, Read, Write};
use std::net::SocketAddr;

use netcore::connection::Connection;
use netcore::deadline::Deadline;
use netcore::lines;

use crate::server::IDLE;

/// Steps of a cipher at most, and bytes of a line inside.
const MOST: (usize, usize) = (80, 5000);

/// One step of a cipher.
#[derive(Debug, Clone, Copy)]
enum Step {
    Reverse,
    Xor(u8),
    XorPosition,
    Add(u8),
    AddPosition,
}

/// The steps, in the order in which they hide a byte.
#[derive(Debug, Clone)]
struct Cipher(Vec<Step>);

impl Cipher {
    fn read(reader: &mut impl Read) -> io::Result<Cipher> {
        let mut next = || -> io::Result<u8> {
            let mut byte = [0];
            reader.read_exact(&mut byte).map(|()| byte[0])
        };
        let mut steps = Vec::new();
        loop {
            steps.push(match next()? {
                0 => return Ok(Cipher(steps)),
                1 => Step::Reverse,
                2 => Step::Xor(next()?),
                3 => Step::XorPosition,
                4 => Step::Add(next()?),
                5 => Step::AddPosition,
                _ => return Err(ErrorKind::InvalidData.into()),
            });
            if steps.len() > MOST.0 {
                return Err(ErrorKind::InvalidData.into());
            }
        }
    }

    fn hide(&self, byte: u8, position: u8) -> u8 {
        self.0.iter().fold(byte, |byte, step| match step {
            Step::Reverse => byte.reverse_bits(),
            Step::Xor(other) => byte ^ other,
            Step::XorPosition => byte ^ position,
            Step::Add(other) => byte.wrapping_add(*other),
            Step::AddPosition => byte.wrapping_add(position),
        })
    }

    /// The other way: each step undone, the last one first.
    fn show(&self, byte: u8, position: u8) -> u8 {
        self.0.iter().rev().fold(byte, |byte, step| match step {
            Step::Reverse => byte.reverse_bits(),
            Step::Xor(other) => byte ^ other,
            Step::XorPosition => byte ^ position,
            Step::Add(other) => byte.wrapping_sub(*other),
            Step::AddPosition => byte.wrapping_sub(position),
        })
    }

    /// Whether it changes nothing, wherever it is used. Positions count beyond 255 and start
    /// again for the steps, so these are all.
    fn hides_nothing(&self) -> bool {
        (0..=255).all(|at| (0..=255).all(|byte| self.hide(byte, at) == byte))
    }
}

/// A stream through a cipher. Each direction counts its own bytes.
struct Hidden<S> {
    stream: S,
    cipher: Cipher,
    read: u8,
    written: u8,
}

impl<S: Read> Read for Hidden<S> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.stream.read(buf)?;
        for byte in &mut buf[..n] {
            *byte = self.cipher.show(*byte, self.read);
            self.read = self.read.wrapping_add(1);
        }
        Ok(n)
    }
}

impl<S: Write> Hidden<S> {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let hidden: Vec<u8> = bytes
            .iter()
            .map(|byte| {
                let hidden = self.cipher.hide(*byte, self.written);
                self.written = self.written.wrapping_add(1);
                hidden
            })
            .collect();
        self.stream.write_all(&hidden)
    }
}

/// One client.
///
/// # Errors
/// What the connection says, and that the cipher is none.
pub fn talk(stream: &mut Connection, _: SocketAddr) -> io::Result<()> {
    stream.set_deadline(Deadline::after(IDLE));
    let cipher = Cipher::read(stream)?;
    if cipher.hides_nothing() {
        return Err(io::Error::new(ErrorKind::InvalidData, "the cipher hides nothing"));
    }
    let hidden = Hidden { stream, cipher, read: 0, written: 0 };
    let (mut reader, mut line) = (BufReader::new(hidden), Vec::new());
    loop {
        reader.get_mut().stream.set_deadline(Deadline::after(IDLE));
        match lines::read(&mut reader, MOST.1, &mut line) {
            Ok(false) | Err(lines::LineError::CutShort) => return Ok(()),
            done => drop(done?),
        }
        let order = String::from_utf8_lossy(&line).into_owned();
        let most = largest(&order).ok_or(ErrorKind::InvalidData)?;
        reader.get_mut().write_all(format!("{most}\n").as_bytes())?;
    }
}

/// The toy that is wanted most often: `10x car,3x dog` wants cars.
fn largest(order: &str) -> Option<&str> {
    let number = |toy: &&str| toy.split_once('x').and_then(|(n, _)| n.parse::<u64>().ok());
    order.split(',').filter(|toy| number(toy).is_some()).max_by_key(|toy| number(toy))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cipher(mut spec: &[u8]) -> Cipher {
        Cipher::read(&mut spec).unwrap()
    }

    #[test]
    fn what_is_hidden_can_be_shown_at_any_place() {
        let cipher = cipher(&[2, 77, 1, 5, 3, 4, 9, 0]);
        for (byte, at) in (0..=255).zip((0..=255).rev()) {
            assert_eq!(cipher.show(cipher.hide(byte, at), at), byte, "{byte} at {at}");
        }
    }

    #[test]
    fn a_cipher_that_hides_nothing_is_known() {
        for spec in [&[0][..], &[2, 0, 0], &[1, 1, 0], &[2, 160, 2, 11, 2, 171, 0], &[3, 3, 0]] {
            assert!(cipher(spec).hides_nothing(), "{spec:?}");
        }
        for spec in [&[1, 0][..], &[2, 1, 0], &[5, 0], &[4, 1, 0]] {
            assert!(!cipher(spec).hides_nothing(), "{spec:?}");
        }
    }

    #[test]
    fn the_largest_number_counts_and_not_the_longest_word() {
        assert_eq!(largest("9x a very long toy,10x car,3x box"), Some("10x car"));
        assert_eq!(largest("no toy at all"), None);
    }
}
