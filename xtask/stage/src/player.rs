//! A process that plays: the server, or the rung's own client. All that it writes goes to
//! the page.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;
use std::time::Duration;

use ladder::log_line::{Level, LogLine};
use ladder::process::Heard;
use ladder::shell::command_line;
use ladder::{Address, Failure, Process, Rung, ready};

use crate::event::{What, Who, shown};
use crate::feed::Teller;

/// Texts that a client has yet to read. When they are as many, it reads none: more are
/// refused.
const UNREAD: usize = 16;

pub struct Player {
    pub who: Who,
    pub process: Process,
    said: Option<SyncSender<String>>,
    is_over: bool,
}

/// What a process is given.
pub struct Part<'a> {
    pub who: Who,
    pub rung: &'a Rung,
    pub program: &'a Path,
    /// Where it listens, or where it goes.
    pub place: &'a Address,
    /// What the page shows of its command, beside its role.
    pub args: &'a [String],
    /// Whether it is told what to say while it runs.
    pub listens: bool,
}

impl Player {
    /// Starts it, with our environment but for what changes its log. Where it listens, if
    /// it does, is received.
    pub fn start(part: Part, teller: &Teller) -> Result<(Player, Receiver<Address>), Failure> {
        let Part { who, rung, program, place, args, listens } = part;
        let role = if who == Who::Server { "server" } else { "client" };
        let (ready, address) = channel();
        let mut command = Command::new(program);
        command.arg(role).args(place.option()).arg("-v").args(args).current_dir(&rung.folder);
        command.env_remove("RUST_LOG").env_remove("RUST_LOG_STYLE");
        command.stdin(if listens { Stdio::piped() } else { Stdio::null() });
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let text = command_line(&format!("{} {role}", rung.name), args);
        teller.now(&What::Process { who, stage: "started", text });
        let hears = teller.clone();
        let hear = move |heard| hear(heard, who, &hears, &ready);
        let process = Process::start_heard(&mut command, hear)?;
        let said = process.stdin().map(|mut stdin| {
            let (said, texts) = sync_channel::<String>(UNREAD);
            // Writing waits where the client does not read, and then it is this that waits.
            thread::spawn(move || {
                while let Ok(text) = texts.recv() {
                    if stdin.write_all(format!("{text}\n").as_bytes()).is_err() {
                        return;
                    }
                }
            });
            said
        });
        Ok((Player { who, process, said, is_over: false }, address))
    }

    /// Gives it a line to read; `false` where it takes none.
    pub fn say(&self, text: &str) -> bool {
        self.said.as_ref().is_some_and(|said| said.try_send(text.into()).is_ok())
    }

    /// Nothing more is said: its standard input ends.
    pub fn hang_up(&mut self) {
        self.said = None;
    }

    /// Whether it has ended, which is told once.
    pub fn is_over(&mut self, teller: &Teller) -> bool {
        if self.is_over {
            return true;
        }
        let Ok(Some(status)) = self.process.wait(Duration::ZERO) else { return false };
        self.is_over = true;
        let text = match status.code() {
            Some(code) => format!("exit code {code}"),
            None => "ended by a signal".into(),
        };
        teller.now(&What::Process { who: self.who, stage: "ended", text });
        true
    }
}

fn hear(heard: Heard, who: Who, teller: &Teller, ready: &Sender<Address>) {
    match heard {
        Heard::Printed(line) => match ready::address(&line).filter(|_| who == Who::Server) {
            Some(address) => {
                let text = shown(&line);
                teller.now(&What::Process { who, stage: "ready", text });
                // Fails where nobody waits for it any more.
                let _ = ready.send(address);
            }
            None => teller.now(&What::Printed { who, text: shown(&line) }),
        },
        Heard::Wrote(line) => match LogLine::parse(&line) {
            Some(LogLine { at, level, message, .. }) => {
                teller.tell(at, &What::Log { who, level, text: shown(&message) });
            }
            None => {
                let level = if line.starts_with("error") { Level::Error } else { Level::Other };
                teller.now(&What::Log { who, level, text: shown(&line) });
            }
        },
        Heard::Closed => {}
    }
}
