//! A program that updates itself while clients ask: a publisher signs releases, our own
//! `http-server` serves them, and what the server does with each is shown as it happens.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Instant;
use std::{iter, thread};

use ladder::files::{Doing, create_folder};
use ladder::log_line::{Level, LogLine};
use ladder::manifests::Releases;
use ladder::process::{GENEROUS, listening, output};
use ladder::programs::build;
use ladder::rename::identifier;
use ladder::scratch::Scratch;
use ladder::screen::fit;
use ladder::{Address, Failure, Ladder, Process, Rung, Screen, Tone, failure};

use crate::room::Seen;

/// What clients ask, and what the first release and the next one answer.
const QUESTION: &str = "hello";
const ANSWERS: [&str; 2] = ["hello", "HELLO"];

/// How often the server looks, so that nobody has to wait.
const EVERY: &str = "200ms";

/// What the server says again with every look.
const AGAIN: [&str; 3] = ["it is the version that runs", "it was tried before", " answered 404"];

/// Columns of who does something.
const WHO: usize = 13;

/// What the manifest has of releases, one after the other.
pub fn play(
    ladder: &Ladder,
    rung: &Rung,
    releases: &Releases,
    screen: &Screen,
) -> Result<Seen, Failure> {
    let play = Play::prepare(ladder, rung, releases, screen)?;
    screen.line("")?;
    let what = screen.paint(Tone::Bold, "Under clients, with releases from http-server:");
    screen.prose("  ", &format!("{what} each looks the server up anew, again and again"))?;
    let (web, from) = play.serve_site()?;
    let (server, at) = play.start(&from)?;
    let asked = thread::scope(|scope| {
        let (sender, answers) = mpsc::channel();
        let ask = || {
            let mut client = Command::new(&play.program);
            output(client.arg("client").args(at.option()).arg(QUESTION)).ok()
        };
        // Until nobody wants to know any more.
        scope.spawn(move || while sender.send(ask()).is_ok() {});
        let mut asked = Asked { answers, answered: 0, missing: 0 };
        play.acts(&server, &mut asked)?;
        Ok::<_, Failure>((asked.answered, asked.missing))
    });
    let (answered, missing) = asked?;
    server.ask_to_stop();
    server.wait_for_end(GENEROUS)?;
    drop(web);
    let mut seen = Seen::default();
    match missing {
        0 => seen.good.push(format!("{answered} clients, all of them answered")),
        // The old worker has to go there before the new one can come.
        missing if cfg!(windows) => {
            seen.good.push(format!("{answered} clients answered, {missing} refused meanwhile"));
        }
        missing => seen.complaints.push(format!("{missing} clients were not answered")),
    }
    match read_bytes(&play.program)? == read_bytes(&play.next)? {
        true => seen.good.push("one update, one way back, two refusals".into()),
        false => {
            seen.complaints.push("the program on the disk is not the one that was signed".into())
        }
    }
    Ok(seen)
}

/// How much of what the server says was read, and what of it was shown last.
#[derive(Default)]
struct Read {
    lines: usize,
    shown: String,
}

/// What clients have seen.
struct Asked {
    answers: Receiver<Option<String>>,
    answered: usize,
    missing: usize,
}

impl Asked {
    /// How often each of [`ANSWERS`] came since this was last asked, once that of `release` has.
    fn recent(&mut self, release: usize) -> Result<[usize; 2], Failure> {
        let deadline = Instant::now() + GENEROUS;
        let mut recent = [0; 2];
        while recent[release] == 0 {
            let next =
                self.answers.recv_timeout(GENEROUS).ok().filter(|_| Instant::now() < deadline);
            let next =
                next.ok_or_else(|| failure!("no client was answered {:?}", ANSWERS[release]))?;
            for answer in iter::once(next).chain(self.answers.try_iter()) {
                let answer = answer.as_deref().map(str::trim_end);
                match ANSWERS.iter().position(|known| Some(*known) == answer) {
                    Some(known) => {
                        self.answered += 1;
                        recent[known] += 1;
                    }
                    None => self.missing += 1,
                }
            }
        }
        Ok(recent)
    }
}

struct Play<'a> {
    screen: &'a Screen,
    folder: Scratch,
    /// The server, in a folder of its own.
    program: PathBuf,
    publisher: PathBuf,
    web: PathBuf,
    next: PathBuf,
    broken: PathBuf,
    /// How the log calls what the rung itself says.
    crate_name: String,
}

impl Play<'_> {
    fn prepare<'a>(
        ladder: &Ladder,
        rung: &Rung,
        releases: &Releases,
        screen: &'a Screen,
    ) -> Result<Play<'a>, Failure> {
        let first = ladder.program(&rung.name)?;
        let publisher = &releases.publisher;
        let options = ["--example", publisher, "--package", &rung.name];
        let publisher = build(&ladder.root, &options, &[publisher])?
            .remove(publisher)
            .ok_or_else(|| failure!("{}: there is no example {publisher}", rung.name))?;
        let folder = Scratch::temporary("releases")?;
        let home = folder.path().join("home");
        create_folder(&home)?;
        let name = first.file_name().unwrap_or_default();
        let program = home.join(name);
        fs::copy(&first, &program).doing("write", &program)?;
        let play = Play {
            screen,
            program,
            publisher,
            web: ladder.program("http-server")?,
            next: ladder.program(&releases.next)?,
            broken: ladder.program(&releases.broken)?,
            crate_name: identifier(&rung.name),
            folder,
        };
        create_folder(&play.path("site"))?;
        play.publisher(&["key", "publisher"])?;
        play.publisher(&["key", "stranger"])?;
        Ok(play)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn publisher(&self, args: &[&str]) -> Result<String, Failure> {
        output(Command::new(&self.publisher).args(args).current_dir(self.folder.path()))
    }

    fn serve_site(&self) -> Result<(Process, String), Failure> {
        let mut command = Command::new(&self.web);
        command.args(["--quiet", "--bind", "127.0.0.1", "--port", "0"]).arg(self.path("site"));
        let (web, at) = listening(command.stderr(Stdio::null()), GENEROUS)?;
        Ok((web, format!("http://{at}/")))
    }

    fn start(&self, from: &str) -> Result<(Process, Address), Failure> {
        let mut command = Command::new(&self.program);
        command.args(["server", "--port", "0", "--from", from, "--every", EVERY]);
        command.args(["--ready-within", "3s", "--key"]).arg(self.path("publisher.pub"));
        // What it says of each client is not for this page.
        command.env("RUST_LOG", format!("warn,{}=info", self.crate_name));
        listening(command.stderr(Stdio::piped()), GENEROUS)
    }

    /// Each release, and what becomes of it.
    fn acts(&self, server: &Process, asked: &mut Asked) -> Result<(), Failure> {
        let read = &mut Read::default();
        let signs = |key: &str, program: &Path, claim: &[&str]| {
            let program = program.display().to_string();
            let args = ["release", key, &program, "site"];
            let published = self.publisher(&[&args[..], claim].concat())?;
            Ok::<_, Failure>(format!("signs {}", published.trim_end()))
        };
        self.follow(server, read, "serves")?;
        self.clients(asked, 0)?;
        let told = signs("publisher.key", &self.next, &[])?;
        self.told("publisher", Tone::Client, &told)?;
        self.follow(server, read, "serves from here on")?;
        self.clients(asked, 1)?;
        let told = signs("publisher.key", &self.broken, &[])? + ", which does not get ready";
        self.told("publisher", Tone::Client, &told)?;
        self.follow(server, read, "is not tried again")?;
        self.clients(asked, 1)?;
        let told = signs("publisher.key", &self.next, &["--claim", "0.1.5"])?;
        self.told("somebody", Tone::Warning, &format!("sends an old one again, {told}"))?;
        self.follow(server, read, "no update")?;
        let told = signs("stranger.key", &self.next, &["--claim", "0.4.0"])?;
        self.told("a stranger", Tone::Warning, &(told + ", with a key of their own"))?;
        self.follow(server, read, "is not signed by")?;
        self.clients(asked, 1)
    }

    /// Shows what the server says, up to a line with `words`.
    fn follow(&self, server: &Process, read: &mut Read, words: &str) -> Result<(), Failure> {
        loop {
            let line = server.stderr().line(GENEROUS, read.lines);
            let line = line.map_err(|why| failure!("the server says nothing more: {why}"))?;
            read.lines += 1;
            let Some(line) = LogLine::parse(&line) else { continue };
            let again = AGAIN.iter().any(|words| line.message.contains(words));
            // There may be several looks until the next release is there.
            if again || line.message == read.shown {
                continue;
            }
            read.shown.clone_from(&line.message);
            let tone = if line.level == Level::Other { Tone::Server } else { Tone::Warning };
            self.told("server", tone, &line.message)?;
            if line.message.contains(words) {
                return Ok(());
            }
        }
    }

    /// Waits until clients are answered as this release does it, and shows how they were.
    fn clients(&self, asked: &mut Asked, release: usize) -> Result<(), Failure> {
        let recent = asked.recent(release)?;
        for (answer, times) in ANSWERS.iter().zip(recent).filter(|(_, times)| *times > 0) {
            let text = format!("{QUESTION} -> {answer} ({times})");
            self.told("clients", Tone::Plain, &text)?;
        }
        Ok(())
    }

    fn told(&self, who: &str, tone: Tone, text: &str) -> Result<(), Failure> {
        self.screen.hang(&format!("    {}", fit(who, WHO)), tone, text)?;
        thread::sleep(self.screen.pace);
        Ok(())
    }
}

fn read_bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).doing("read", path)
}
