//! Messages with a kind, their length, and a last byte that makes the sum of all bytes 0.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Read};

/// Bytes of a message at most.
const LONGEST: usize = 1 << 20;

/// Bytes of a message with nothing in it: kind, length and the last byte.
const FRAME: usize = 6;

const PROTOCOL: &[u8] = b"pestcontrol";

/// How many there should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// At least.
    pub min: u32,
    /// At most.
    pub max: u32,
}

/// What is done about a species.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// There are too many.
    Cull,
    /// There are too few.
    Conserve,
}

/// One message. Species are bytes that nobody here has to understand.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the problem describes them, and has these names")]
pub enum Message {
    Hello(Vec<u8>, u32),
    Error(String),
    Ok,
    DialAuthority(u32),
    TargetPopulations(u32, BTreeMap<Vec<u8>, Range>),
    CreatePolicy(Vec<u8>, Policy),
    DeletePolicy(u32),
    PolicyResult(u32),
    SiteVisit(u32, BTreeMap<Vec<u8>, u32>),
}

impl Message {
    /// What both sides begin with.
    pub fn hello() -> Message {
        Message::Hello(PROTOCOL.into(), 1)
    }

    /// # Errors
    /// When it is anything else.
    pub fn expect_hello(self) -> io::Result<()> {
        match self == Message::hello() {
            true => Ok(()),
            false => Err(wrong("a conversation begins with a hello of this protocol")),
        }
    }

    /// As it is sent.
    pub fn encode(&self) -> Vec<u8> {
        let number = |number: u32| number.to_be_bytes().to_vec();
        let text = |text: &[u8]| [&(text.len() as u32).to_be_bytes()[..], text].concat();
        let (kind, inside) = match self {
            Message::Hello(protocol, version) => {
                (0x50, [text(protocol), number(*version)].concat())
            }
            Message::Error(why) => (0x51, text(why.as_bytes())),
            Message::Ok => (0x52, Vec::new()),
            Message::DialAuthority(site) => (0x53, number(*site)),
            Message::TargetPopulations(site, targets) => {
                let each = targets
                    .iter()
                    .map(|(name, it)| [text(name), number(it.min), number(it.max)].concat());
                let targets: Vec<u8> = each.flatten().collect();
                (0x54, [number(*site), number(self.entries()), targets].concat())
            }
            Message::CreatePolicy(species, policy) => {
                let policy = if *policy == Policy::Cull { 0x90 } else { 0xa0 };
                (0x55, [text(species), vec![policy]].concat())
            }
            Message::DeletePolicy(policy) => (0x56, number(*policy)),
            Message::PolicyResult(policy) => (0x57, number(*policy)),
            Message::SiteVisit(site, counts) => {
                let each = counts.iter().map(|(name, it)| [text(name), number(*it)].concat());
                let counts: Vec<u8> = each.flatten().collect();
                (0x58, [number(*site), number(self.entries()), counts].concat())
            }
        };
        let length = number((FRAME + inside.len()) as u32);
        let mut bytes = [vec![kind], length, inside].concat();
        bytes.push(0_u8.wrapping_sub(sum(&bytes)));
        bytes
    }

    fn entries(&self) -> u32 {
        match self {
            Message::TargetPopulations(_, targets) => targets.len() as u32,
            Message::SiteVisit(_, counts) => counts.len() as u32,
            _ => 0,
        }
    }

    /// The next message.
    ///
    /// # Errors
    /// `InvalidData` where it is none; what the connection says.
    pub fn read(reader: &mut impl Read) -> io::Result<Message> {
        let mut head = [0; 5];
        reader.read_exact(&mut head)?;
        let [kind, length @ ..] = head;
        let length = u32::from_be_bytes(length) as usize;
        // Before any memory is taken for it.
        if !(FRAME..=LONGEST).contains(&length) {
            return Err(wrong("no message is so short or so long"));
        }
        let mut rest = vec![0; length - head.len()];
        reader.read_exact(&mut rest)?;
        if sum(&head).wrapping_add(sum(&rest)) != 0 {
            return Err(wrong("the sum of a message is not 0"));
        }
        rest.pop();
        decode(kind, &mut Inside(&rest)).ok_or_else(|| wrong("a message makes no sense"))
    }
}

fn sum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| sum.wrapping_add(*byte))
}

fn decode(kind: u8, inside: &mut Inside) -> Option<Message> {
    let message = match kind {
        0x50 => Message::Hello(inside.text()?, inside.number()?),
        0x51 => Message::Error(String::from_utf8_lossy(&inside.text()?).into_owned()),
        0x52 => Message::Ok,
        0x53 => Message::DialAuthority(inside.number()?),
        0x54 => Message::TargetPopulations(
            inside.number()?,
            inside.entries(|it| Some(Range { min: it.number()?, max: it.number()? }))?,
        ),
        0x55 => {
            let species = inside.text()?;
            let [policy] = inside.bytes()?;
            Message::CreatePolicy(
                species,
                match policy {
                    0x90 => Policy::Cull,
                    0xa0 => Policy::Conserve,
                    _ => return None,
                },
            )
        }
        0x56 => Message::DeletePolicy(inside.number()?),
        0x57 => Message::PolicyResult(inside.number()?),
        0x58 => Message::SiteVisit(inside.number()?, inside.entries(Inside::number)?),
        _ => return None,
    };
    inside.0.is_empty().then_some(message)
}

/// What has not been read yet. Nothing is allocated for what is not there.
struct Inside<'a>(&'a [u8]);

impl Inside<'_> {
    fn bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    fn number(&mut self) -> Option<u32> {
        self.bytes().map(u32::from_be_bytes)
    }

    fn text(&mut self) -> Option<Vec<u8>> {
        let length = self.number()? as usize;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(text.into())
    }

    /// By species. The same twice is once, and two different ones are none.
    fn entries<T: PartialEq>(
        &mut self,
        one: impl Fn(&mut Self) -> Option<T>,
    ) -> Option<BTreeMap<Vec<u8>, T>> {
        let mut entries = BTreeMap::new();
        for _ in 0..self.number()? {
            let (species, value) = (self.text()?, one(self)?);
            if entries.get(&species).is_some_and(|known| *known != value) {
                return None;
            }
            entries.insert(species, value);
        }
        Some(entries)
    }
}

pub(super) fn wrong(why: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, why)
}
