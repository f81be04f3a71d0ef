//! What nodes say to each other, and how it stands in a datagram: numbers are big-endian,
//! and what varies in length has its length before it.
//!
//! ```text
//! datagram  "NLG1" kind proof(8) token(8) body          21 bytes without the body
//! body      count(1) line... count(1) batch...          of the kinds that have one
//! line      flags(1) name generation(8) heartbeat(4) quiet(4) first(4) last(4) address
//! batch     name generation(8) after(4) upto(4) count(1) notice...
//! notice    number(4) age(4) length(2) text
//! name      length(1) text
//! address   IPv4(4) or IPv6(16), port(2); only where the flags say so
//! ```
//!
//! A datagram that is not exactly this is none: [`Body::decode`] says so, and nothing of
//! it has been believed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use netcore::names::is_letter;

/// Bytes of a datagram at most: what passes every usual network in one piece (IPv6 promises
/// 1,280 with its heads). More is sent in the next round.
pub const LARGEST: usize = 1_200;

/// Bytes before the body.
pub const HEAD: usize = 21;

/// Bytes that prove the secret of the board, behind the body, where it has one.
pub const SEAL: usize = 32;

/// Bytes of a body at most, so that the datagram stays below [`LARGEST`] with a seal.
pub const ROOM: usize = LARGEST - HEAD - SEAL;

/// Bytes of a name at most: an IPv6 address and its port fit.
pub const LONGEST_NAME: usize = 48;

/// Bytes of a notice at most.
pub const LONGEST_TEXT: usize = 200;

/// Bytes of the two counts of a body.
pub(crate) const COUNTS: usize = 2;

const LEFT: u8 = 1;
const V4: u8 = 2;
const V6: u8 = 4;

/// Bytes of a line without its name and its address.
const LINE: usize = 26;

/// A name of a node: shared, since many tables have the same ones.
pub type Name = Arc<str>;

/// What is asked of the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An answer, in any case.
    Ask,
    /// What is lacking there, if there is anything.
    Answer,
    /// Nothing, unless it has brought something and there is more.
    Push,
}

/// What the sender knows of a node, itself included: one line of a digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Whom it is about.
    pub name: Name,
    /// Which life of that node: a later start has a higher one.
    pub generation: u64,
    /// Counts up as long as the node lives.
    pub heartbeat: u32,
    /// Milliseconds since it last did, as far as the sender knows.
    pub quiet: u32,
    /// Notices before this number have been taken back.
    pub first: u32,
    /// The sender has all notices up to this number, but for those that are too old.
    pub last: u32,
    /// It has said goodbye.
    pub left: bool,
    /// Where it is asked; `None` for who only visits.
    pub address: Option<SocketAddr>,
}

/// Notices of one node, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Whose they are.
    pub name: Name,
    /// Of which life.
    pub generation: u64,
    /// They follow on this number,
    pub after: u32,
    /// and whoever has them has all up to this one.
    pub upto: u32,
    /// Those between that are still there.
    pub notices: Vec<Notice>,
}

/// One notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Its number in the life of its author, from 1.
    pub number: u32,
    /// Milliseconds since it was written.
    pub age: u32,
    /// What it says.
    pub text: Arc<str>,
}

/// What one datagram carries. The first line is the sender's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// What is asked of the other end.
    pub kind: Kind,
    /// The digest, or a part of it.
    pub lines: Vec<Line>,
    /// Notices that the other end lacks.
    pub batches: Vec<Batch>,
}

/// Whether a node can be called so: letters, digits and what addresses have, so that
/// nothing in a name moves the cursor of a terminal.
pub fn is_name(name: &str) -> bool {
    let is_plain = |c: char| is_letter(c) || "._:-[]".contains(c);
    (1..=LONGEST_NAME).contains(&name.len()) && name.chars().all(is_plain)
}

/// What can be a name, for a command line.
///
/// # Errors
/// A sentence for clap to show.
pub fn name(text: &str) -> Result<String, String> {
    let about = format!("a name is 1 to {LONGEST_NAME} bytes of letters, digits, '.', '_', '-'");
    is_name(text).then(|| text.into()).ok_or(about)
}

impl Line {
    /// Bytes in a datagram.
    pub fn size(&self) -> usize {
        let address = match self.address {
            None => 0,
            Some(SocketAddr::V4(_)) => 6,
            Some(SocketAddr::V6(_)) => 18,
        };
        LINE + self.name.len() + address
    }
}

impl Batch {
    /// Bytes in a datagram, without its notices.
    pub fn size_of_head(&self) -> usize {
        18 + self.name.len()
    }

    /// Bytes in a datagram.
    pub fn size(&self) -> usize {
        self.size_of_head() + self.notices.iter().map(Notice::size).sum::<usize>()
    }
}

impl Notice {
    /// Bytes in a datagram.
    pub fn size(&self) -> usize {
        10 + self.text.len()
    }
}

impl Body {
    /// Bytes in a datagram.
    pub fn size(&self) -> usize {
        let lines: usize = self.lines.iter().map(Line::size).sum();
        COUNTS + lines + self.batches.iter().map(Batch::size).sum::<usize>()
    }

    /// Appends it to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        // As many as fit in a datagram are fewer than 255 of each.
        out.push(self.lines.len() as u8);
        for line in &self.lines {
            put_line(out, line);
        }
        out.push(self.batches.len() as u8);
        for batch in &self.batches {
            put_name(out, &batch.name);
            out.extend(batch.generation.to_be_bytes());
            out.extend(batch.after.to_be_bytes());
            out.extend(batch.upto.to_be_bytes());
            out.push(batch.notices.len() as u8);
            for notice in &batch.notices {
                out.extend(notice.number.to_be_bytes());
                out.extend(notice.age.to_be_bytes());
                out.extend((notice.text.len() as u16).to_be_bytes());
                out.extend(notice.text.as_bytes());
            }
        }
    }

    /// Reads the whole of `bytes`; `None` where it is anything but a body.
    pub fn decode(kind: Kind, bytes: &[u8]) -> Option<Body> {
        let mut input = Input(bytes);
        let lines = (0..input.byte()?).map(|_| input.line()).collect::<Option<Vec<_>>>()?;
        let batches = (0..input.byte()?).map(|_| input.batch()).collect::<Option<_>>()?;
        // Somebody speaks, and nothing is behind it.
        (!lines.is_empty() && input.0.is_empty()).then_some(Body { kind, lines, batches })
    }
}

fn put_name(out: &mut Vec<u8>, name: &str) {
    out.push(name.len() as u8);
    out.extend(name.as_bytes());
}

fn put_line(out: &mut Vec<u8>, line: &Line) {
    let family = match line.address {
        None => 0,
        Some(SocketAddr::V4(_)) => V4,
        Some(SocketAddr::V6(_)) => V6,
    };
    out.push(family | if line.left { LEFT } else { 0 });
    put_name(out, &line.name);
    out.extend(line.generation.to_be_bytes());
    for number in [line.heartbeat, line.quiet, line.first, line.last] {
        out.extend(number.to_be_bytes());
    }
    if let Some(address) = line.address {
        match address.ip() {
            IpAddr::V4(ip) => out.extend(ip.octets()),
            IpAddr::V6(ip) => out.extend(ip.octets()),
        }
        out.extend(address.port().to_be_bytes());
    }
}

/// What has not been read yet. Nothing is allocated for what is not there.
struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.bytes().map(u8::from_be_bytes)
    }

    fn number(&mut self) -> Option<u32> {
        self.bytes().map(u32::from_be_bytes)
    }

    fn text(&mut self, length: usize, most: usize) -> Option<Arc<str>> {
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        (length <= most).then(|| std::str::from_utf8(text).ok()).flatten().map(Arc::from)
    }

    fn name(&mut self) -> Option<Name> {
        let length = self.byte()?.into();
        self.text(length, LONGEST_NAME).filter(|name| is_name(name))
    }

    fn line(&mut self) -> Option<Line> {
        let flags = self.byte()?;
        let name = self.name()?;
        let generation = self.bytes().map(u64::from_be_bytes)?;
        let [heartbeat, quiet, first, last] =
            [self.number()?, self.number()?, self.number()?, self.number()?];
        let ip: Option<IpAddr> = match flags & !LEFT {
            0 => None,
            V4 => Some(Ipv4Addr::from(self.bytes()?).into()),
            V6 => Some(Ipv6Addr::from(self.bytes::<16>()?).into()),
            _ => return None,
        };
        let address = match ip {
            Some(ip) => Some(SocketAddr::new(ip, u16::from_be_bytes(self.bytes()?))),
            None => None,
        };
        let left = flags & LEFT != 0;
        Some(Line { name, generation, heartbeat, quiet, first, last, left, address })
    }

    fn batch(&mut self) -> Option<Batch> {
        let name = self.name()?;
        let generation = self.bytes().map(u64::from_be_bytes)?;
        let [after, upto] = [self.number()?, self.number()?];
        let notices: Vec<Notice> =
            (0..self.byte()?).map(|_| self.notice()).collect::<Option<_>>()?;
        let mut before = after;
        let in_order = notices.iter().all(|it| {
            let next = it.number > before && it.number <= upto;
            before = it.number;
            next
        });
        (after <= upto && in_order).then_some(Batch { name, generation, after, upto, notices })
    }

    fn notice(&mut self) -> Option<Notice> {
        let [number, age] = [self.number()?, self.number()?];
        let length = self.bytes().map(u16::from_be_bytes)?.into();
        Some(Notice { number, age, text: self.text(length, LONGEST_TEXT)? })
    }
}

#[cfg(test)]
mod tests;
