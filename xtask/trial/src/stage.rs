//! Where a real server and its clients play: their processes, and everything they
//! print, gathered as it comes.

use std::io::{self, PipeReader};
use std::ops::Range;
use std::path::Path;
use std::process::{ChildStdin, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant};

use ladder::log_line::{Event, LogLine, Time};
use ladder::manifests::Carrier;
use ladder::process::{GENEROUS, Heard, output};
use ladder::ready::{address, missing};
use ladder::scratch::Scratch;
use ladder::shell::command_line;
use ladder::{Address, Failure, Ladder, Process, Rung, failure};

use crate::live::Teller;
use crate::timeline::{Happening, Side, What};

/// Ends a wait for a line that only makes a timeline complete.
pub const CALM: Duration = Duration::from_secs(5);

/// The group of who owns nothing and may do nothing, on every Unix.
const NOBODY: u32 = 65534;

/// What is played: a rung, and the arguments of its server.
#[derive(Clone, Copy)]
pub struct Cast<'a> {
    pub ladder: &'a Ladder,
    pub rung: &'a Rung,
    pub args: &'a [String],
}

/// The processes that play together, and what has been seen of them.
pub struct Stage {
    sender: Sender<(usize, Heard)>,
    receiver: Receiver<(usize, Heard)>,
    players: Vec<Player>,
    /// Where their files are, for those that listen on files.
    folder: Option<Scratch>,
    /// What has happened so far, as it was seen.
    pub happenings: Vec<Happening>,
    /// Whether everything is logged.
    pub verbose: bool,
    /// Who is told what happens when it does.
    pub onlooker: Option<Teller>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlayerId(usize);

struct Player {
    /// What it writes into, where nobody is to read that.
    unread: Option<PipeReader>,
    side: Side,
    process: Process,
    /// What it printed on standard output.
    printed: Vec<String>,
    /// What it wrote to standard error that is not of the log.
    wrote: Vec<String>,
    /// Of standard output and standard error, those that it has not closed.
    open: usize,
    /// The time of its last line that had one: those that have none came later.
    last: Option<Time>,
}

/// In what circumstances a program is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    Plain,
    /// With so many descriptors at most. Unix only.
    WithDescriptors(u32),
    /// With so many threads at most. Linux only, with `prlimit` and, for an ordinary user,
    /// `unshare`.
    WithThreads(u32),
    /// Where we may do everything, as a user who may do nothing. Unix only.
    WithoutPrivileges,
    /// With nobody who reads its standard error.
    Unread,
    /// With nobody who reads what it prints, until [`Stage::read_at_last`].
    Deaf,
}

impl Start {
    /// Whom root becomes for it.
    fn user(self) -> Option<u32> {
        let is_another = matches!(self, Start::WithThreads(_) | Start::WithoutPrivileges);
        (is_another && can_be_another_user()).then(stranger)
    }

    fn command(self, program: &Path, user: Option<u32>) -> Command {
        let command = match self {
            Start::WithDescriptors(most) => {
                // The shell becomes the program, so that there is one process and not two.
                let mut command = Command::new("sh");
                command
                    .args(["-c", &format!("ulimit -n {most} && exec \"$0\" \"$@\"")])
                    .arg(program);
                command
            }
            Start::WithThreads(most) => {
                // The threads of all programs of one user count together, and none of root's.
                // An ordinary user has a namespace instead (user_namespaces(7)), in which they
                // are counted anew.
                let mut command = Command::new(if user.is_some() { "prlimit" } else { "unshare" });
                if user.is_none() {
                    command.args(["--user", "prlimit"]);
                }
                command.arg(format!("--nproc={most}")).arg(program);
                command
            }
            _ => Command::new(program),
        };
        as_stranger(command, user)
    }
}

/// Whether a process can be started as somebody else.
pub fn can_be_another_user() -> bool {
    #[cfg(unix)]
    return nix::unistd::geteuid().is_root();
    #[cfg(not(unix))]
    false
}

#[cfg_attr(not(unix), allow(unused_variables, unused_mut, reason = "there are no such users"))]
fn as_stranger(mut command: Command, user: Option<u32>) -> Command {
    #[cfg(unix)]
    if let Some(user) = user {
        std::os::unix::process::CommandExt::uid(&mut command, user);
        std::os::unix::process::CommandExt::gid(&mut command, NOBODY);
    }
    command
}

/// A user who has nothing else running.
fn stranger() -> u32 {
    /// Numbers that belong to no user of most systems.
    const STRANGERS: Range<u32> = 60_100..60_500;
    static STRANGER: AtomicU32 = AtomicU32::new(0);
    let number = std::process::id().wrapping_add(STRANGER.fetch_add(1, Ordering::Relaxed));
    STRANGERS.start + number % (STRANGERS.end - STRANGERS.start)
}

#[derive(Debug)]
pub struct Visit {
    pub printed: Vec<String>,
    /// `None` when it was still waiting at the limit, or ended by a signal.
    pub code: Option<i32>,
    /// Until its end, or the limit.
    pub took: Duration,
    pub waiting: bool,
    pub complaint: Option<String>,
}

#[allow(clippy::new_without_default, reason = "nobody needs a default one")]
impl Stage {
    pub fn new() -> Stage {
        let (sender, receiver) = mpsc::channel();
        let (players, happenings) = (Vec::new(), Vec::new());
        Stage { sender, receiver, players, folder: None, happenings, verbose: true, onlooker: None }
    }

    /// One with a server.
    pub fn with_server(cast: Cast) -> Result<(Stage, PlayerId, Address), Failure> {
        let mut stage = Stage::new();
        let (server, address) = stage.start_server(cast)?;
        Ok((stage, server, address))
    }

    /// Where nobody listens yet: port 0, or a file in a folder of this stage.
    pub fn free_address(&mut self, rung: &Rung) -> Result<Address, Failure> {
        if rung.transport != Carrier::Unix {
            return Ok(Address::port(0));
        }
        let name = format!("{}.sock", self.players.len());
        Ok(Address::Unix(self.folder()?.join(name)))
    }

    fn folder(&mut self) -> Result<&Path, Failure> {
        if self.folder.is_none() {
            self.folder = Some(Scratch::temporary("stage")?);
        }
        Ok(self.folder.as_ref().map_or(Path::new(""), Scratch::path))
    }

    /// Lets every user of the machine have files in the folder of this stage. Unix only.
    pub fn open_to_everybody(&self) -> Result<(), Failure> {
        match &self.folder {
            Some(folder) => output(Command::new("chmod").arg("0777").arg(folder.path())).map(drop),
            None => Ok(()),
        }
    }

    /// The arguments of a program that another user starts: its certificates are a copy of
    /// that user's, since keys are their owner's alone.
    fn owned(&mut self, cast: Cast, user: u32) -> Result<Vec<String>, Failure> {
        let Some(from) = cast.rung.certs_folder() else { return Ok(cast.args.to_vec()) };
        let copy = self.folder()?.join(format!("certs-{user}"));
        self.open_to_everybody()?;
        output(Command::new("cp").arg("-R").arg(&from).arg(&copy))?;
        output(Command::new("chown").args(["-R", &format!("{user}:{NOBODY}")]).arg(&copy))?;
        let copy = copy.display().to_string();
        let args = cast.args.iter().map(|arg| match arg.strip_prefix(&cast.rung.certs[0]) {
            Some(rest) => format!("{copy}{rest}"),
            None => arg.clone(),
        });
        Ok(args.collect())
    }

    /// Starts the server where nobody listens and waits for its ready line.
    pub fn start_server(&mut self, cast: Cast) -> Result<(PlayerId, Address), Failure> {
        let free = self.free_address(cast.rung)?;
        let (server, address) = self.try_server(cast, &free, Start::Plain)?;
        let missing = || missing(&cast.rung.name, self.wrote(server), "it ended without a word");
        Ok((server, address.ok_or_else(|| Failure::new(missing()))?))
    }

    /// Starts the server there in the manner of `start`, and waits for its ready line or its
    /// end.
    pub fn try_server(
        &mut self,
        cast: Cast,
        at: &Address,
        start: Start,
    ) -> Result<(PlayerId, Option<Address>), Failure> {
        cast.rung.prepare(&cast.ladder.program(&cast.rung.name)?)?;
        let server = self.start(Side::Server, cast, at, start, Stdio::null())?;
        let ready =
            |stage: &Stage| stage.players[server.0].printed.iter().find_map(|line| address(line));
        self.wait(GENEROUS, |stage| ready(stage).is_some() || stage.is_over(server));
        Ok((server, ready(self)))
    }

    /// What a process has printed.
    pub fn printed(&self, player: PlayerId) -> &[String] {
        &self.players[player.0].printed
    }

    /// What a process has written to standard error, of the log or not.
    pub fn told(&self, player: PlayerId) -> impl Iterator<Item = &What> {
        let told = |what: &&What| matches!(what, What::Logged(_) | What::Wrote(_));
        let own = self.happenings.iter().filter(move |happening| happening.process == player.0);
        own.map(|happening| &happening.what).filter(told)
    }

    /// What a process has written to standard error that is not of the log.
    pub fn wrote(&self, player: PlayerId) -> &[String] {
        &self.players[player.0].wrote
    }

    pub fn process_id(&self, player: PlayerId) -> u32 {
        self.players[player.0].process.id()
    }

    /// Runs the client with the arguments of `cast` against `server` until it ends, for
    /// `patience` at most.
    pub fn run_client(
        &mut self,
        cast: Cast,
        server: &Address,
        patience: Duration,
    ) -> Result<Visit, Failure> {
        let client = self.start(Side::Client, cast, server, Start::Plain, Stdio::null())?;
        self.watch(client, patience)
    }

    /// Says something about a process that is to be seen now.
    pub fn say_of(&mut self, player: PlayerId, text: String) {
        self.happened(player, Time::now(), What::Aside(text));
    }

    /// The input of a process that was started with a pipe.
    pub fn keyboard(&self, player: PlayerId) -> Result<ChildStdin, Failure> {
        let keyboard = self.players[player.0].process.stdin();
        keyboard.ok_or_else(|| failure!("a client here has no keyboard"))
    }

    /// The line that a process prints behind so many others.
    pub fn line(&mut self, player: PlayerId, number: usize) -> Result<String, Failure> {
        self.wait(GENEROUS, |stage| stage.printed(player).len() > number || stage.is_over(player));
        let nothing = || failure!("a process here prints nothing more");
        self.printed(player).get(number).cloned().ok_or_else(nothing)
    }

    /// Everything that nobody has read of a process, to its end.
    pub fn read_at_last(&mut self, player: PlayerId) -> Result<String, Failure> {
        let unread = self.players[player.0].unread.take();
        let read = unread.map(io::read_to_string).transpose();
        Ok(read.map_err(|error| failure!("what was printed is lost: {error}"))?.unwrap_or_default())
    }

    /// Waits for the end of a client that has been started, for `patience` at most.
    pub fn watch(&mut self, client: PlayerId, patience: Duration) -> Result<Visit, Failure> {
        let started = Instant::now();
        let over = self.wait(patience, |stage| stage.is_over(client));
        let took = started.elapsed();
        let status = if over { self.end_of(client)? } else { None };
        let player = &self.players[client.0];
        Ok(Visit {
            printed: player.printed.clone(),
            code: status.and_then(|status| status.code()),
            took,
            waiting: !over,
            complaint: player.wrote.iter().find(|line| line.starts_with("error")).cloned(),
        })
    }

    pub fn wait_for_end(&mut self, player: PlayerId) -> bool {
        self.wait(GENEROUS, |stage| stage.is_over(player))
    }

    /// Waits until there are so many of these lines in the server's log, and no longer than
    /// the server lives: one that ends with its only client need not log that.
    pub fn wait_for_so_many(
        &mut self,
        server: PlayerId,
        wanted: usize,
        is: impl Fn(&Event) -> bool,
    ) {
        self.wait(CALM, |stage| stage.is_over(server) || stage.count(Side::Server, &is) >= wanted);
    }

    /// Ends the server without a word: SIGKILL.
    pub fn kill(&mut self, server: PlayerId) {
        self.players[server.0].process.kill();
        self.wait_for_end(server);
    }

    pub fn ask_to_stop(&mut self, server: PlayerId) {
        self.happened(server, Time::now(), What::AskedToStop);
        self.players[server.0].process.ask_to_stop();
    }

    /// Lets a process stand still, or go on. Windows knows neither.
    pub fn let_run(&mut self, player: PlayerId, runs: bool) {
        self.say_of(player, if runs { "goes on" } else { "stands still" }.into());
        self.players[player.0].process.let_run(runs);
    }

    /// Waits for the end of a process: its exit code, where it has ended by itself.
    pub fn exit_code(&mut self, player: PlayerId) -> Result<Option<i32>, Failure> {
        self.wait_for_end(player);
        Ok(self.end_of(player)?.and_then(|status| status.code()))
    }

    /// The lines in the logs of one side, as they were seen.
    pub fn logged(&self, side: Side) -> impl Iterator<Item = &LogLine> {
        self.happenings.iter().filter_map(move |happening| match &happening.what {
            What::Logged(line) if happening.side == side => Some(line),
            _ => None,
        })
    }

    /// How many lines of the log of one side tell this.
    pub fn count(&self, side: Side, is: impl Fn(&Event) -> bool) -> usize {
        self.logged(side).filter(|line| is(&line.event())).count()
    }

    /// Whether a process has closed its output, which it does when it ends.
    pub fn is_over(&self, player: PlayerId) -> bool {
        self.players[player.0].open == 0
    }

    /// Starts the rung's program in the role of this side, with `port` as its port.
    pub fn start(
        &mut self,
        side: Side,
        cast: Cast,
        place: &Address,
        start: Start,
        stdin: Stdio,
    ) -> Result<PlayerId, Failure> {
        let Cast { ladder, rung, args } = cast;
        let role = side.role();
        let (mut outputs, mut unread) = ([Stdio::piped(), Stdio::piped()], None);
        if matches!(start, Start::Unread | Start::Deaf) {
            // Held open and not read, so that it fills.
            let pipe = io::pipe().map_err(|error| failure!("cannot make a pipe: {error}"))?;
            unread = Some(pipe.0);
            outputs[usize::from(start == Start::Unread)] = pipe.1.into();
        }
        let [stdout, stderr] = outputs;
        let user = start.user();
        let own = user.map_or_else(|| Ok(args.to_vec()), |user| self.owned(cast, user))?;
        let mut command = start.command(&ladder.program(&rung.name)?, user);
        command
            .arg(role)
            .args(place.option())
            .args(self.verbose.then_some("-v"))
            .args(own)
            .current_dir(&rung.folder)
            // The log is read here, so the person's own settings must not change it.
            .env_remove("RUST_LOG")
            .env_remove("RUST_LOG_STYLE")
            .stdin(stdin)
            .stdout(stdout)
            .stderr(stderr);
        // Without the address and -v, which are ours: the columns are narrow.
        let shown = command_line(&format!("{} {role}", rung.name), args);
        self.begin(side, &mut command, shown, unread)
    }

    /// Starts any program as one side of it.
    pub fn begin(
        &mut self,
        side: Side,
        command: &mut Command,
        shown: String,
        unread: Option<PipeReader>,
    ) -> Result<PlayerId, Failure> {
        let (id, at) = (self.players.len(), Time::now());
        let sender = self.sender.clone();
        let hear = move |heard| {
            // Fails where the stage has gone, and nobody listens any more.
            let _ = sender.send((id, heard));
        };
        let process = Process::start_heard(command, hear)?;
        self.players.push(Player {
            side,
            process,
            printed: Vec::new(),
            wrote: Vec::new(),
            open: if unread.is_some() { 1 } else { 2 },
            unread,
            last: None,
        });
        let player = PlayerId(id);
        self.happened(player, at, What::Started(shown));
        Ok(player)
    }

    /// Takes in what the processes print until `done` says so, for `limit` at most.
    pub fn wait(&mut self, limit: Duration, done: impl Fn(&Stage) -> bool) -> bool {
        let started = Instant::now();
        loop {
            if done(self) {
                return true;
            }
            // The stage has a sender itself, so the only error is the limit.
            let Ok((id, heard)) =
                self.receiver.recv_timeout(limit.saturating_sub(started.elapsed()))
            else {
                return false;
            };
            self.take_in(id, heard);
        }
    }

    fn take_in(&mut self, id: usize, heard: Heard) {
        match heard {
            Heard::Printed(line) => {
                if address(&line).is_some() && self.players[id].side == Side::Server {
                    self.happened(PlayerId(id), Time::now(), What::Ready(line.clone()));
                }
                self.players[id].printed.push(line);
            }
            Heard::Wrote(line) => match LogLine::parse(&line) {
                Some(line) => {
                    self.players[id].last = Some(line.at);
                    self.happened(PlayerId(id), line.at, What::Logged(line));
                }
                None => {
                    let now = Time::now();
                    let at = self.players[id].last.map_or(now, |last| last.later(now));
                    self.happened(PlayerId(id), at, What::Wrote(line.clone()));
                    self.players[id].wrote.push(line);
                }
            },
            Heard::Closed => self.players[id].open -= 1,
        }
    }

    fn end_of(&mut self, player: PlayerId) -> Result<Option<ExitStatus>, Failure> {
        // A process closes its output as it ends; until it can be waited for, little is left.
        let limit = if self.is_over(player) { GENEROUS } else { Duration::ZERO };
        let status = self.players[player.0].process.wait(limit)?;
        let told = match status.map(|status| status.code()) {
            Some(Some(code)) => format!("ended, exit code {code}"),
            Some(None) => "ended by a signal".into(),
            None => "goes on".into(),
        };
        self.happened(player, Time::now(), What::Ended(told));
        Ok(status)
    }

    fn happened(&mut self, player: PlayerId, at: Time, what: What) {
        let side = self.players[player.0].side;
        let happening = Happening { at, side, process: player.0, what };
        if let Some(onlooker) = &self.onlooker {
            onlooker.tell(happening.clone());
        }
        self.happenings.push(happening);
    }
}
