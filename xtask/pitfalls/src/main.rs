//! The pitfalls of network programming, each in both states: broken, and mended.
//!
//! The broken halves are BROKEN ON PURPOSE, and stand here so that nobody copies them
//! from a rung.

#![forbid(unsafe_code)]

mod bytes;
mod children;
mod seen;
mod time;

use std::env;
use std::io;
use std::process::ExitCode;

use ladder::process::end_all_on_signals;
use ladder::{Failure, Screen, Tone, failure};
use netcore::error::reason;

use seen::Seen;

struct Pitfall {
    name: &'static str,
    about: &'static str,
    broken: Play,
    mended: Play,
    chapter: &'static str,
}

type Play = fn() -> io::Result<Seen>;

const ALL: &[Pitfall] = &[
    Pitfall {
        name: "partial-send",
        about: "one call of write is taken for all that there is to send",
        broken: bytes::one_write,
        mended: bytes::write_all,
        chapter: "oneshot-echo.md",
    },
    Pitfall {
        name: "deadlock",
        about: "the client reads to the end, and the server waits for the end as well",
        broken: bytes::both_wait,
        mended: bytes::half_close,
        chapter: "oneshot-echo.md",
    },
    Pitfall {
        name: "run-together",
        about: "what one read returns is taken for one message",
        broken: bytes::reads_as_messages,
        mended: bytes::frames,
        chapter: "framed-echo.md",
    },
    Pitfall {
        name: "cut-datagram",
        about: "a datagram is received into a buffer that is smaller",
        broken: bytes::small_buffer,
        mended: bytes::large_buffer,
        chapter: "udp-echo.md",
    },
    Pitfall {
        name: "busy-port",
        about: "a server that has closed first is started again",
        broken: time::bind_without_reuse,
        mended: time::bind_with_reuse,
        chapter: "oneshot-echo.md",
    },
    Pitfall {
        name: "drip",
        about: "a timeout for each read is taken for a limit on the whole",
        broken: time::timeout_for_each_read,
        mended: time::one_deadline,
        chapter: "timeout-echo.md",
    },
    Pitfall {
        name: "two-writes",
        about: "a header and its message are written in two calls",
        broken: time::two_small_writes,
        mended: time::one_write,
        chapter: "framed-echo.md",
    },
    Pitfall {
        name: "length-claim",
        about: "a few bytes say that gigabytes will follow",
        broken: children::believe_the_length,
        mended: children::check_the_length,
        chapter: "framed-echo.md",
    },
    Pitfall {
        name: "deaf-accept",
        about: "a signal sets a flag, and the server is blocked in accept",
        broken: children::deaf_accept,
        mended: children::waking_accept,
        chapter: "stopping-echo.md",
    },
];

fn main() -> ExitCode {
    let word = env::args().nth(1).unwrap_or_default();
    // A child has signals of its own to miss.
    if let Some((_, play)) = children::ROLES.iter().find(|(name, _)| *name == word) {
        return Failure::exit_code(play().map_err(|error| Failure::new(error.to_string())));
    }
    let screen = if word == "--plain" { Screen::new().plain() } else { Screen::new() };
    Failure::exit_code(end_all_on_signals().and_then(|()| run(&screen)))
}

/// Plays all of them, and fails where one does not show what it is about.
fn run(screen: &Screen) -> Result<(), Failure> {
    let mut wrong = Vec::new();
    for pitfall in ALL {
        screen
            .prose("", &format!("{}: {}", screen.paint(Tone::Bold, pitfall.name), pitfall.about))?;
        for (state, tone, play) in
            [("broken", Tone::Warning, pitfall.broken), ("mended", Tone::Good, pitfall.mended)]
        {
            let seen = play()
                .unwrap_or_else(|error| Err(format!("it could not be played: {}", reason(&error))));
            let (tone, story) = match &seen {
                Ok(story) => (tone, story),
                Err(story) => (Tone::Bad, story),
            };
            screen.hang(&format!("  {}  ", screen.paint(tone, state)), Tone::Plain, story)?;
            if seen.is_err() {
                wrong.push(format!("{} {state}", pitfall.name));
            }
        }
        screen.say(Tone::Dim, &format!("          docs/{}", pitfall.chapter))?;
        screen.line("")?;
    }
    match wrong.is_empty() {
        true => screen.line(
            &screen.paint(Tone::Good, &format!("All {} were seen in both states.", ALL.len())),
        ),
        false => Err(failure!("not seen as it should be: {}", wrong.join(", "))),
    }
}
