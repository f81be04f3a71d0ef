//! How messages are written, on a command line.

use std::io::{BufRead, Write};

use clap::Args;

use super::{FrameError, Header, read, write};
use crate::cli::size;

/// What both ends must be told alike: how a message is written.
#[derive(Debug, Clone, Args)]
pub struct Framing {
    /// Write lengths as the tutorial does: 10 ASCII characters, digits and then spaces,
    /// instead of 4 bytes
    #[arg(long)]
    pub ascii_header: bool,
    // 64 KiB is much for a text, little to hold for each client, and crosses a slow line within
    // the idle limit.
    /// Refuse a message of more bytes than this, as in 512, 64k or 1m
    #[arg(long, value_name = "SIZE", value_parser = size, default_value = "64k")]
    pub max_message: usize,
}

impl Framing {
    /// How the length of a message is written.
    pub fn header(&self) -> Header {
        if self.ascii_header { Header::Ascii } else { Header::Binary }
    }

    /// Reads one message, as [`read`] does.
    ///
    /// # Errors
    /// See [`FrameError`].
    pub fn read(
        &self,
        reader: &mut impl BufRead,
        message: &mut Vec<u8>,
    ) -> Result<bool, FrameError> {
        read(reader, self.header(), self.max_message, message)
    }

    /// Writes one message, as [`write()`] does.
    ///
    /// # Errors
    /// See [`FrameError`].
    pub fn write(&self, writer: &mut impl Write, message: &[u8]) -> Result<(), FrameError> {
        write(writer, self.header(), self.max_message, message)
    }
}
