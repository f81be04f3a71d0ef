//! What is printed: the width of the terminal, colours where they are welcome, text cut
//! and wrapped to fit.

use std::env;
use std::io::{self, IsTerminal, Write};
use std::ops::Range;
use std::thread;
use std::time::Duration;

use textwrap::WordSplitter;
use textwrap::core::Word;
pub use textwrap::core::display_width;

use crate::Failure;

/// Where no width is known: a pipe, a file.
const WIDTH: usize = 100;

/// Narrower columns would hold nothing; wider ones are hard to read across.
const WIDTHS: (usize, usize) = (60, 120);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Plain,
    Dim,
    Bold,
    Client,
    Server,
    Good,
    Warning,
    Bad,
}

#[derive(Debug, Clone, Copy)]
pub struct Screen {
    /// Columns that prose and tables take.
    pub width: usize,
    pub columns: usize,
    pub colours: bool,
    /// Whether a line can be drawn again in its place.
    pub moves: bool,
    /// From one line of a play to the next.
    pub pace: Duration,
}

#[allow(clippy::new_without_default, reason = "it looks at the surroundings")]
impl Screen {
    /// As the terminal, the environment and the person want it.
    pub fn new() -> Screen {
        let terminal = io::stdout().is_terminal();
        let unwanted = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = is_dumb();
        let size = if terminal { terminal_size() } else { None };
        let columns = size.map_or(WIDTH, |(_, columns)| columns);
        Screen {
            width: columns.clamp(WIDTHS.0, WIDTHS.1),
            columns,
            colours: terminal && !dumb && !unwanted,
            // A terminal that is too narrow has more lines than one.
            moves: terminal && !dumb && columns >= WIDTHS.0,
            pace: Duration::ZERO,
        }
    }

    pub fn plain(self) -> Screen {
        Screen { colours: false, ..self }
    }

    /// Prints one line in its tone.
    pub fn say(&self, tone: Tone, text: &str) -> Result<(), Failure> {
        self.line(&self.paint(tone, text))
    }

    pub fn line(&self, line: &str) -> Result<(), Failure> {
        let mut stdout = io::stdout().lock();
        writeln!(stdout, "{}", line.trim_end())
            .and_then(|()| stdout.flush())
            .map_err(Failure::output)
    }

    /// Prints a line of a play and lets an eye follow: where it can be drawn again, it is as
    /// `pictures` have it one after the other, and then as it stays.
    pub fn grow(&self, pictures: &[String], line: &str) -> Result<(), Failure> {
        let drawn = self.moves && !self.pace.is_zero() && !pictures.is_empty();
        let pause = if drawn { self.pace / 2 } else { self.pace };
        for picture in pictures.iter().filter(|_| drawn) {
            let mut stdout = io::stdout().lock();
            write!(stdout, "\r{picture}\x1b[K")
                .and_then(|()| stdout.flush())
                .map_err(Failure::output)?;
            drop(stdout);
            thread::sleep(pause / pictures.len() as u32);
        }
        self.line(&format!("{}{line}", if drawn { "\r" } else { "" }))?;
        thread::sleep(pause);
        Ok(())
    }

    /// Prints a heading, with a rule behind it to the end of the line.
    pub fn title(&self, text: &str) -> Result<(), Failure> {
        self.heading(text).iter().try_for_each(|line| self.line(line))?;
        self.line("")
    }

    fn heading(&self, text: &str) -> Vec<String> {
        // The rule has a place on the last of them.
        let mut lines = wrap(text, self.width.saturating_sub(2));
        let last = lines.pop().unwrap_or_default();
        let rule = "─".repeat(self.width.saturating_sub(display_width(&last) + 1));
        let last = format!("{} {}", self.paint(Tone::Bold, &last), self.paint(Tone::Dim, &rule));
        lines.iter().map(|line| self.paint(Tone::Bold, line)).chain([last]).collect()
    }

    /// Prints words behind `left`; what does not fit goes on below where they began.
    pub fn hang(&self, left: &str, tone: Tone, text: &str) -> Result<(), Failure> {
        let column = display_width(left);
        let mut left = left.to_string();
        for line in wrap(text, self.width.saturating_sub(column)) {
            self.line(&format!("{left}{}", self.paint(tone, &line)))?;
            left = " ".repeat(column);
        }
        Ok(())
    }

    /// Prints words, wrapped, each line of them after `indent`.
    pub fn prose(&self, indent: &str, text: &str) -> Result<(), Failure> {
        self.hang(indent, Tone::Plain, text)
    }

    /// The lines of a table, its head first. `numbers` are the columns that end under each
    /// other; the last column goes on below where it began.
    pub fn table<T: AsRef<str>>(&self, rows: &[Vec<T>], numbers: Range<usize>) -> Vec<String> {
        let last = rows.first().map_or(0, Vec::len).saturating_sub(1);
        let widths: Vec<usize> = (0..last)
            .map(|at| rows.iter().map(|row| display_width(row[at].as_ref())).max().unwrap_or(0))
            .collect();
        let mut lines = Vec::new();
        for (number, row) in rows.iter().enumerate() {
            let mut left = String::from("  ");
            for (at, (cell, width)) in row.iter().zip(&widths).enumerate() {
                let (cell, room) =
                    (cell.as_ref(), " ".repeat(width - display_width(cell.as_ref())));
                let cells = if numbers.contains(&at) { [&room, cell] } else { [cell, &room] };
                left.push_str(&format!("{}  ", cells.concat()));
            }
            let tone = if number == 0 { Tone::Dim } else { Tone::Plain };
            for part in wrap(row[last].as_ref(), self.width.saturating_sub(display_width(&left))) {
                lines.push(self.paint(tone, &format!("{left}{part}")));
                left = " ".repeat(display_width(&left));
            }
        }
        lines
    }

    pub fn paint(&self, tone: Tone, text: &str) -> String {
        let code = match tone {
            Tone::Plain => return text.to_string(),
            Tone::Dim => "2",
            Tone::Bold => "1",
            Tone::Client => "36",
            Tone::Server => "35",
            Tone::Good => "32",
            Tone::Warning => "33",
            Tone::Bad => "1;31",
        };
        match self.colours {
            true => format!("\x1b[{code}m{text}\x1b[0m"),
            false => text.to_string(),
        }
    }

    pub fn of_width(width: usize) -> Screen {
        Screen { width, columns: width, colours: false, moves: false, pace: Duration::ZERO }
    }
}

/// Whether the terminal knows no escapes, as that of an editor may.
fn is_dumb() -> bool {
    env::var_os("TERM").is_some_and(|term| term == "dumb")
}

/// A word on standard error for the person who waits, on a line that the next one
/// replaces. Nobody who waits, nobody to tell.
pub fn progress(text: &str) {
    let mut stderr = io::stderr().lock();
    if stderr.is_terminal() && !is_dumb() {
        let _ = write!(stderr, "\r\x1b[K{text}").and_then(|()| stderr.flush());
    }
}

/// `text` in exactly `width` columns: filled with spaces, or cut.
pub fn fit(text: &str, width: usize) -> String {
    let text = cut(text, width);
    format!("{text}{}", " ".repeat(width.saturating_sub(display_width(&text))))
}

/// `text` in at most `width` columns.
pub fn cut(text: &str, width: usize) -> String {
    if display_width(text) <= width {
        return text.to_string();
    }
    let text = Word::from(text);
    let mut parts = text.break_apart(width.saturating_sub(1));
    let kept = if width > 1 { parts.next().map_or("", |part| part.word) } else { "" };
    format!("{kept}…")
}

/// A space at which no line is broken: between a number and its unit.
pub const NO_BREAK: char = '\u{a0}';

fn options<'a>(width: usize) -> textwrap::Options<'a> {
    textwrap::Options::new(width).word_splitter(WordSplitter::NoHyphenation)
}

/// Lines of whole words in at most `width` columns. A word that is longer stands alone.
/// Colours take no room.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let lines = textwrap::wrap(text, options(width).break_words(false));
    lines.iter().map(|line| line.replace(NO_BREAK, " ")).collect()
}

/// Lines in at most `width` columns, broken at spaces, and within a word only where that is
/// longer than a line.
pub fn wrap_words(text: &str, width: usize) -> Vec<String> {
    textwrap::wrap(text, options(width.max(1))).into_iter().map(String::from).collect()
}

/// A line of code in at most `width` columns: broken at its spaces, each part as far in
/// as the line, and only within a word that is longer than that.
pub fn wrap_code(line: &str, width: usize) -> Vec<String> {
    let indent: String = line.chars().take_while(|c| *c == ' ').take(width / 2).collect();
    let lines = textwrap::wrap(line, options(width).subsequent_indent(&indent));
    lines.into_iter().map(String::from).collect()
}

/// `12345.6` as `12,346`.
pub fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let groups = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy);
    groups.collect::<Vec<_>>().join(",")
}

/// Lines and columns. Asked of stty(1), which every Unix has: a crate for it would be
/// built twice, for xtask and for the rungs.
#[cfg(unix)]
fn terminal_size() -> Option<(usize, usize)> {
    use std::os::fd::AsFd;
    use std::process::{Command, Stdio};
    // The terminal that is standard input there is the one that is standard output here.
    let terminal = io::stdout().as_fd().try_clone_to_owned().ok()?;
    let size =
        Command::new("stty").arg("size").stdin(terminal).stderr(Stdio::null()).output().ok()?;
    // Rows, then columns; a terminal that does not know says 0 0.
    let mut size = str::from_utf8(&size.stdout).ok()?.split_whitespace().map(str::parse);
    match (size.next()?, size.next()?) {
        (Ok(lines), Ok(columns)) if lines > 0 && columns > 0 => Some((lines, columns)),
        _ => None,
    }
}

#[cfg(windows)]
fn terminal_size() -> Option<(usize, usize)> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_by_columns_and_a_field_has_its_width_whatever_is_in_it() {
        for (text, width, shown) in [
            ("Привет, сервер!", 15, "Привет, сервер!"),
            ("Привет, сервер!", 8, "Привет,…"),
            ("hello", 4, "hel…"),
            ("hello", 1, "…"),
            // A wide character is not cut in half.
            ("日本語", 6, "日本語"),
            ("日本語", 5, "日本…"),
            ("日本語", 4, "日…"),
        ] {
            assert_eq!(cut(text, width), shown);
            assert_eq!(display_width(&fit(text, width)), width, "{text}");
        }
        assert_eq!(fit("short", 10), "short     ");
    }

    #[test]
    fn words_are_wrapped_whole() {
        assert_eq!(
            wrap("an ordinary client was served", 12),
            ["an ordinary", "client was", "served"]
        );
        assert_eq!(wrap("127.0.0.1:55286 dropped", 5), ["127.0.0.1:55286", "dropped"]);
        assert_eq!(wrap("served after 0.5\u{a0}s", 16), ["served after", "0.5 s"]);
    }

    #[test]
    fn a_heading_that_is_longer_than_a_line_goes_on_below_and_no_word_of_it_is_broken() {
        let heading = Screen::of_width(60)
            .heading("gossip: asks and answers like all the others, and lives on whoever dies");
        assert_eq!(heading[0], "gossip: asks and answers like all the others, and lives on");
        assert_eq!(heading[1], format!("whoever dies {}", "─".repeat(47)));
        assert_eq!(Screen::of_width(10).heading("ten wide.."), ["ten", "wide.. ───"]);
    }

    #[test]
    fn colours_take_no_room_and_where_there_are_none_nothing_is_added() {
        let plain = Screen::of_width(100);
        let painted = Screen { colours: true, ..plain }.paint(Tone::Good, "as expected");
        assert_eq!(display_width(&painted), 11);
        assert_eq!(wrap(&format!("one {painted}"), 15).len(), 1);
        assert_eq!(plain.paint(Tone::Bad, "text"), "text");
    }
}
