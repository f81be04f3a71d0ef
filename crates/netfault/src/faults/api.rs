//! Third parties that misbehave towards whoever asks them: here the fault is the server,
//! and an ordinary client goes to it.

use std::io::{self, Write};
use std::thread;
use std::time::Duration;

use super::{API, fault};
use crate::Proof::ClientEnds;
use crate::third_party::{Answer, Judge, Seen, ThirdParty};
use crate::{Fault, Running, Target, bomb};

/// What a client ends with that is refused, and one that gives up (`EX_TEMPFAIL`).
const REFUSED: i32 = 1;
const GAVE_UP: i32 = 75;

/// Between two bytes: no wait for a single one would notice.
const BETWEEN_BYTES: Duration = Duration::from_millis(20);

/// How often a redirect is followed at most, with room for the client's own bound.
const MOST_HOPS: usize = 10;

/// What is due to whoever has sent a note.
const NOTE: &str = "{\"number\":1,\"text\":\"hello\"}";

/// Bytes of an answer that does not end, if the client takes them all.
const ENDLESS: usize = 256 << 20;

/// Begins an answer, and goes on with it for ever.
pub const DRIPPED_BODY: Fault = fault(
    "dripped-body",
    "a third party whose answer comes byte by byte, for ever",
    API,
    ClientEnds(GAVE_UP),
    |_| {
        listen(1, asked_alike, |request, stream| {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n")?;
            while !request.is_over() {
                stream.write_all(b" ")?;
                // The pause is the fault itself.
                thread::sleep(BETWEEN_BYTES);
            }
            Ok(())
        })
    },
);

/// Says that more will come, and closes.
pub const LYING_LENGTH: Fault = fault(
    "lying-length",
    "a third party whose answer is shorter than it says",
    API,
    ClientEnds(GAVE_UP),
    |_| {
        listen(1, asked_alike, |_, stream| {
            stream.write_all(b"HTTP/1.1 201 Created\r\nContent-Length: 99\r\n\r\n{\"number\":1,")
        })
    },
);

/// 100 MiB in 645 KiB, which nobody has asked to be compressed. Whoever unpacks it all the
/// same, without a bound, finds the note that is due, and is known by that.
pub const GZIP_BOMB: Fault = fault(
    "gzip-bomb",
    "a third party whose answer is 100 MiB when it is unpacked",
    API,
    ClientEnds(REFUSED),
    |_| {
        listen(1, asked_once, |_, stream| {
            let bomb = bomb::gzip(NOTE, 100 << 20);
            let (kind, length) = ("Content-Type: application/json", bomb.len());
            let head = format!(
                "HTTP/1.1 200 OK\r\n{kind}\r\nContent-Encoding: gzip\r\nContent-Length: {length}\r\n\r\n"
            );
            stream.write_all(head.as_bytes())?;
            stream.write_all(&bomb)
        })
    },
);

/// Never comes to the end.
pub const ENDLESS_BODY: Fault = fault(
    "endless-body",
    "a third party whose answer does not end",
    API,
    ClientEnds(REFUSED),
    |_| {
        listen(1, asked_once, |_, stream| {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n[")?;
            let some = [b' '; 64 << 10];
            (0..ENDLESS / some.len()).try_for_each(|_| stream.write_all(&some))
        })
    },
);

/// A page for people, as a proxy on the way puts it there.
pub const HTML_ANSWER: Fault = fault(
    "html-answer",
    "a third party that answers with a page where JSON is due",
    API,
    ClientEnds(REFUSED),
    |_| listen(1, asked_once, |_, stream| answer(stream, 200, "", "<p>Just a moment...")),
);

/// Wants to be left alone for longer than the client has.
pub const COME_BACK_LATER: Fault = fault(
    "come-back-later",
    "a third party that says 503, and to come back in an hour",
    API,
    ClientEnds(GAVE_UP),
    |_| listen(1, asked_once, |_, stream| answer(stream, 503, "Retry-After: 3600\r\n", "{}")),
);

/// Says when to come back, and each time in a way that makes no sense.
pub const ODD_RETRY_AFTER: Fault = fault(
    "odd-retry-after",
    "a third party that says 429, and to come back at times that are past or none",
    API,
    ClientEnds(GAVE_UP),
    |_| {
        const TIMES: [&str; 6] =
            ["-1", "soon", "Sun, 06 Nov 1994 08:49:37 GMT", "1.5", "99999999999999999999999", ""];
        listen(1, asked_again, |request, stream| {
            let at = TIMES[request.number % TIMES.len()];
            answer(stream, 429, &format!("Retry-After: {at}\r\n"), "{}")
        })
    },
);

/// Sends the client elsewhere, where somebody waits for what it carries.
pub const FOREIGN_REDIRECT: Fault = fault(
    "foreign-redirect",
    "a third party that sends its clients to another origin",
    API,
    ClientEnds(REFUSED),
    foreign_redirect,
);

fn foreign_redirect(_: &Target) -> io::Result<Running> {
    listen(2, carried_nothing, |request, stream| match request.is_elsewhere {
        true => answer(stream, 200, "", "{}"),
        // Makes a GET of every request, which may go anywhere.
        false => answer(stream, 303, &format!("Location: {}\r\n", request.elsewhere), "{}"),
    })
}

/// Sends the client to itself.
pub const REDIRECT_LOOP: Fault = fault(
    "redirect-loop",
    "a third party that sends its clients round in circles",
    API,
    ClientEnds(REFUSED),
    |_| listen(1, asked_a_few_times, |_, stream| answer(stream, 307, "Location: /again\r\n", "{}")),
);

fn listen(origins: usize, judge: Judge, answer: Answer) -> io::Result<Running> {
    ThirdParty::start(origins, judge, answer).map(Running::answering)
}

fn answer(stream: &mut dyn Write, status: u16, fields: &str, body: &str) -> io::Result<()> {
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status} As It Is\r\nConnection: close\r\nContent-Length: {length}\r\n");
    stream.write_all(format!("{head}{fields}\r\n{body}").as_bytes())
}

/// Each of these completes "the third party ".
fn asked_once(seen: &Seen) -> Result<String, String> {
    match seen.requests.len() {
        1 => Ok("was asked once".into()),
        times => Err(format!("was asked {times} times")),
    }
}

fn asked_a_few_times(seen: &Seen) -> Result<String, String> {
    match seen.requests.len() {
        times @ 1..=MOST_HOPS => Ok(format!("was asked {times} times")),
        times => Err(format!("was asked {times} times")),
    }
}

/// However often: what is sent again has to be the same, or it is done twice.
fn asked_alike(seen: &Seen) -> Result<String, String> {
    let times = seen.requests.len();
    let keys: Vec<_> = seen.requests.iter().filter_map(|request| key(request)).collect();
    match keys.first() {
        Some(first) if keys.len() == times && keys.iter().all(|key| key == first) => {
            Ok(format!("was asked {times} times, with one key"))
        }
        _ => Err(format!("was asked {times} times, and not with one key")),
    }
}

fn asked_again(seen: &Seen) -> Result<String, String> {
    match seen.requests.len() {
        ..2 => Err("was asked once and no more".into()),
        _ => asked_alike(seen),
    }
}

fn carried_nothing(seen: &Seen) -> Result<String, String> {
    match (seen.requests.len(), seen.elsewhere.as_slice()) {
        (1, []) => Ok("was asked once, and the other one not at all".into()),
        (1, [request]) if key(request).is_none() => {
            Ok("was asked once, and the other one was shown no key".into())
        }
        (1, [_]) => Err("had the client show its key elsewhere".into()),
        (times, elsewhere) => {
            Err(format!("was asked {times} times, and the other one {}", elsewhere.len()))
        }
    }
}

/// By which a third party knows a request again.
fn key(request: &str) -> Option<&str> {
    request.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("idempotency-key").then(|| value.trim())
    })
}
