//! A bot: a program that is a member of the room of `chat`, hears what all say, and answers
//! what is meant for it.
//!
//! [`Bot::reply`] is what it says to a line, and knows nothing of the network; [`run`] is the
//! conversation.
//!
//! Still wrong: when the server goes, so does the bot (`api-client` shows how to come back),
//! and two bots that answer each other would never end.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

use std::collections::BTreeMap;
use std::io::{self, BufReader};
use std::net::TcpStream;

use netcore::lines;

/// The port of the room, unless told otherwise.
pub const PORT: u16 = 9092;

/// Bytes of a line that is heard at most: what a member may say, with its name before it.
const LONGEST_LINE: usize = 2 << 10;

/// Names that are counted at most: with the room's bound on a name, the bound on memory.
const MOST_NAMES: usize = 1000;

/// What the room asks a program, and what that answers.
const ALIVE: &str = "/alive?";
const I_AM: &str = "/alive";

/// What the bot knows.
#[derive(Debug)]
pub struct Bot {
    /// What it is called in the room.
    pub name: String,
    /// How many lines each member has said.
    said: BTreeMap<String, u64>,
}

impl Bot {
    /// One that has heard nothing yet.
    pub fn new(name: &str) -> Bot {
        Bot { name: name.into(), said: BTreeMap::new() }
    }

    /// What it says when it has heard this line; mostly nothing.
    pub fn reply(&mut self, line: &str) -> Option<String> {
        if let Some(news) = line.strip_prefix("* ") {
            let name = news.strip_suffix(" joined").filter(|name| *name != self.name)?;
            return Some(format!("hello {name}, I am a bot: say !help"));
        }
        let (name, text) = line.split_once(": ")?;
        // Whoever answers itself never ends.
        if name == self.name {
            return None;
        }
        if self.said.contains_key(name) || self.said.len() < MOST_NAMES {
            *self.said.entry(name.into()).or_default() += 1;
        }
        match text.trim().split_once(' ').unwrap_or((text.trim(), "")) {
            ("!help", "") => Some("!count says who talks most, !echo TEXT says it again".into()),
            ("!count", "") => {
                let most = self.said.iter().max_by_key(|(_, lines)| **lines)?;
                Some(format!("{} has said {} lines", most.0, most.1))
            }
            ("!echo", text) if !text.is_empty() => Some(text.into()),
            _ => None,
        }
    }
}

/// Joins the room and answers until that ends.
///
/// # Errors
/// What the connection says, and why the room has sent it away.
pub fn run(stream: TcpStream, bot: &mut Bot) -> io::Result<()> {
    let mut writer = stream.try_clone()?;
    let mut reader = BufReader::new(stream);
    let mut say = |line: &str| lines::write(&mut writer, LONGEST_LINE, line.as_bytes());
    say(&bot.name)?;
    // A promise to answer when it is asked: without it, a bot whose machine is gone would stay.
    say(I_AM)?;
    let mut line = Vec::new();
    while lines::read(&mut reader, LONGEST_LINE, &mut line)? {
        let heard = String::from_utf8_lossy(&line);
        if heard == ALIVE {
            say(I_AM)?;
        } else if let Some(why) = heard.strip_prefix("! ") {
            return Err(io::Error::other(why.to_string()));
        } else if let Some(reply) = bot.reply(&heard) {
            say(&reply)?;
        }
    }
    Ok(())
}
