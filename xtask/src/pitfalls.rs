//! The pitfalls of network programming, each in both states: broken, and mended.
//!
//! The broken halves are BROKEN ON PURPOSE, and stand here so that nobody copies them
//! from a rung.

mod bytes;
mod children;
mod time;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use netcore::error::reason;

use crate::Failure;
use crate::screen::{Screen, Tone, wrap};

pub use children::{Child, run as run_child};

/// The word for it behind `demo`.
pub const NAME: &str = "pitfalls";

/// Ends a wait for something that always comes.
const GENEROUS: Duration = Duration::from_secs(20);

/// How long something is watched that never comes.
const VAIN: Duration = Duration::from_millis(500);

/// What was seen, in a sentence without a full stop. Err: it was not what should be
/// seen.
type Seen = Result<String, String>;

struct Pitfall {
    name: &'static str,
    about: &'static str,
    broken: fn() -> io::Result<Seen>,
    mended: fn() -> io::Result<Seen>,
    /// Where it is told at length.
    chapter: &'static str,
}

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
        chapter: "reusable-echo.md",
    },
];

/// Plays all of them, and fails where one does not show what it is about.
pub fn run(screen: &Screen) -> Result<(), Failure> {
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
            let mut left = format!("  {}  ", screen.paint(tone, state));
            for line in wrap(story, screen.width.saturating_sub(10)) {
                screen.line(&format!("{left}{line}"))?;
                left = " ".repeat(10);
            }
            if seen.is_err() {
                wrong.push(format!("{} {state}", pitfall.name));
            }
        }
        screen.line(&screen.paint(Tone::Dim, &format!("          docs/{}", pitfall.chapter)))?;
        screen.line("")?;
    }
    match wrong.is_empty() {
        true => screen.line(
            &screen.paint(Tone::Good, &format!("All {} were seen in both states.", ALL.len())),
        ),
        false => Err(Failure::new(format!("not seen as it should be: {}", wrong.join(", ")))),
    }
}

/// Both ends of a connection on this machine: the client's, then the server's.
fn connection() -> io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address: SocketAddr = listener.local_addr()?;
    let client = TcpStream::connect(address)?;
    let (server, _) = listener.accept()?;
    for stream in [&client, &server] {
        stream.set_read_timeout(Some(GENEROUS))?;
    }
    Ok((client, server))
}

/// `Ok` where `right`, so that a pitfall that was not seen is not told as one.
fn seen(right: bool, story: impl Into<String>) -> Seen {
    if right { Ok(story.into()) } else { Err(story.into()) }
}

fn timed_out(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}
