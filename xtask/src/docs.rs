//! Fills the generated blocks of the pages from sources and real runs, and checks that
//! they are up to date.
//!
//! Which blocks there are, `docs/ARCHITECTURE.md` tells.

mod glossary;
pub mod links;
mod matrix;
mod plays;
pub mod session;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use ladder::blocks::{self, Order, fenced};
use ladder::files::{create_folder, entries, read, with_extension, write};
use ladder::step;
use ladder::{Failure, Ladder, Rung, Screen, Tone, failure, git};
use netfault::Transport;
use netfault::proxy::Network;

use crate::items;
use crate::map;
use crate::picture::Picture;
use crate::{diagram, exercise, scene};
use session::Script;

const REPAIR: &str = "cargo xtask docs";

const README_LINES: usize = 60;

/// Lines of a list that is folded.
const LONG: usize = 12;

const README_PARTS: [&str; 4] = ["Run it", "Read in this order", "What is still wrong", "Copy it"];

const CHAPTER_PARTS: [&str; 4] =
    ["What the last rung gets wrong", "The change", "Why it works", "What is still wrong"];

/// Fills every block of every page. Where nothing is to be changed, fails where a block is
/// not what it would be filled with, or a page breaks a rule of the book.
pub fn run(only_check: bool, screen: &Screen) -> Result<(), Failure> {
    let ladder = Ladder::load()?;
    let drawings = [(ladder.root.join("docs/ladder.svg"), map::svg(&ladder))].into();
    let mut generator =
        Generator { ladder, only_check, screen, transcripts: HashMap::new(), drawings };
    let (mut complaints, mut renewed) = (Vec::new(), 0);
    let pages = pages(&generator.ladder.root)?;
    for path in &pages {
        let page = read(path)?;
        let name = generator.ladder.within(path);
        let mut filled = generator.fill(&name, &page);
        if only_check && filled.as_ref().is_ok_and(|filled| *filled != page) {
            // On a machine that stalls for a second, a limit of a transcript may be met by chance.
            // Not twice.
            generator.transcripts.clear();
            filled = generator.fill(&name, &page);
        }
        match filled {
            Ok(filled) => renewed += generator.renew(path, &page, &filled)?,
            Err(failure) => complaints.push(failure.to_string()),
        }
        if only_check {
            let broken = links::broken(path, &page).into_iter();
            complaints.extend(broken.map(|text| format!("{name}: {text}")));
            complaints.extend(broken_rules(&name, &page));
        }
    }
    for (path, drawing) in &generator.drawings {
        renewed += generator.renew(path, &read(path).unwrap_or_default(), drawing)?;
    }
    if !only_check {
        Failure::of_all(complaints)?;
        return screen.line(&format!("{} pages, {renewed} files changed", pages.len()));
    }
    complaints.extend(unlisted(&generator.ladder.root)?);
    complaints.extend(plays::complaints(&generator.ladder));
    complaints.extend(glossary::complaints(&generator.ladder.root.join("docs")));
    for rung in &generator.ladder.rungs {
        let readme = (format!("crates/{}/README.md", rung.name), README_PARTS);
        let limits = format!("<!-- gen:limits {} -->", rung.name);
        for (page, parts) in [readme, (format!("docs/{}.md", rung.name), CHAPTER_PARTS)] {
            let text = generator.source(&page)?;
            complaints.extend(wrong_parts(&page, &text, &parts));
            if !text.contains(&limits) {
                complaints.push(format!("{page}: does not name the rung's limits: {limits}"));
            }
        }
    }
    if renewed > 0 {
        complaints.push(format!("the pages above are out of date\nhint: `{REPAIR}` repairs them"));
    }
    Failure::of_all(complaints)?;
    screen.line(&format!("{} pages are up to date", pages.len()))
}

struct Generator<'a> {
    ladder: Ladder,
    only_check: bool,
    screen: &'a Screen,
    /// A page and a README often show the same run.
    transcripts: HashMap<String, String>,
    /// Files beside the pages: the ladder as a picture, and what blocks ask for.
    drawings: BTreeMap<PathBuf, String>,
}

impl Generator<'_> {
    fn fill(&mut self, name: &str, page: &str) -> Result<String, Failure> {
        blocks::fill(page, |order| self.generate(name, order))
            .map_err(|failure| failure!("{name}: {failure}"))
    }

    fn generate(&mut self, page: &str, order: &Order) -> Result<String, Failure> {
        match (order.kind, order.words().as_slice()) {
            // Measured on a machine that does nothing else: cargo xtask bench --svg.
            ("bench", [_]) => Ok(order.held.clone()),
            ("ladder", []) => Ok(self.ladder_table(page)),
            ("faults", []) => Ok(matrix::list(&self.ladder)),
            ("fault-matrix", ["tcp"]) => Ok(matrix::matrix(&self.ladder, Transport::Tcp)),
            ("fault-matrix", ["udp"]) => Ok(matrix::matrix(&self.ladder, Transport::Udp)),
            ("limits", [rung]) => Ok(matrix::limits(self.ladder.rung(rung)?, page)),
            ("exercises", [rung]) => exercise::told(&self.ladder, self.ladder.rung(rung)?),
            ("steps", []) => self.step_table(),
            ("modules", [folder]) => self.modules(folder),
            (kind @ ("item" | "code"), [file, item @ ..]) if !item.is_empty() => {
                let item = items::find(&self.source(file)?, &item.join(" "))?;
                let code = if kind == "code" { items::without_docs(&item) } else { item };
                Ok(fenced("rust", &code))
            }
            ("tests", [file]) => self.tests(file, None),
            ("tests", [file, "beyond", known]) => self.tests(file, Some(known)),
            ("diff", [rung]) => self.diff(rung, &[step::LESSON]),
            ("diff", [rung, files @ ..]) => self.diff(rung, files),
            ("run", [rung]) => {
                let script = Script::demo(self.ladder.rung(rung)?);
                self.transcript(order.rest, rung, &script)
            }
            ("diagram", [rung]) => self.diagram(page, rung),
            ("picture", words @ ([] | ["moving"])) => self.picture(page, !words.is_empty()),
            ("session", [rung, "server", ..]) => {
                let text = order.rest.trim_start().strip_prefix(rung).unwrap_or_default();
                let certs = session::certs_of(self.ladder.rung(rung)?);
                let script = Script::parse(text, certs)?;
                self.transcript(order.rest, rung, &script)
            }
            _ => Err(failure!("there is no block gen:{} {}", order.kind, order.rest)),
        }
    }

    fn ladder_table(&self, page: &str) -> String {
        let up = "../".repeat(page.matches('/').count());
        let row = |rung: &Rung| {
            let name = &rung.name;
            let builds_on = match &rung.builds_on {
                Some(below) => format!("`{below}`"),
                None => "nothing".into(),
            };
            let chapter = match page.strip_prefix("docs/") {
                Some(_) => format!("{name}.md"),
                None => format!("{up}docs/{name}.md"),
            };
            let (link, read) =
                (format!("[`{name}`]({up}crates/{name})"), format!("[read]({chapter})"));
            vec![link, rung.title.clone(), builds_on, read]
        };
        let head = ["rung", "what it shows", "builds on", "chapter"];
        blocks::table(&head, self.ladder.rungs.iter().map(row))
    }

    fn step_table(&self) -> Result<String, Failure> {
        let mut rows = Vec::new();
        // Not those that are no difference to read: their size says nothing, and changes every
        // day.
        for (below, rung) in self.ladder.steps().filter(|(_, rung)| !rung.alone) {
            let changes = step::changes(below, rung)?;
            let size = step::size((below, rung), &changes)?;
            // It stands first.
            let lessons = changes.iter().take_while(|it| it.file == step::LESSON).count();
            let lesson = step::size((below, rung), &changes[..lessons])?.new;
            let mut row = [below, rung].map(|rung| format!("`{}`", rung.name)).to_vec();
            row.extend([size.new, size.moved, size.gone, lesson].map(|lines| lines.to_string()));
            rows.push(row);
        }
        let head = ["from", "to", "new lines of code", "moved", "gone", "new in `server.rs`"];
        Ok(blocks::table(&head, rows))
    }

    fn modules(&self, folder: &str) -> Result<String, Failure> {
        let mut rows = Vec::new();
        for path in with_extension(&self.ladder.root.join(folder), "rs")? {
            if path.ends_with("lib.rs") {
                continue;
            }
            let source = read(&path)?;
            let doc = source.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim);
            let paragraph: Vec<&str> = doc.take_while(|line| !line.is_empty()).collect();
            let paragraph = paragraph.join(" ");
            let sentence = paragraph.split(". ").next().unwrap_or_default();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            rows.push(vec![format!("`{name}`"), sentence.trim_end_matches('.').into()]);
        }
        let number = rows.len();
        Ok(folded(
            &format!("{number} files"),
            number,
            &blocks::table(&["file", "what it does"], rows),
        ))
    }

    fn tests(&self, file: &str, beyond: Option<&str>) -> Result<String, Failure> {
        let source = self.source(file)?;
        let known = beyond.map_or(Ok(String::new()), |known| self.source(known))?;
        let known = items::tests(&known);
        let mut names = items::tests(&source);
        names.retain(|name| !known.contains(name));
        if names.is_empty() {
            return Err(failure!("{file} has no tests of its own"));
        }
        let list: String =
            names.iter().map(|name| format!("- {}\n", name.replace('_', " "))).collect();
        Ok(folded(&format!("{} promises, each a test", names.len()), names.len(), &list))
    }

    fn diff(&self, name: &str, files: &[&str]) -> Result<String, Failure> {
        let rung = self.ladder.rung(name)?;
        let Some((below, rung)) = self.ladder.step_to(rung) else {
            return Err(failure!("{name} builds on nothing"));
        };
        let mut diff = String::new();
        for file in files {
            diff.push_str(&step::change(below, rung, file)?.unified()?);
        }
        match diff.is_empty() {
            true => Err(failure!("{name} is no different from {} here", below.name)),
            false => Ok(fenced("diff", &diff)),
        }
    }

    fn transcript(&mut self, key: &str, rung: &str, script: &Script) -> Result<String, Failure> {
        if let Some(known) = self.transcripts.get(key) {
            return Ok(known.clone());
        }
        let rung = self.ladder.rung(rung)?;
        let text = session::transcript(&self.ladder, rung, script)?;
        let text = fenced("console", &text);
        self.transcripts.insert(key.into(), text.clone());
        Ok(text)
    }

    /// An image on the page, and the drawing that it shows in the book's folder.
    fn diagram(&mut self, page: &str, rung: &str) -> Result<String, Failure> {
        if !page.starts_with("docs/") {
            return Err(Failure::new("a drawing stands beside a page of the book"));
        }
        let found = self.ladder.rung(rung)?;
        let path = self.ladder.root.join(format!("docs/{}.svg", found.name));
        if !self.drawings.contains_key(&path) {
            let network = Network::default();
            let around = scene::Around { network: Some(&network), ..scene::Around::default() };
            let scene = scene::play(&self.ladder, found, around)?;
            self.drawings.insert(path, diagram::draw(found, &scene.passed));
        }
        Ok(format!("![What passes between client and server]({}.svg)\n", found.name))
    }

    /// An image on the page, and the drawing of what the page has for it.
    fn picture(&mut self, page: &str, moves: bool) -> Result<String, Failure> {
        let picture = Picture::find(&self.source(page)?)?;
        let name = Path::new(page).file_stem().unwrap_or_default().to_string_lossy().to_lowercase();
        let folder = self.ladder.root.join("docs/pictures");
        create_folder(&folder)?;
        self.drawings.insert(folder.join(format!("{name}.svg")), picture.draw(moves));
        let up = if page.starts_with("docs/") { "" } else { "docs/" };
        Ok(format!("![{}]({up}pictures/{name}.svg)\n", picture.title))
    }

    fn source(&self, file: &str) -> Result<String, Failure> {
        read(&self.ladder.root.join(file))
    }

    /// Writes a file anew, or only shows what would be different: how many files that are.
    fn renew(&self, path: &Path, old: &str, new: &str) -> Result<usize, Failure> {
        let name = self.ladder.within(path);
        if old == new {
            return Ok(0);
        }
        if !self.only_check {
            write(path, new)?;
            self.screen.line(&name)?;
            return Ok(1);
        }
        for line in git::unified((&name, old), (&format!("{name}, generated"), new))?.lines() {
            let tone = match line.chars().next() {
                Some('-') => Tone::Bad,
                Some('+') => Tone::Good,
                _ => Tone::Plain,
            };
            self.screen.say(tone, line)?;
        }
        Ok(1)
    }
}

/// Every page that may hold blocks, in a fixed order.
fn pages(root: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut pages = vec![root.join("README.md")];
    pages.extend(with_extension(&root.join("docs"), "md")?);
    let readmes = entries(&root.join("crates"))?.into_iter().map(|it| it.join("README.md"));
    pages.extend(readmes.filter(|readme| readme.exists()));
    Ok(pages)
}

/// A list, under one line of so many words where it is long.
fn folded(summary: &str, number: usize, list: &str) -> String {
    match number > LONG {
        true => format!("<details>\n<summary>{summary}</summary>\n\n{list}\n</details>\n"),
        false => list.into(),
    }
}

/// What the book's rules say against a page.
fn broken_rules(name: &str, page: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    if name.starts_with("crates/") && page.lines().count() > README_LINES {
        complaints.push(format!("{name}: more than {README_LINES} lines"));
    }
    let (mut fence, mut generated) = (None, false);
    for (index, line) in page.lines().enumerate() {
        let before = fence;
        fence = blocks::fence_after(fence, line);
        match (before, fence) {
            (None, None) if line.starts_with("<!-- gen:") => generated = true,
            (None, None) if line.starts_with("<!-- end") => generated = false,
            (None, Some(_)) if !generated && line.trim_start_matches('`').starts_with("rust") => {
                complaints
                    .push(format!("{name}: line {}: code is shown by a gen:item block", index + 1));
            }
            _ => {}
        }
    }
    complaints
}

fn wrong_parts(name: &str, page: &str, parts: &[&str]) -> Option<String> {
    let headings = links::prose(page).filter_map(|line| line.strip_prefix("## "));
    let wanted = parts.join("; ");
    (!headings.eq(parts.iter().copied())).then(|| format!("{name}: its parts are not: {wanted}"))
}

/// Pages of the book that its table of contents does not list.
fn unlisted(root: &Path) -> Result<Vec<String>, Failure> {
    let summary = read(&root.join("docs/SUMMARY.md"))?;
    let names = with_extension(&root.join("docs"), "md")?.into_iter();
    let names = names.filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
    Ok(names
        .filter(|name| name != "SUMMARY.md" && !summary.contains(&format!("({name})")))
        .map(|name| format!("docs/SUMMARY.md: does not list {name}"))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_breaks_a_rule_of_the_book_is_told() {
        let long = "line\n".repeat(README_LINES + 1);
        let code = "Prose.\n```rust\nfn a() {}\n```\n<!-- gen:item a fn b -->\n```rust\n```\n<!-- end -->\n";
        for (name, page, said) in [
            ("docs/a.md", code, Some("docs/a.md: line 2: code is shown by a gen:item block")),
            ("docs/a.md", "```console\n$ cargo xtask list\n```\n", None),
            ("docs/a.md", long.as_str(), None),
            ("crates/a/README.md", &long, Some("crates/a/README.md: more than 60 lines")),
        ] {
            assert_eq!(broken_rules(name, page), Vec::from_iter(said));
        }
        let page = "# a\n## Run it\n```\n## no heading\n```\n## Copy it\n### Where\n";
        assert_eq!(wrong_parts("a.md", page, &["Run it", "Copy it"]), None);
        let complaint = wrong_parts("a.md", page, &["Copy it", "Run it"]);
        assert_eq!(complaint.as_deref(), Some("a.md: its parts are not: Copy it; Run it"));
    }
}
