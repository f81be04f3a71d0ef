//! A room in which several clients are at once, a column for each: what one says all hear,
//! in one order, and one of them stops listening.

use std::io::{Read, Write};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use ladder::manifests::Room;
use ladder::process::{listening, spawn};
use ladder::screen::{cut, fit, wrap_words};
use ladder::{Failure, Ladder, Process, Rung, Screen, Tone, failure};

/// Ends a wait for a line that always comes.
const GENEROUS: Duration = Duration::from_secs(30);

/// Bytes of a line of those that fill buffers.
const LONG: usize = 1_000;

/// So many of them are said before it is looked who has left, and so many at most.
const AT_ONCE: usize = 50;
const MOST: usize = 10_000;

/// What a client types, in its column.
const PROMPT: &str = "> ";

/// What has been seen of it, in words.
pub struct Seen {
    /// What was as it should be.
    pub good: Vec<String>,
    /// What was not.
    pub complaints: Vec<String>,
}

/// Plays what the manifest has for a room.
pub fn play(ladder: &Ladder, rung: &Rung, room: &Room, screen: &Screen) -> Result<Seen, Failure> {
    let program = ladder.program(&rung.name)?;
    let mut command = Command::new(&program);
    command.args(["server", "--port", "0"]).args(&room.server_args).stderr(Stdio::piped());
    let (server, address) = listening(&mut command, GENEROUS)?;
    let columns = Columns::new(room.members.len(), screen);
    columns.heads(&room.members)?;
    let mut members: Vec<Member> = Vec::new();
    for name in &room.members {
        let mut command = Command::new(&program);
        command.arg("client").args(address.option()).arg(name);
        members.push(Member::start(name, &mut command, *name == room.deaf)?);
        columns.typed(members.len() - 1, &format!("$ {} client {name}", rung.name))?;
        // The deaf one is known to be there by what the others hear.
        heard_by_all(&mut members, &columns)?;
    }
    let deaf = members.iter().position(|member| member.unread.is_some());
    let deaf = deaf.ok_or_else(|| failure!("{}: nobody in the room is deaf", rung.name))?;
    columns.aside(deaf, "(stops reading)")?;
    for (name, text) in &room.says {
        let member = members.iter().position(|member| member.name == *name);
        let member = member.ok_or_else(|| failure!("{}: {name} is not there", rung.name))?;
        members[member].say(text)?;
        columns.typed(member, &format!("{PROMPT}{text}"))?;
        heard_by_all(&mut members, &columns)?;
    }
    flood(&mut members, &columns)?;
    let heard = members[deaf].read_at_last()?;
    columns.aside(deaf, "(reads again)")?;
    for line in shortened(&heard) {
        // Those that fill buffers say nothing else.
        let most = if line.len() > LONG { LONG / 50 } else { LONG };
        columns.typed(deaf, &cut(&line, most))?;
    }
    server.ask_to_stop();
    if cfg!(unix) {
        columns.aside(members.len() - 1, "(the server is asked to stop)")?;
        heard_by_all(&mut members, &columns)?;
    }
    server.wait_for_end(GENEROUS)?;
    Ok(judge(&members, deaf, &heard))
}

/// The first one talks until the deaf one has left.
fn flood(members: &mut [Member], columns: &Columns) -> Result<(), Failure> {
    let (text, mut said) = ("x".repeat(LONG), 0);
    columns.typed(0, &format!("{PROMPT}{} ... again and again", &text[..10]))?;
    while said < MOST {
        (0..AT_ONCE).try_for_each(|_| members[0].say(&text))?;
        said += AT_ONCE;
        let own = format!("{}: {text}", members[0].name);
        let mut left = Vec::new();
        for member in members.iter_mut().filter(|member| member.unread.is_none()) {
            let mut own_lines = 0;
            while own_lines < AT_ONCE {
                let line = member.hear()?;
                if line == own {
                    own_lines += 1;
                } else {
                    left.push(line);
                }
            }
        }
        if let Some(line) = left.first() {
            columns.heard(members, &format!("{}: ({said} such lines)", members[0].name))?;
            return columns.heard(members, line);
        }
    }
    Err(failure!("{MOST} lines were said, and nobody was dropped"))
}

/// The next line, which all who listen hear: one row.
fn heard_by_all(members: &mut [Member], columns: &Columns) -> Result<(), Failure> {
    let mut line = None;
    for member in members.iter_mut().filter(|member| member.unread.is_none()) {
        line = Some(member.hear()?);
    }
    match line {
        Some(line) => columns.heard(members, &line),
        None => Ok(()),
    }
}

/// Without those in the middle, of which there are many.
fn shortened(lines: &[String]) -> Vec<String> {
    const ENDS: usize = 4;
    if lines.len() <= 2 * ENDS {
        return lines.to_vec();
    }
    let more = format!("({} more lines)", lines.len() - ENDS - 2);
    [&lines[..ENDS], &[more], &lines[lines.len() - 2..]].concat()
}

/// Whether all have heard one order, as far as each was there.
fn judge(members: &[Member], deaf: usize, heard: &[String]) -> Seen {
    let mut seen = Seen { good: Vec::new(), complaints: Vec::new() };
    let listeners: Vec<&Member> = members.iter().filter(|member| member.unread.is_none()).collect();
    let longest = &listeners[0].heard;
    let in_order = |lines: &[String]| longest.windows(lines.len()).any(|part| part == lines);
    for member in &listeners[1..] {
        if !longest.ends_with(&member.heard) {
            seen.complaints.push(format!("{} has heard another order", member.name));
        }
    }
    let deaf = &members[deaf].name;
    match heard.split_last() {
        Some((last, before)) if last.starts_with("! ") && in_order(before) => {}
        _ => seen.complaints.push(format!("{deaf} was not told why it was dropped")),
    }
    let all = longest.len();
    seen.good.push(format!("all who listened heard {all} lines in one order"));
    seen.good.push(format!("{deaf}, who did not, was dropped and told why"));
    seen
}

/// A client, and what it has printed.
struct Member {
    name: String,
    process: Process,
    keyboard: ChildStdin,
    /// The pipe that it prints into, where nobody reads that.
    unread: Option<ChildStdout>,
    heard: Vec<String>,
    /// Bytes of what it has printed that were looked at.
    looked_at: usize,
}

impl Member {
    fn start(name: &str, command: &mut Command, is_deaf: bool) -> Result<Member, Failure> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = spawn(command).map_err(|error| failure!("cannot start {name}: {error}"))?;
        let unread = is_deaf.then(|| child.stdout.take()).flatten();
        let process = Process::adopt(name, child);
        let keyboard = process.stdin().ok_or_else(|| failure!("{name} has no keyboard"))?;
        let (heard, looked_at) = (Vec::new(), 0);
        Ok(Member { name: name.into(), process, keyboard, unread, heard, looked_at })
    }

    fn say(&mut self, text: &str) -> Result<(), Failure> {
        let typed = self.keyboard.write_all(format!("{text}\n").as_bytes());
        typed.map_err(|error| failure!("{} does not read what is typed: {error}", self.name))
    }

    fn hear(&mut self) -> Result<String, Failure> {
        let from = self.looked_at;
        let next = |bytes: &[u8]| {
            let rest = bytes.get(from..)?;
            let end = rest.iter().position(|&byte| byte == b'\n')?;
            Some(String::from_utf8_lossy(&rest[..end]).into_owned())
        };
        let line = self.process.stdout().wait_for(GENEROUS, next);
        let line = line.map_err(|why| failure!("{} hears nothing more: {why}", self.name))?;
        self.looked_at += line.len() + 1;
        self.heard.push(line.clone());
        Ok(line)
    }

    /// Everything that was left where it was.
    fn read_at_last(&mut self) -> Result<Vec<String>, Failure> {
        let mut all = String::new();
        if let Some(unread) = &mut self.unread {
            let read = unread.read_to_string(&mut all);
            read.map_err(|error| failure!("{} cannot be read: {error}", self.name))?;
        }
        Ok(all.lines().map(|line| line.trim_end_matches('\r').to_string()).collect())
    }
}

/// As many as there are members, side by side.
pub struct Columns<'a> {
    width: usize,
    number: usize,
    screen: &'a Screen,
}

impl Columns<'_> {
    pub fn new(number: usize, screen: &Screen) -> Columns<'_> {
        Columns { width: screen.width.saturating_sub(2) / number.max(1), number, screen }
    }

    pub fn heads(&self, names: &[String]) -> Result<(), Failure> {
        let heads: String = names.iter().map(|name| fit(name, self.width)).collect();
        self.screen.line(&format!("  {}", self.screen.paint(Tone::Dim, heads.trim_end())))
    }

    /// A line in the columns of all who hear it.
    fn heard(&self, members: &[Member], line: &str) -> Result<(), Failure> {
        let cell = |member: &Member| match member.unread {
            None => line.to_string(),
            Some(_) => String::new(),
        };
        self.row(Tone::Server, &members.iter().map(cell).collect::<Vec<_>>())
    }

    /// What each of them shows, one beside the other, and below it what does not fit.
    pub fn row(&self, tone: Tone, cells: &[String]) -> Result<(), Failure> {
        if cells.iter().all(String::is_empty) {
            return Ok(());
        }
        let width = self.width.saturating_sub(2);
        let cells: Vec<Vec<String>> = cells.iter().map(|cell| wrap_words(cell, width)).collect();
        let lines = cells.iter().map(Vec::len).max().unwrap_or(0);
        for number in 0..lines {
            let part = |cell: &Vec<String>| {
                let text = cell.get(number).map_or("", String::as_str);
                self.screen.paint(tone, &fit(text, self.width))
            };
            let row = format!("  {}", cells.iter().map(part).collect::<String>());
            let last = number + 1 == lines;
            if last { self.screen.grow(&[], row.trim_end())? } else { self.screen.line(&row)? }
        }
        Ok(())
    }

    /// What one of them does.
    pub fn typed(&self, column: usize, text: &str) -> Result<(), Failure> {
        self.alone(column, Tone::Client, text)
    }

    /// What is done to one of them.
    pub fn aside(&self, column: usize, text: &str) -> Result<(), Failure> {
        self.alone(column, Tone::Warning, text)
    }

    fn alone(&self, column: usize, tone: Tone, text: &str) -> Result<(), Failure> {
        let mut cells = vec![String::new(); self.number];
        cells[column] = text.into();
        self.row(tone, &cells)
    }
}
