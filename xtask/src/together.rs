//! Several clients at once, a column for each, and what the server is made of meanwhile.

use std::io::Write;
use std::process::{ChildStdin, Stdio};

use ladder::log_line::Event;
use ladder::manifests::Together;
use ladder::process::{GENEROUS, Held};
use ladder::screen::thousands;
use ladder::{Address, Failure, Ladder, Rung, Screen, failure};
use netfault::Transport;
use trial::live::Live;
use trial::stage::{PlayerId, Stage, Start};
use trial::timeline::{Side, Timeline};
use trial::{Cast, Faults, faults};

use crate::room::{Seen, right_replies};
use crate::scene::PATIENCE;

/// Plays what the manifest has of clients that are there together.
pub fn play(
    ladder: &Ladder,
    rung: &Rung,
    together: &Together,
    screen: &Screen,
) -> Result<Seen, Failure> {
    let live = Live::start(Timeline::new(screen, &together.members, None));
    let mut stage = Stage::new();
    stage.onlooker = Some(live.teller());
    let args = [rung.server_args.as_slice(), &together.server_args].concat();
    let cast = Cast { ladder, rung, args: &args };
    let (server, address) = stage.start_server(cast)?;
    let mut play = Play {
        rung,
        together,
        stage,
        server,
        members: Vec::new(),
        threads: 0,
        left: 0,
        halted: false,
    };
    for name in &together.members {
        play.comes(cast, name, &address)?;
    }
    let mut crowd = None;
    if let Some(fault) = &together.crowd {
        let running = faults::start(rung, faults::find(fault)?, &address)?;
        let came = together.members.len() + running.peers().len();
        play.wait(|stage| stage.count(Side::Server, is_connected) >= came)?;
        let crowd_of = thousands(running.peers().len() as f64);
        play.stage.say_of(server, format!("{crowd_of} more clients come, and are idle"));
        play.tell_threads();
        crowd = Some(running);
    }
    for step in &together.steps {
        play.step(step)?;
    }
    for number in 0..play.members.len() {
        play.leaves(number)?;
    }
    drop(crowd);
    if !play.stage.is_over(server) {
        play.stage.ask_to_stop(server);
    }
    let code = play.stage.exit_code(server)?;
    let seen = play.judge(code);
    live.finish()?;
    Ok(seen)
}

struct Play<'a> {
    rung: &'a Rung,
    together: &'a Together,
    stage: Stage,
    server: PlayerId,
    members: Vec<Member<'a>>,
    /// Those of the server, when they were last told.
    threads: u64,
    /// How many members have gone.
    left: usize,
    /// Whether the server stands still, as under a debugger.
    halted: bool,
}

struct Member<'a> {
    name: &'a str,
    player: PlayerId,
    /// Closed when it leaves.
    keyboard: Option<ChildStdin>,
    said: Vec<String>,
}

impl<'a> Play<'a> {
    fn comes(&mut self, cast: Cast, name: &'a str, address: &Address) -> Result<(), Failure> {
        let none = Cast { args: &[], ..cast };
        let player = self.stage.start(Side::Client, none, address, Start::Plain, Stdio::piped())?;
        let keyboard = Some(self.stage.keyboard(player)?);
        self.members.push(Member { name, player, keyboard, said: Vec::new() });
        let number = self.members.len() - 1;
        if self.rung.speaks().transport() == Transport::Udp {
            return Ok(());
        }
        if self.is_served(number) {
            self.wait(|stage| stage.count(Side::Server, is_connected) > number)?;
        } else {
            self.wait(|stage| stage.told(player).next().is_some())?;
            let text = "connected for the system; the server has no thread for it yet";
            self.stage.say_of(player, text.into());
        }
        self.tell_threads();
        Ok(())
    }

    /// Whether the server has a place for it.
    fn is_served(&self, number: usize) -> bool {
        !self.halted && self.together.places.is_none_or(|places| number < places + self.left)
    }

    /// Known on Linux.
    fn tell_threads(&mut self) {
        let many = self.members.len() > 1 || self.together.members.len() > 1;
        let held = Held::by(self.stage.process_id(self.server));
        let Some(Held { threads: now, .. }) = held.filter(|_| many) else { return };
        let before = std::mem::replace(&mut self.threads, now);
        let word = match before {
            0 => "has",
            before if before == now => "still has",
            _ => "now has",
        };
        self.stage.say_of(self.server, format!("the server {word} {now} threads"));
    }

    /// `ann: hello`, `ann leaves`, `ann is silent` until the server has had enough of it,
    /// `server stops`, `server halts` and `server goes on`.
    fn step(&mut self, step: &str) -> Result<(), Failure> {
        let wrong = || failure!("{}: nobody here knows how to play {step:?}", self.rung.name);
        let (name, does) = step.split_once([':', ' ']).ok_or_else(wrong)?;
        let (does, is_said) = (does.trim_start(), step[name.len()..].starts_with(':'));
        if (name, does) == ("server", "stops") {
            self.stage.ask_to_stop(self.server);
            self.stage.wait_for_end(self.server);
            return Ok(());
        }
        if name == "server" && matches!(does, "halts" | "goes on") {
            // Where nothing can stand still, each is answered at once.
            self.halted = cfg!(unix) && does == "halts";
            self.stage.let_run(self.server, does == "goes on");
            return (0..self.members.len()).try_for_each(|number| self.hears(number));
        }
        let number = self.members.iter().position(|member| member.name == name);
        let number = number.ok_or_else(wrong)?;
        match does {
            text if is_said => self.says(number, text),
            "leaves" => self.leaves(number),
            "is silent" => {
                let gone = self.gone();
                self.wait(|stage| stage.count(Side::Server, is_left) > gone)
            }
            _ => Err(wrong()),
        }
    }

    fn says(&mut self, number: usize, text: &str) -> Result<(), Failure> {
        let member = &mut self.members[number];
        member.said.push(text.into());
        let typed = member.keyboard.as_mut().map(|keyboard| writeln!(keyboard, "{text}"));
        if !matches!(typed, Some(Ok(()))) {
            return Err(failure!("{} does not read what is typed", member.name));
        }
        let (player, said) = (member.player, member.said.len());
        if self.is_served(number) {
            return self.hears(number);
        }
        self.wait(|stage| sent(stage, player) >= said)
    }

    /// Waits until it has an answer to all that it has said.
    fn hears(&mut self, number: usize) -> Result<(), Failure> {
        if self.halted {
            return Ok(());
        }
        let (player, said) = (self.members[number].player, self.members[number].said.len());
        self.wait(|stage| stage.printed(player).len() >= said || stage.is_over(player))
    }

    fn gone(&self) -> usize {
        self.stage.count(Side::Server, is_left)
    }

    /// The end of what it types is the end of it.
    fn leaves(&mut self, number: usize) -> Result<(), Failure> {
        let gone = self.gone();
        let Some(keyboard) = self.members[number].keyboard.take() else { return Ok(()) };
        drop(keyboard);
        self.stage.watch(self.members[number].player, PATIENCE)?;
        self.left += 1;
        if self.rung.speaks().transport() == Transport::Tcp {
            let here = self.members.len() - self.left;
            self.wait(|stage| stage.count(Side::Server, is_left) > gone || here == 0)?;
        }
        let next = self.together.places.map(|places| places + self.left - 1);
        match next.filter(|next| *next < self.members.len()) {
            Some(next) => self.hears(next),
            None => Ok(()),
        }
    }

    fn wait(&mut self, done: impl Fn(&Stage) -> bool) -> Result<(), Failure> {
        let server = self.server;
        match self.stage.wait(GENEROUS, |stage| stage.is_over(server) || done(stage)) {
            true => Ok(()),
            false => Err(failure!("{}: its clients do not get on", self.rung.name)),
        }
    }

    /// Whether each has heard all that it has said.
    fn judge(&self, code: Option<i32>) -> Seen {
        let mut seen = Seen::default();
        for member in &self.members {
            let heard = self.stage.printed(member.player);
            let right =
                |(said, heard): (&String, &String)| heard.strip_suffix(said.as_str()).is_some();
            let all = heard.len() == member.said.len() && member.said.iter().zip(heard).all(right);
            if !all {
                seen.complaints.push(format!("{} heard {heard:?}", member.name));
            }
        }
        if code != Some(0) && cfg!(unix) {
            seen.complaints.push("the server did not end with exit code 0".into());
        }
        let replies = right_replies(self.members.iter().map(|member| member.said.len()).sum());
        seen.good.push(match self.members.len() {
            1 => replies,
            clients => format!("{replies} to {clients} clients who were there together"),
        });
        seen
    }
}

/// How much a client has sent.
fn sent(stage: &Stage, client: PlayerId) -> usize {
    stage.told(client).filter(|what| matches!(what.event(), Event::Sending(..))).count()
}

fn is_connected(event: &Event) -> bool {
    matches!(event, Event::Connected(_))
}

fn is_left(event: &Event) -> bool {
    matches!(event, Event::Left(..))
}
