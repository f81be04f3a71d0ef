//! A room in which several clients are at once, a column for each: what one says all hear,
//! in one order, and one of them stops listening.

use std::io::Write;
use std::process::{ChildStdin, Stdio};
use std::slice;

use ladder::manifests::Together;
use ladder::screen::{cut, fit, wrap_words};
use ladder::{Failure, Ladder, Rung, Screen, Tone, failure};
use trial::Cast;
use trial::stage::{PlayerId, Stage, Start};
use trial::timeline::Side;

/// Bytes of a line of those that fill buffers.
const LONG: usize = 1_000;

/// So many of them are said before it is looked who has left, and so many at most.
const AT_ONCE: usize = 50;
const MOST: usize = 10_000;

/// What a client types, in its column.
const PROMPT: &str = "> ";

/// What has been seen of it, in words.
#[derive(Default)]
pub struct Seen {
    /// What was as it should be.
    pub good: Vec<String>,
    /// What was not.
    pub complaints: Vec<String>,
}

pub fn right_replies(number: usize) -> String {
    if number == 1 { "1 right reply".into() } else { format!("{number} right replies") }
}

/// Plays what the manifest has for a room.
pub fn play(
    ladder: &Ladder,
    rung: &Rung,
    room: &Together,
    screen: &Screen,
) -> Result<Seen, Failure> {
    let cast = |args| Cast { ladder, rung, args };
    let mut stage = Stage::new();
    stage.verbose = false;
    let (server, address) = stage.start_server(cast(&room.server_args))?;
    let columns = Columns::new(room.members.len(), screen);
    columns.heads(&room.members)?;
    let mut play = Play { stage, columns, members: Vec::new() };
    for name in &room.members {
        let is_deaf = room.deaf.as_ref() == Some(name);
        let start = if is_deaf { Start::Deaf } else { Start::Plain };
        let own = cast(slice::from_ref(name));
        let player = play.stage.start(Side::Client, own, &address, start, Stdio::piped())?;
        let keyboard = play.stage.keyboard(player)?;
        play.members.push(Member { name: name.clone(), player, keyboard, is_deaf, heard: 0 });
        let text = format!("$ {} client {name}", rung.name);
        play.columns.typed(play.members.len() - 1, &text)?;
        // The deaf one is known to be there by what the others hear.
        play.heard_by_all()?;
    }
    let deaf = play.members.iter().position(|member| member.is_deaf);
    let deaf = deaf.ok_or_else(|| failure!("{}: nobody in the room is deaf", rung.name))?;
    play.columns.aside(deaf, "(stops reading)")?;
    for step in &room.steps {
        let (name, text) = step.split_once(": ").unwrap_or_default();
        let member = play.members.iter().position(|member| member.name == name);
        let wrong = || failure!("{}: nobody here knows how to play {step:?}", rung.name);
        let member = member.ok_or_else(wrong)?;
        play.members[member].say(text)?;
        play.columns.typed(member, &format!("{PROMPT}{text}"))?;
        play.heard_by_all()?;
    }
    play.flood()?;
    let heard = play.stage.read_at_last(play.members[deaf].player)?;
    let heard: Vec<String> = heard.lines().map(String::from).collect();
    play.columns.aside(deaf, "(reads again)")?;
    for line in shortened(&heard) {
        // Those that fill buffers say nothing else.
        let most = if line.len() > LONG { LONG / 50 } else { LONG };
        play.columns.typed(deaf, &cut(&line, most))?;
    }
    play.stage.ask_to_stop(server);
    if cfg!(unix) {
        play.columns.aside(play.members.len() - 1, "(the server is asked to stop)")?;
        play.heard_by_all()?;
    }
    play.stage.wait_for_end(server);
    Ok(play.judge(&play.members[deaf].name, &heard))
}

struct Play<'a> {
    stage: Stage,
    columns: Columns<'a>,
    members: Vec<Member>,
}

/// A client at its keyboard.
struct Member {
    name: String,
    player: PlayerId,
    keyboard: ChildStdin,
    is_deaf: bool,
    /// Lines of what it has printed that were looked at.
    heard: usize,
}

impl Play<'_> {
    /// The first one talks until the deaf one has left.
    fn flood(&mut self) -> Result<(), Failure> {
        let (text, mut said) = ("x".repeat(LONG), 0);
        self.columns.typed(0, &format!("{PROMPT}{} ... again and again", &text[..10]))?;
        let name = self.members[0].name.clone();
        let own = format!("{name}: {text}");
        while said < MOST {
            (0..AT_ONCE).try_for_each(|_| self.members[0].say(&text))?;
            said += AT_ONCE;
            let mut left = Vec::new();
            for member in self.members.iter_mut().filter(|member| !member.is_deaf) {
                let mut own_lines = 0;
                while own_lines < AT_ONCE {
                    let line = member.hear(&mut self.stage)?;
                    if line == own {
                        own_lines += 1;
                    } else {
                        left.push(line);
                    }
                }
            }
            if let Some(line) = left.first() {
                self.heard(&format!("{name}: ({said} such lines)"))?;
                return self.heard(line);
            }
        }
        Err(failure!("{MOST} lines were said, and nobody was dropped"))
    }

    /// The next line, which all who listen hear: one row.
    fn heard_by_all(&mut self) -> Result<(), Failure> {
        let listeners = self.members.iter_mut().filter(|member| !member.is_deaf);
        let lines = listeners.map(|member| member.hear(&mut self.stage));
        let lines: Vec<String> = lines.collect::<Result<_, _>>()?;
        lines.last().map_or(Ok(()), |line| self.heard(line))
    }

    /// A line in the columns of all who hear it.
    fn heard(&self, line: &str) -> Result<(), Failure> {
        let cell = |member: &Member| if member.is_deaf { "" } else { line }.to_string();
        self.columns.row(Tone::Server, &self.members.iter().map(cell).collect::<Vec<_>>())
    }

    /// Whether all have heard one order, as far as each was there.
    fn judge(&self, deaf: &str, heard: &[String]) -> Seen {
        let mut seen = Seen::default();
        let all = |member: &Member| &self.stage.printed(member.player)[..member.heard];
        let mut listeners = self.members.iter().filter(|member| !member.is_deaf);
        let longest = listeners.next().map_or(&[][..], all);
        let in_order = |lines: &[String]| longest.windows(lines.len()).any(|part| part == lines);
        for member in listeners.filter(|member| !longest.ends_with(all(member))) {
            seen.complaints.push(format!("{} has heard another order", member.name));
        }
        match heard.split_last() {
            Some((last, before)) if last.starts_with("! ") && in_order(before) => {}
            _ => seen.complaints.push(format!("{deaf} was not told why it was dropped")),
        }
        let all = longest.len();
        seen.good.push(format!("all who listened heard {all} lines in one order"));
        seen.good.push(format!("{deaf}, who did not, was dropped and told why"));
        seen
    }
}

impl Member {
    fn say(&mut self, text: &str) -> Result<(), Failure> {
        let typed = writeln!(self.keyboard, "{text}");
        typed.map_err(|error| failure!("{} does not read what is typed: {error}", self.name))
    }

    fn hear(&mut self, stage: &mut Stage) -> Result<String, Failure> {
        let line = stage.line(self.player, self.heard);
        self.heard += 1;
        line.map_err(|why| failure!("{} hears nothing more: {why}", self.name))
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
