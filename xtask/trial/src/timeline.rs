//! What several processes did, in the order in which they did it: the clients on the
//! left, the server on the right.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::time::Duration;

use ladder::log_line::{Event, Level, LogLine, Time, is_peer};
use ladder::screen::{cut, display_width, wrap_words};
use ladder::{Screen, Tone};
use netfault::Speaks;
use netfault::proxy::{Fate, Passed, Way, record};

use crate::row::Row;
use crate::wire::{self, Words};

/// Milliseconds with two decimals up to `9999.99`, with fewer beyond, and two spaces.
const TIME: usize = 7 + 2;

/// Between the columns of one client and its server there is room for an arrow.
const BETWEEN: usize = 5;

/// Between the columns of several.
const GAP: usize = 2;

/// Columns that an arrow has at least.
const HEAD: usize = 3;

/// Columns of an arrow that has words in it, before and behind them.
const SHAFT: usize = 4;

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
    /// What is to be seen of it otherwise: how many threads it has.
    Aside(String),
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

    /// What a line of a log tells.
    pub fn event(&self) -> Event<'_> {
        match self {
            What::Logged(line) => line.event(),
            _ => Event::Other,
        }
    }
}

/// Puts happenings in order: by time, and those of one process as it made them.
pub fn in_order(mut happenings: Vec<Happening>) -> Vec<Happening> {
    let Some(start) = happenings.iter().map(|one| one.at).reduce(Time::earlier) else {
        return happenings;
    };
    // These have no time of their own but when we saw them. A ready line was written before
    // the first line of the log, another line before the next one.
    for index in 0..happenings.len() {
        let mine = happenings[index].process;
        let is_logged =
            |other: &&Happening| other.process == mine && matches!(other.what, What::Logged(_));
        let logged = |all: &[Happening]| all.iter().find(is_logged).map(|other| other.at);
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

/// How what passes on the way is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    /// In the words of what is spoken there.
    Words(Speaks),
    /// Byte by byte.
    Bytes,
}

/// What has happened, line by line: a column for each client, and one for the server.
pub struct Timeline {
    pub screen: Screen,
    /// Their names, in the order in which they come; one of them needs none of its own.
    clients: Vec<String>,
    /// What passes between the two, where something looks on there.
    wire: Option<Wire>,
    start: Option<Time>,
    /// How the server calls its clients, in the order in which they came.
    came: Vec<String>,
    /// Those that it has now.
    connected: HashSet<String>,
    /// Whether something was shown at length: one way, and the other.
    at_length: [bool; 2],
    /// Whether the server waits for a client, and has said so.
    waits: bool,
}

impl Timeline {
    pub fn new(screen: &Screen, clients: &[String], wire: Option<Wire>) -> Timeline {
        let clients = match clients {
            [] => vec!["client".to_string()],
            several => several.to_vec(),
        };
        Timeline {
            screen: *screen,
            clients,
            wire,
            start: None,
            came: Vec::new(),
            connected: HashSet::new(),
            at_length: [false; 2],
            waits: false,
        }
    }

    fn gap(&self) -> usize {
        if self.are_several() { GAP } else { BETWEEN }
    }

    fn are_several(&self) -> bool {
        self.clients.len() > 1
    }

    /// The columns of one client, or of the server.
    fn width(&self) -> usize {
        let clients = self.clients.len();
        self.screen.width.saturating_sub(TIME + clients * self.gap()) / (clients + 1)
    }

    /// Where the columns of a client begin, or those of the server behind the last one.
    fn column(&self, number: usize) -> usize {
        TIME + number * (self.width() + self.gap())
    }

    fn server(&self) -> usize {
        self.column(self.clients.len())
    }

    /// Over the columns: who it is.
    pub fn head(&self) -> Row {
        let mut head = Row::default();
        head.put(TIME - 2 - "ms".len(), Tone::Dim, "ms");
        for (number, name) in self.clients.iter().enumerate() {
            head.put(self.column(number), Tone::Dim, &cut(name, self.width()));
        }
        head.put(self.server(), Tone::Dim, "server");
        head
    }

    /// The lines of one of them, which come in order.
    pub fn rows(&mut self, happening: &Happening) -> Vec<Row> {
        let since = happening.at.since(*self.start.get_or_insert(happening.at));
        let mut rows = match &happening.what {
            What::Passed(passed) => self.passed(passed),
            _ => self.told(happening),
        };
        if let Some(first) = rows.first_mut() {
            first.put(0, Tone::Dim, &format!("{:>1$}", milliseconds(since), TIME - 2));
        }
        rows
    }

    /// What one end tells, in its columns, and an arrow where it sends.
    fn told(&mut self, happening: &Happening) -> Vec<Row> {
        let Some((text, client)) = self.words(happening) else { return Vec::new() };
        let server = self.server();
        let at = match happening.side {
            Side::Client => self.column(client),
            Side::Server => server,
        };
        let sends = matches!(happening.what.event(), Event::Sending(..));
        let before_arrow = if sends && happening.side == Side::Client { HEAD } else { 0 };
        let lines = wrap_words(&text, self.width().saturating_sub(before_arrow));
        let mut rows: Vec<Row> = lines.iter().map(|_| Row::default()).collect();
        for (row, line) in rows.iter_mut().zip(&lines) {
            row.put(at, happening.tone(), line);
        }
        if sends && self.wire.is_none() {
            let (row, from, way) = match happening.side {
                Side::Client => {
                    let last = lines.last().map_or(0, |line| display_width(line));
                    (rows.last_mut(), at + last + 1, Way::ToServer)
                }
                Side::Server => (rows.first_mut(), self.column(client), Way::ToClient),
            };
            if let Some(row) = row.filter(|_| from + 1 < server) {
                row.fly(from..server - 1, way, happening.tone(), true);
            }
        }
        rows
    }

    /// One segment or datagram, from one end to the other: which way, and what became of it.
    fn passed(&mut self, passed: &Passed) -> Vec<Row> {
        let speaks = match self.wire {
            Some(Wire::Words(speaks)) => Some(speaks),
            _ => None,
        };
        let at_length = &mut self.at_length[passed.way as usize];
        let first = !*at_length;
        *at_length |= !passed.bytes.is_empty();
        let Words { label, below } = wire::words(speaks, passed, first);
        let from = self.column(0);
        let full = self.server() - 1;
        let (tone, arrives) = match (passed.fate, passed.way) {
            (Fate::Lost | Fate::Reset | Fate::Cut, _) => (Tone::Bad, false),
            (_, Way::ToServer) => (Tone::Client, true),
            (_, Way::ToClient) => (Tone::Server, true),
        };
        let mut row = Row::default();
        // What does not arrive gets a part of the way.
        let to = if arrives { full } else { from + (full - from) * 3 / 4 };
        let back = if passed.way == Way::ToClient { full - to } else { 0 };
        let (from, to) = (from + back, to + back);
        row.fly(from..to, passed.way, tone, arrives);
        let room = to - from - 2 * SHAFT - 2;
        let mut at = from + SHAFT;
        let mut further = Vec::new();
        for (number, (tone, text)) in label.into_iter().enumerate() {
            let left = room.saturating_sub(at - from - SHAFT);
            if number > 0 && display_width(&text) > left {
                further.push((tone, text));
                continue;
            }
            let mut lines = wrap_words(&text, left).into_iter();
            let line = lines.next().unwrap_or_default();
            row.put(at, tone, &format!(" {line} "));
            at += display_width(&line) + 1;
            further.extend(lines.map(|line| (tone, line)));
        }
        let width = self.screen.width.saturating_sub(from + SHAFT + 1);
        let below = below.iter().flat_map(|line| match line.is_empty() {
            true => vec![String::new()],
            false => wrap_words(line, width),
        });
        further.extend(below.map(|line| (Tone::Plain, line)));
        if self.wire == Some(Wire::Bytes) {
            let dump = record::hexdump(&passed.bytes).into_iter();
            further.extend(dump.map(|line| (Tone::Dim, cut(&line, width))));
        }
        let mut rows = vec![row];
        rows.extend(further.into_iter().map(|(tone, line)| {
            let mut row = Row::default();
            row.put(from + SHAFT + 1, tone, &line);
            row
        }));
        rows
    }

    /// The words for it, and the number of the client that it is about; nothing for one that
    /// has no column.
    fn words(&mut self, happening: &Happening) -> Option<(String, usize)> {
        let own = match happening.side {
            // The server is the first process.
            Side::Client if self.are_several() => happening.process.saturating_sub(1),
            _ => 0,
        };
        let line = match &happening.what {
            What::Started(command) => {
                if command.starts_with("curl ") {
                    self.at_length = [false; 2];
                }
                return Some((format!("$ {command}"), own));
            }
            What::Ready(text) | What::Wrote(text) | What::Ended(text) => {
                return Some((text.clone(), own));
            }
            What::Aside(text) => return Some((format!("({text})"), own)),
            What::AskedToStop if cfg!(windows) => return Some(("is ended".into(), own)),
            What::AskedToStop => return Some(("is asked to stop (SIGTERM)".into(), own)),
            // Told across all columns.
            What::Passed(_) => return None,
            What::Logged(line) => line,
        };
        if happening.side == Side::Client {
            // There is one server, so its address need not be repeated.
            let rest = line.message.split_once(' ').filter(|(peer, _)| is_peer(peer));
            return Some((self.short(rest.map_or(&*line.message, |(_, rest)| rest)), own));
        }
        let event = line.event();
        let Some(peer) = event.peer() else {
            if line.message.starts_with("waiting for") {
                // Several threads say so, and what they wait for is there already.
                let again = std::mem::replace(&mut self.waits, true);
                return (!again && self.connected.is_empty()).then(|| (line.message.clone(), 0));
            }
            return Some((line.message.clone(), 0));
        };
        self.waits = false;
        let number = self.came.iter().position(|known| known == peer).unwrap_or_else(|| {
            self.came.push(peer.into());
            self.came.len() - 1
        });
        match event {
            Event::Connected(_) => {
                self.connected.insert(peer.into());
            }
            Event::Left(..) => {
                self.connected.remove(peer);
            }
            _ => {}
        }
        if self.are_several() {
            let name = self.clients.get(number)?;
            let rest = line.message.split_once(' ').map_or("", |(_, rest)| rest);
            return Some((format!("{name}: {}", self.short(rest)), number));
        }
        let text = match event {
            // The only client that is there has been named when it came.
            Event::Received(peer, rest)
            | Event::Sending(peer, rest)
            | Event::Refused(peer, rest) => {
                if self.connected.len() == 1 && self.connected.contains(peer) {
                    self.short(rest)
                } else {
                    let port = peer.parse::<SocketAddr>().map(|peer| format!(":{}", peer.port()));
                    let port = port.unwrap_or_else(|_| peer.into());
                    format!("{port} {}", self.short(rest))
                }
            }
            _ => line.message.clone(),
        };
        Some((text, 0))
    }

    /// What was sent or received, without what is seen otherwise: how much it is where there
    /// is little room, and the text where it has passed above.
    fn short(&self, rest: &str) -> String {
        let (count, text) = rest.split_once(" bytes ").unwrap_or((rest, ""));
        let verb = count.split_once(' ').map_or(count, |(verb, _)| verb);
        let is_above = matches!(self.wire, Some(Wire::Words(speaks))
            if speaks.is_http() || speaks == Speaks::Objects);
        match text {
            "" => rest.into(),
            _ if is_above => format!("{count} bytes"),
            _ if self.are_several() => format!("{verb} {text}"),
            _ => rest.into(),
        }
    }
}

impl Happening {
    fn tone(&self) -> Tone {
        match &self.what {
            What::Started(_) | What::AskedToStop | What::Ended(_) | What::Passed(_) => Tone::Dim,
            What::Ready(_) => Tone::Plain,
            What::Aside(_) => Tone::Warning,
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
        all.push(server(at("240000"), What::Wrote("error: seen in time".into())));
        // Seen late.
        all.insert(2, server(at("232000"), What::Ready("listening on 127.0.0.1:42673".into())));
        all.insert(3, server(at("238390"), What::Wrote("an access log".into())));
        all
    }

    /// The lines of all that is written in a timeline of this width.
    fn shown(width: usize, clients: &[&str], happenings: Vec<Happening>) -> Vec<String> {
        let screen = Screen::of_width(width);
        let clients: Vec<String> = clients.iter().map(ToString::to_string).collect();
        let mut timeline = Timeline::new(&screen, &clients, None);
        let mut rows = vec![timeline.head()];
        rows.extend(in_order(happenings).iter().flat_map(|one| timeline.rows(one)));
        rows.iter().map(|row| row.text(&screen, usize::MAX)).collect()
    }

    #[test]
    fn both_ends_are_shown_in_the_order_of_their_times_and_no_line_is_wider_than_the_terminal() {
        // One without a time is where it was seen, and before the next of its process.
        assert_eq!(
            shown(100, &[], conversation()),
            [
                "     ms  client                                          server",
                "   0.00                                                  $ oneshot-echo server",
                "   1.00                                                  listening on 127.0.0.1:42673",
                "   1.00                                                  waiting for a client",
                "   5.07  connected",
                "   5.19                                                  an access log",
                "   5.19                                                  127.0.0.1:55286 connected",
                "   8.30  sending 27 bytes \"Привет, сервер!\" ───────────>",
                "   8.38                                                  received 27 bytes \"Привет, сервер!\"",
                "   8.40  <────────────────────────────────────────────── sending 27 bytes \"Привет, сервер!\"",
                "   8.47                                                  127.0.0.1:55286 closed",
                "  10.00                                                  error: seen in time",
                "  12.27  received 27 bytes \"Привет, сервер!\"",
            ]
        );
        for width in [60, 79, 80, 120] {
            for line in shown(width, &[], conversation()) {
                assert!(display_width(&line) <= width, "{width}: {line}");
            }
        }
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
        let mut timeline = Timeline::new(&Screen::of_width(100), &[], None);
        let words: Vec<String> = logged(&log)
            .iter()
            .filter_map(|happening| timeline.words(happening).map(|(text, _)| text))
            .collect();
        assert_eq!(words[0], ":5 received 1 bytes \"a\"");
        assert_eq!(
            words[3..],
            [":5 received 1 bytes \"a\"", "127.0.0.1:6 closed", "received 1 bytes \"b\""]
        );
    }

    #[test]
    fn each_of_several_clients_has_columns_and_arrows_of_its_own_and_no_word_is_lost() {
        let log = "\
server 11:34:24.231000 info  127.0.0.1:5 connected
server 11:34:24.232000 info  127.0.0.1:6 connected
client 11:34:24.233000 debug 127.0.0.1:9 sending 5 bytes \"hello\"
server 11:34:24.234000 debug 127.0.0.1:6 received 5 bytes \"hello\"
server 11:34:24.235000 debug 127.0.0.1:6 sending 5 bytes \"hello\"
server 11:34:24.236000 info  127.0.0.1:7 connected";
        let mut happenings = logged(log);
        happenings[2].process = 2;
        assert_eq!(
            shown(60, &["ann", "bob"], happenings.clone()),
            [
                "     ms  ann              bob              server",
                "   0.00                                    ann: connected",
                "   1.00                                    bob: connected",
                "   2.00                   sending",
                "                          \"hello\" ───────>",
                "   3.00                                    bob: received",
                "                                           \"hello\"",
                "   4.00                   <─────────────── bob: sending",
                "                                           \"hello\"",
            ]
        );
    }
}
