//! The client: says what is typed, and prints what comes, at once.

use std::io::{self, ErrorKind};

use clap::Args;
use netcore::Error;
use netcore::cli::{self, ClientArgs};
use netcore::log::harmless;
use netcore::talk::talk;

use crate::{ALIVE, I_AM, LONGEST_LINE};

/// Bytes of a line that is heard at most: a name stands before it, and what is escaped is
/// longer than it was.
const LONGEST_HEARD: usize = 8 * LONGEST_LINE;

/// What the client can be told beside where and what.
#[derive(Debug, Args)]
pub struct Options {
    /// What the others call you
    #[arg(value_name = "NAME")]
    pub name: String,
}

/// Joins the room, says each message of the command line, or each line of standard input
/// as it is typed, and leaves. Prints every line that comes, up to the end.
///
/// # Errors
/// As [`ClientArgs::connect`] and [`talk`]; that the server has refused the name, has
/// dropped us, or has gone without a goodbye.
pub fn run<const PORT: u16>(args: &ClientArgs<PORT>, options: Options) -> Result<(), Error> {
    let stream = args.connect()?;
    let name = options.name;
    let goodbyes = [format!("* {name} left"), "* the server stops".into()];
    let said: Vec<_> = args.messages.iter().map(|text| text.as_encoded_bytes().to_vec()).collect();
    let typed = said.is_empty().then(cli::typed).into_iter().flatten();
    // This client answers by itself whether it is alive.
    let first = [name.into_bytes(), I_AM.into()];
    let words = first.into_iter().chain(said).map(Ok).chain(typed);
    let mut last = String::new();
    talk(stream, LONGEST_HEARD, words, |line, speaker| {
        if line == ALIVE.as_bytes() {
            return speaker.answer(I_AM.as_bytes()).map_err(Error::failed("answer"));
        }
        // The server has done so as well, if it is one of ours.
        last = harmless(&String::from_utf8_lossy(line));
        cli::print(&last)
    })?;
    // An end without a goodbye is none: what was said last may be lost.
    match last.strip_prefix("! ") {
        _ if goodbyes.contains(&last) => Ok(()),
        Some(why) => Err(Error::failed("stay in the room")(io::Error::other(why))),
        None => Err(Error::failed("stay in the room")(ErrorKind::UnexpectedEof.into())),
    }
}
