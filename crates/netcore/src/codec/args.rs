//! How long a message may be, on a command line.

use clap::Args;

use super::{Codec, DEPTH, MAX_BYTES};
use crate::cli::size;

/// What each end can be told about the messages that it takes.
#[derive(Debug, Clone, Args)]
pub struct Messages {
    // 64 KiB is much for a request, little to hold for each client, and crosses a slow line within
    // the idle limit.
    /// Refuse a message of more bytes than this, as in 512, 64k or 1m; 16m at most
    #[arg(long, value_name = "SIZE", value_parser = message_size, default_value = "64k")]
    pub max_message: usize,
}

impl Messages {
    /// How values become messages of this version, at most [`DEPTH`] deep.
    pub fn codec(&self, version: u8) -> Codec {
        Codec::new(version, self.max_message, DEPTH)
    }
}

fn message_size(text: &str) -> Result<usize, String> {
    match size(text)? {
        bytes if bytes > MAX_BYTES => Err("a message has 16m at most".into()),
        bytes => Ok(bytes),
    }
}
