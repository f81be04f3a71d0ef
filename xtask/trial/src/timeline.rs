//! What several processes did, in the order in which they did it: the client on the
//! left, the server on the right.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::time::Duration;

use ladder::log_line::{Event, Level, LogLine, Time, is_peer};
use ladder::screen::{cut, fit, wrap};
use ladder::{Screen, Tone};
use netfault::proxy::{Fate, Passed, Way, record};

/// Milliseconds with two decimals up to `9999.99`, with fewer beyond.
const TIME: usize = 7;

/// Two spaces after the time, and an arrow with spaces between the columns.
const BETWEEN: usize = 2 + 5;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Client,
    Server,
}

impl Side {
    /// The word for it on a command line.
    pub fn role(self) -> &'static str {
        if self == Side::Client { "client" } else { "server" }
    }
}

#[derive(Debug, Clone)]
pub struct Happening {
    /// When: by the log's own time where it has one, else when we saw it.
    pub at: Time,
    pub side: Side,
    /// The number of the process, which tells two clients apart.
    pub process: usize,
    pub what: What,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    Started(String),
    /// It printed the line that says where it listens.
    Ready(String),
    Logged(LogLine),
    /// Another line on standard error: an error, a panic, an access log.
    Wrote(String),
    /// It went past, between the two ends: shown across both columns.
    Passed(Passed),
    AskedToStop,
    /// It ended: `exit code 0`.
    Ended(String),
}

impl What {
    /// A line on standard error, without its time.
    pub fn text(&self) -> &str {
        match self {
            What::Logged(line) => &line.text,
            What::Wrote(text) => text,
            _ => "",
        }
    }
}

/// Puts happenings in order: by time, and those of one process as it made them.
pub fn in_order(mut happenings: Vec<Happening>) -> Vec<Happening> {
    let Some(start) = happenings.first().map(|first| first.at) else { return happenings };
    // These have no time of their own but when we saw them. A ready line was written before
    // the first line of the log, another line before the next one.
    for index in 0..happenings.len() {
        let mine = happenings[index].process;
        let logged = |happenings: &[Happening]| {
            let mut of_mine =
                happenings.iter().filter(|other| other.process == mine && other.is_logged());
            of_mine.next().map(|other| other.at)
        };
        let next = match happenings[index].what {
            What::Ready(_) => logged(&happenings),
            What::Wrote(_) => logged(&happenings[index..]),
            _ => None,
        };
        if let Some(next) = next {
            happenings[index].at = happenings[index].at.earlier(next);
        }
    }
    // Stable: what has the same time stays as it came, but for the ready line, which we may
    // have read too late.
    happenings.sort_by_key(|happening| {
        (happening.at.since(start), !matches!(happening.what, What::Started(_) | What::Ready(_)))
    });
    happenings
}

/// The lines of a timeline, head first.
pub fn lines(happenings: &[Happening], screen: &Screen) -> Vec<String> {
    let column = screen.width.saturating_sub(TIME + BETWEEN) / 2;
    let head = format!("{:>TIME$}  {}     server", "ms", fit("client", column));
    let mut lines = vec![screen.paint(Tone::Dim, &head)];
    let Some(start) = happenings.first().map(|first| first.at) else { return lines };
    let mut connected = HashSet::new();
    for happening in happenings {
        if let What::Passed(passed) = &happening.what {
            let time = format!("{:>TIME$}", milliseconds(happening.at.since(start)));
            lines.push(format!("{}  {}", screen.paint(Tone::Dim, &time), wire(passed)));
            let dump = record::hexdump(&passed.bytes).into_iter();
            lines.extend(dump.map(|line| {
                screen.paint(Tone::Dim, &cut(&format!("{:TIME$}    {line}", ""), screen.width))
            }));
            continue;
        }
        let text = told(happening, &mut connected);
        let mut time = milliseconds(happening.at.since(start));
        let mut arrow = happening.arrow();
        for text in wrap(&text, column) {
            let text = fit(&text, column);
            let body = text.trim_end();
            let padding = &text[body.len()..];
            let body = screen.paint(happening.tone(), body);
            let at = screen.paint(Tone::Dim, &format!("{time:>TIME$}"));
            lines.push(match happening.side {
                Side::Client => format!("{at}  {body}{padding} {arrow}"),
                Side::Server => format!("{at}  {} {arrow} {body}", " ".repeat(column)),
            });
            time.clear();
            arrow = "   ";
        }
    }
    lines
}

impl Happening {
    fn is_logged(&self) -> bool {
        matches!(self.what, What::Logged(_))
    }

    fn arrow(&self) -> &'static str {
        let What::Logged(line) = &self.what else { return "   " };
        match (self.side, line.event()) {
            (Side::Client, Event::Sending(..)) | (Side::Server, Event::Received(..)) => "-->",
            (Side::Server, Event::Sending(..)) | (Side::Client, Event::Received(..)) => "<--",
            _ => "   ",
        }
    }

    fn tone(&self) -> Tone {
        match &self.what {
            What::Started(_) | What::AskedToStop | What::Ended(_) | What::Passed(_) => Tone::Dim,
            What::Ready(_) => Tone::Plain,
            What::Wrote(line) if line.starts_with("error") || line.starts_with("thread ") => {
                Tone::Bad
            }
            What::Wrote(_) => Tone::Plain,
            What::Logged(line) => match (line.level, line.event(), self.side) {
                (Level::Error, ..) => Tone::Bad,
                (Level::Warn, ..) => Tone::Warning,
                (_, Event::Received(..) | Event::Sending(..), Side::Client) => Tone::Client,
                (_, Event::Received(..) | Event::Sending(..), Side::Server) => Tone::Server,
                _ => Tone::Plain,
            },
        }
    }
}

/// One segment or datagram: which way, how much, and what became of it.
fn wire(passed: &Passed) -> String {
    let arrow = match passed.way {
        Way::ToServer => "~~>",
        Way::ToClient => "<~~",
    };
    let bytes = passed.bytes.len();
    match passed.fate {
        Fate::Delivered => format!("{arrow} {bytes} bytes on the wire"),
        Fate::Repeated => format!("{arrow} {bytes} bytes on the wire once more"),
        Fate::Lost => format!("{arrow} {bytes} bytes lost"),
        Fate::Ended => format!("{arrow} end of stream"),
        Fate::Reset => format!("{arrow} the connection is reset"),
        Fate::Cut => format!("{arrow} the connection is cut"),
    }
}

/// The words for it. `connected` are the clients that the server has now.
fn told(happening: &Happening, connected: &mut HashSet<String>) -> String {
    let line = match &happening.what {
        What::Started(command) => return format!("$ {command}"),
        What::Ready(text) | What::Wrote(text) | What::Ended(text) => return text.clone(),
        What::AskedToStop if cfg!(windows) => return "is ended".into(),
        What::AskedToStop => return "is asked to stop (SIGTERM)".into(),
        // Told across both columns.
        What::Passed(_) => return String::new(),
        What::Logged(line) => line,
    };
    if happening.side == Side::Client {
        // There is one server, so its address need not be repeated.
        let rest = line.message.split_once(' ').filter(|(peer, _)| is_peer(peer));
        return rest.map_or(&*line.message, |(_, rest)| rest).into();
    }
    match line.event() {
        Event::Connected(peer) => {
            connected.insert(peer.into());
        }
        Event::Left(peer, _) => {
            connected.remove(peer);
        }
        // The only client that is there has been named when it came.
        Event::Received(peer, rest) | Event::Sending(peer, rest) | Event::Refused(peer, rest)
            if connected.len() == 1 && connected.contains(peer) =>
        {
            return rest.into();
        }
        Event::Received(peer, rest) | Event::Sending(peer, rest) | Event::Refused(peer, rest) => {
            let port = peer.parse::<SocketAddr>().map(|peer| format!(":{}", peer.port()));
            return format!("{} {rest}", port.unwrap_or_else(|_| peer.into()));
        }
        Event::Other => {}
    }
    line.message.clone()
}

fn milliseconds(since: Duration) -> String {
    let milliseconds = since.as_secs_f64() * 1000.0;
    match since.as_secs() {
        0..10 => format!("{milliseconds:.2}"),
        10..100 => format!("{milliseconds:.1}"),
        _ => format!("{milliseconds:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use ladder::screen::display_width;

    use super::*;

    const CONVERSATION: &str = "\
server 11:34:24.231000 info  waiting for a client
server 11:34:24.235190 info  127.0.0.1:55286 connected
server 11:34:24.238385 debug 127.0.0.1:55286 received 27 bytes \"Привет, сервер!\"
server 11:34:24.238400 debug 127.0.0.1:55286 sending 27 bytes \"Привет, сервер!\"
server 11:34:24.238471 info  127.0.0.1:55286 closed
client 11:34:24.235066 debug 127.0.0.1:42673 connected
client 11:34:24.238305 debug 127.0.0.1:42673 sending 27 bytes \"Привет, сервер!\"
client 11:34:24.242268 debug 127.0.0.1:42673 received 27 bytes \"Привет, сервер!\"";

    /// What each of these lines tells that one end has logged.
    fn logged(lines: &str) -> Vec<Happening> {
        let happening = |line: &str| {
            let (side, line) = line.split_once(' ').unwrap();
            let line = LogLine::parse(line).unwrap();
            let side = if side == "client" { Side::Client } else { Side::Server };
            let process = usize::from(side == Side::Client);
            Happening { at: line.at, side, process, what: What::Logged(line) }
        };
        lines.lines().map(happening).collect()
    }

    fn at(time: &str) -> Time {
        LogLine::parse(&format!("11:34:24.{time} info  then")).unwrap().at
    }

    fn conversation() -> Vec<Happening> {
        let server = |at, what| Happening { at, side: Side::Server, process: 0, what };
        let mut all = vec![server(at("230000"), What::Started("oneshot-echo server".into()))];
        all.extend(logged(CONVERSATION));
        // Seen late.
        all.insert(2, server(at("232000"), What::Ready("listening on 127.0.0.1:42673".into())));
        all
    }

    #[test]
    fn both_ends_are_shown_in_the_order_of_their_times_and_no_line_is_wider_than_the_terminal() {
        let shown = lines(&in_order(conversation()), &Screen::of_width(100));
        let shown: Vec<&str> = shown.iter().map(|line| line.trim_end()).collect();
        assert_eq!(
            shown,
            [
                "     ms  client                                          server",
                "   0.00                                                  $ oneshot-echo server",
                "   1.00                                                  listening on 127.0.0.1:42673",
                "   1.00                                                  waiting for a client",
                "   5.07  connected",
                "   5.19                                                  127.0.0.1:55286 connected",
                "   8.30  sending 27 bytes \"Привет, сервер!\"          -->",
                "   8.38                                              --> received 27 bytes \"Привет, сервер!\"",
                "   8.40                                              <-- sending 27 bytes \"Привет, сервер!\"",
                "   8.47                                                  127.0.0.1:55286 closed",
                "  12.27  received 27 bytes \"Привет, сервер!\"         <--",
            ]
        );
        for width in [60, 79, 80, 120] {
            for line in lines(&in_order(conversation()), &Screen::of_width(width)) {
                assert!(display_width(&line) <= width, "{width}: {line}");
            }
        }
    }

    #[test]
    fn a_line_without_a_time_is_shown_where_it_was_seen_and_before_the_next_of_its_process() {
        let what = What::Wrote("error".into());
        let wrote = Happening { at: at("234000"), side: Side::Client, process: 1, what };
        let mut happenings = logged(
            "client 11:34:24.231000 debug 127.0.0.1:5 sending\nserver 11:34:24.233000 warn  127.0.0.1:6 dropped",
        );
        happenings.insert(1, wrote);
        let order =
            |happenings| in_order(happenings).iter().map(|one| one.process).collect::<Vec<_>>();
        assert_eq!(order(happenings.clone()), [1, 0, 1]);
        happenings.extend(logged("client 11:34:24.232000 debug 127.0.0.1:5 closed"));
        assert_eq!(order(happenings), [1, 1, 1, 0]);
    }

    #[test]
    fn a_client_is_named_where_it_could_be_another() {
        let log = "127.0.0.1:5 received 1 bytes \"a\"
127.0.0.1:5 connected
127.0.0.1:6 connected
127.0.0.1:5 received 1 bytes \"a\"
127.0.0.1:6 closed
127.0.0.1:5 received 1 bytes \"b\"";
        let log = log.replace("127", "server 11:34:24.231000 debug 127");
        let mut connected = HashSet::new();
        let words: Vec<String> =
            logged(&log).iter().map(|happening| told(happening, &mut connected)).collect();
        assert_eq!(words[0], ":5 received 1 bytes \"a\"");
        assert_eq!(
            words[3..],
            [":5 received 1 bytes \"a\"", "127.0.0.1:6 closed", "received 1 bytes \"b\""]
        );
    }
}
