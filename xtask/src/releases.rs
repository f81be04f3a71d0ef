//! A program that updates itself while clients ask: a publisher signs releases, our own
//! `http-server` serves them, and what the server does with each is shown as it happens.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ladder::files::{Doing, create_folder};
use ladder::log_line::{Level, LogLine};
use ladder::manifests::Releases;
use ladder::process::{GENEROUS, listening, output};
use ladder::programs::build;
use ladder::rename::identifier;
use ladder::scratch::Scratch;
use ladder::screen::fit;
use ladder::workers::lock;
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
    let (asked, done) = (Mutex::new(Asked::default()), AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::SeqCst) {
                let mut client = Command::new(&play.program);
                let answer = output(client.arg("client").args(at.option()).arg(QUESTION));
                lock(&asked).count(answer.ok().as_deref().map(str::trim_end));
            }
        });
        let played = play.acts(&server, &asked);
        done.store(true, Ordering::SeqCst);
        played
    })?;
    server.ask_to_stop();
    server.wait_for_end(GENEROUS)?;
    drop(web);
    let asked = lock(&asked);
    let mut seen = Seen::default();
    match asked.missing {
        0 => seen.good.push(format!("{} clients, all of them answered", asked.answered)),
        // The old worker has to go there before the new one can come.
        missing if cfg!(windows) => {
            let told = format!("{} clients answered, {missing} refused meanwhile", asked.answered);
            seen.good.push(told);
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

/// What clients have seen.
#[derive(Default)]
struct Asked {
    answered: usize,
    /// How often each of [`ANSWERS`] came since it was last told.
    recent: [usize; 2],
    missing: usize,
}

impl Asked {
    fn count(&mut self, answer: Option<&str>) {
        match ANSWERS.iter().position(|known| Some(*known) == answer) {
            Some(known) => {
                self.answered += 1;
                self.recent[known] += 1;
            }
            None => self.missing += 1,
        }
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
    fn acts(&self, server: &Process, asked: &Mutex<Asked>) -> Result<(), Failure> {
        let read = &mut 0;
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
    fn follow(&self, server: &Process, read: &mut usize, words: &str) -> Result<(), Failure> {
        loop {
            let line = server.stderr().line(GENEROUS, *read);
            let line = line.map_err(|why| failure!("the server says nothing more: {why}"))?;
            *read += 1;
            let again = AGAIN.iter().any(|words| line.contains(words));
            let Some(line) = LogLine::parse(&line).filter(|_| !again) else { continue };
            let tone = if line.level == Level::Other { Tone::Server } else { Tone::Warning };
            self.told("server", tone, &line.message)?;
            if line.message.contains(words) {
                return Ok(());
            }
        }
    }

    /// Waits until clients are answered as this release does it, and shows how they were.
    fn clients(&self, asked: &Mutex<Asked>, release: usize) -> Result<(), Failure> {
        let deadline = Instant::now() + GENEROUS;
        let recent = loop {
            let mut asked = lock(asked);
            if asked.recent[release] > 0 {
                break std::mem::take(&mut asked.recent);
            }
            drop(asked);
            if Instant::now() > deadline {
                return Err(failure!("no client was answered {:?}", ANSWERS[release]));
            }
            thread::sleep(Duration::from_millis(5));
        };
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
