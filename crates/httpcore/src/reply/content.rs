//! What the content of a response can be.

use std::borrow::Cow;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::sync::Arc;

use crate::refusal::Refusal;

/// The body of a response.
pub enum Content {
    /// Nothing, and a length of 0.
    Empty,
    /// These.
    Bytes(Cow<'static, [u8]>),
    /// Its page is made when it is sent, in the form that the client asks for.
    Refusal(Refusal),
    /// A response that could not be built: nothing that is added to it makes it another
    /// one.
    Failure(Refusal),
    /// A small file that is kept in memory, with its header lines.
    Stored(Arc<Stored>),
    /// Parts of a file, sent without a copy where the system can.
    File(Parts),
    /// As much as there is; its length is not known.
    Stream(Box<dyn Read + Send>),
}

/// A small file with its header lines ready-made, so that a request for it copies and
/// formats nothing.
#[derive(Debug)]
pub struct Stored {
    /// Whole lines, Content-Length among them.
    pub fields: Vec<u8>,
    /// The file.
    pub bytes: Vec<u8>,
}

/// Parts of one file, with text between them where there are several.
#[derive(Debug)]
pub struct Parts {
    /// Perhaps of several responses at once, so that its own position means nothing.
    pub file: Arc<File>,
    /// In the order in which they are sent.
    pub list: Vec<Part>,
}

/// One of these parts.
#[derive(Debug)]
pub enum Part {
    /// What stands between two parts of the file.
    Text(Vec<u8>),
    /// Bytes of the file.
    Slice(Range<u64>),
}

impl Part {
    /// How many bytes it has.
    pub fn length(&self) -> u64 {
        match self {
            Part::Text(text) => text.len() as u64,
            Part::Slice(slice) => slice.end - slice.start,
        }
    }
}

impl Parts {
    /// Bytes of all parts together.
    pub fn length(&self) -> u64 {
        self.list.iter().map(Part::length).sum()
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Content::Empty => "Empty",
            Content::Bytes(_) => "Bytes",
            Content::Refusal(_) => "Refusal",
            Content::Failure(_) => "Failure",
            Content::Stored(_) => "Stored",
            Content::File(_) => "File",
            Content::Stream(_) => "Stream",
        })
    }
}
