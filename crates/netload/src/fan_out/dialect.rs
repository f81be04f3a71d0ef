//! How the servers are spoken to: all of them by lines, so that one reader does for all.

use clap::ValueEnum;

/// Where all meet, where a server has more than one place.
const ROOM: &str = "room";

/// What a server understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Dialect {
    /// A name, and then lines that all hear: the rung `chat`, and the example of tokio
    Chat,
    /// The text protocol of NATS
    Nats,
    /// That of Redis, publish and subscribe
    Redis,
}

impl Dialect {
    /// What a connection says first: who it is, or what it wants to hear.
    pub fn hello(self, name: &str, listens: bool) -> String {
        match self {
            Dialect::Chat => format!("{name}\n"),
            Dialect::Nats => {
                let subscribe = if listens { format!("SUB {ROOM} 1\r\n") } else { String::new() };
                format!("CONNECT {{\"verbose\":false}}\r\n{subscribe}")
            }
            Dialect::Redis if listens => array(&["SUBSCRIBE", ROOM]),
            Dialect::Redis => array(&["PING"]),
        }
    }

    /// What says `text` to all.
    pub fn say(self, text: &str) -> String {
        match self {
            Dialect::Chat => format!("{text}\n"),
            Dialect::Nats => format!("PUB {ROOM} {}\r\n{text}\r\n", text.len()),
            Dialect::Redis => array(&["PUBLISH", ROOM, text]),
        }
    }

    /// What is owed to a line that asks whether we are there.
    pub fn answer(self, line: &[u8]) -> Option<&'static str> {
        (self == Dialect::Nats && line == b"PING").then_some("PONG\r\n")
    }
}

/// As Redis reads it.
fn array(words: &[&str]) -> String {
    let words: String = words.iter().map(|word| format!("${}\r\n{word}\r\n", word.len())).collect();
    format!("*{}\r\n{words}", words.matches('$').count())
}
