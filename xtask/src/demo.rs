//! Plays rungs: a real server and its clients, why the rung exists, and what is still
//! wrong with it.

use std::time::Duration;

use ladder::manifests::RESERVED;
use ladder::screen::{fit, progress};
use ladder::shell::command_line;
use ladder::{Failure, Ladder, Rung, Screen, Tone, failure};
use netfault::Fault;
use trial::stage::Visit;
use trial::{Cast, Expected, Faults};

use crate::room::Seen;
use crate::scene::Scene;
use crate::{faults, list, nodes, package, releases, room, scene, together};

/// From one line to the next where a person looks on, so that an eye can follow.
const PACE: Duration = Duration::from_millis(200);

pub fn run(
    name: Option<&str>,
    options: &scene::Options,
    pace: Option<Duration>,
    screen: &Screen,
) -> Result<(), Failure> {
    // The whole ladder is not for an eye, unless it is asked for.
    let slow = screen.moves && screen.colours && name.is_some_and(|name| name != "all");
    let pace = pace.unwrap_or(if slow { PACE } else { Duration::ZERO });
    let screen = &Screen { pace, ..*screen };
    let ladder = trial::load()?;
    if options.ask_for_something() && name.is_none_or(|name| ladder.find(name).is_none()) {
        return Err(Failure::Usage(
            "a fault, a network and a drawing are for one rung: give its name".into(),
        ));
    }
    match name {
        None | Some("all") => all(&ladder, screen),
        // No rung can be called so.
        Some(name) if RESERVED.contains(&name) => {
            package::run(name, if screen.colours { &[] } else { &["--plain"] })
        }
        Some(name) => {
            let rung = list::find(&ladder, name)?;
            if options.ask_for_something() {
                return scene::run(&ladder, rung, options, screen);
            }
            let complaints = play(&ladder, rung, screen)?;
            by_hand(rung, screen)?;
            what_next(&ladder, rung, screen)?;
            match complaints.is_empty() {
                true => Ok(()),
                false => Err(failure!("{}: not everything was as expected", rung.name)),
            }
        }
    }
}

/// What one machine is too few for: `omnichannel` on three servers of NATS.
pub fn of_engine(name: Option<&str>, plain: bool) -> Result<(), Failure> {
    let ladder = Ladder::load()?;
    match name.and_then(|name| ladder.find(name)) {
        Some(rung) if rung.name == "omnichannel" => {
            package::run("scale", &["--drafts", "--plain"][..if plain { 2 } else { 1 }])
        }
        _ => {
            Err(Failure::Usage("an engine is for omni: cargo xtask demo omni --engine nats".into()))
        }
    }
}

fn all(ladder: &Ladder, screen: &Screen) -> Result<(), Failure> {
    let mut wrong = Vec::new();
    for rung in &ladder.rungs {
        match play(ladder, rung, screen) {
            Ok(complaints) if complaints.is_empty() => {}
            Ok(_) => wrong.push(rung.name.as_str()),
            Err(Failure::Message(message)) => {
                screen.prose("  ", &screen.paint(Tone::Bad, &message))?;
                wrong.push(rung.name.as_str());
            }
            Err(failure) => return Err(failure),
        }
        screen.line("")?;
    }
    if wrong.is_empty() {
        let text =
            format!("All {} rungs did what their manifests say of them.", ladder.rungs.len());
        return screen.say(Tone::Good, &text);
    }
    Err(failure!(
        "{} of {} rungs did not do what their manifests say of them: {}",
        wrong.len(),
        ladder.rungs.len(),
        wrong.join(", ")
    ))
}

/// What to type to do the same without us.
fn by_hand(rung: &Rung, screen: &Screen) -> Result<(), Failure> {
    let Some(run) = rung.demo.first() else { return Ok(()) };
    screen.line("\n  By hand, in two terminals:")?;
    // The demo runs in the rung's folder, and a person types this at the root.
    let from_root = |arg: &String| match arg.strip_prefix("../../") {
        Some(from_root) => from_root.into(),
        None if !arg.starts_with(['-', '/']) && rung.folder.join(arg).is_dir() => {
            format!("crates/{}/{arg}", rung.name)
        }
        None => arg.clone(),
    };
    let role = if rung.nodes.is_empty() { "server" } else { "node" };
    let commands = [("certs", &rung.certs), (role, &rung.server_args), ("client", &run.args)];
    let none = usize::from(rung.certs.is_empty());
    commands.into_iter().skip(none).try_for_each(|(role, args)| {
        let args: Vec<String> = args.iter().map(from_root).collect();
        // Nothing breaks a command: it can be pasted into any shell.
        screen.line(&command_line(&format!("    cargo run -p {} -- {role}", rung.name), &args))
    })
}

/// The rung that lifts the limit that was seen, and the next one.
fn what_next(ladder: &Ladder, rung: &Rung, screen: &Screen) -> Result<(), Failure> {
    let after = ladder.rungs.iter().skip_while(|other| other.name != rung.name).nth(1);
    let lifts = rung.limits.first().and_then(|limit| ladder.find(&limit.lifted_by));
    let further = rung.limits.len().saturating_sub(1);
    let mut told = Vec::new();
    if let Some(next) = after {
        let same = lifts.is_some_and(|lifts| lifts.name == next.name);
        let words = if same { "the next rung, which lifts that limit" } else { "the next rung" };
        told.push((format!("demo {}", next.alias), words.to_string()));
    }
    if let Some(lifts) = lifts.filter(|it| after.is_none_or(|after| after.name != it.name)) {
        told.push((format!("demo {}", lifts.alias), "the one that lifts that limit".into()));
    }
    if rung.builds_on.is_some() {
        told.push((format!("diff {}", rung.alias), "what is new in the code".into()));
    }
    if further > 0 {
        told.push((format!("faults {}", rung.alias), format!("{further} more of its limits")));
    }
    screen.line("\n  Next:")?;
    let wide = told.iter().map(|(command, _)| command.len()).max().unwrap_or(0);
    for (command, words) in told {
        let command = fit(&command, wide + 2);
        screen.hang(&format!("    cargo xtask {command}"), Tone::Dim, &words)?;
    }
    Ok(())
}

struct Demo<'a> {
    ladder: &'a Ladder,
    rung: &'a Rung,
    screen: &'a Screen,
    seen: Seen,
}

/// Shows everything and returns what was not as expected.
fn play(ladder: &Ladder, rung: &Rung, screen: &Screen) -> Result<Vec<String>, Failure> {
    ladder.program(&rung.name)?;
    screen.title(&format!("{}: {}", rung.name, rung.title))?;
    let mut demo = Demo { ladder, rung, screen, seen: Seen::default() };
    match &rung.together {
        Some(room) if room.deaf.is_some() => demo.take(room::play(ladder, rung, room, screen)?)?,
        Some(together) => demo.take(together::play(ladder, rung, together, screen)?)?,
        None if !rung.nodes.is_empty() => demo.take(nodes::play(ladder, rung, screen)?)?,
        None => demo.conversation()?,
    }
    if let Some(releases) = &rung.releases {
        demo.take(releases::play(ladder, rung, releases, screen)?)?;
    }
    demo.why()?;
    demo.limits()?;
    demo.verdict()?;
    Ok(demo.seen.complaints)
}

impl Demo<'_> {
    fn take(&mut self, seen: Seen) -> Result<(), Failure> {
        for complaint in seen.complaints {
            self.complain(complaint)?;
        }
        self.seen.good.extend(seen.good);
        Ok(())
    }

    fn conversation(&mut self) -> Result<(), Failure> {
        let rung = self.rung;
        let Scene { visits, curl, code, .. } = scene::main(self.ladder, rung, self.screen)?;
        self.screen.line("")?;
        let mut replies = 0;
        for (run, visit) in rung.curl.iter().zip(&curl) {
            replies += self.compare("curl", &run.expect, visit)?;
        }
        for (number, (run, visit)) in rung.demo.iter().zip(&visits).enumerate() {
            replies += self.compare(&scene::client(rung, number), &run.expect, visit)?;
        }
        self.seen.good.extend((replies > 0).then(|| room::right_replies(replies)));
        // Windows has no SIGTERM: a server that would go on is ended there, and no exit code of
        // its own is left.
        let by_signal = code.is_none() && self.rung.limit("stop-while-idle").is_some();
        if code != Some(0) && !by_signal && (cfg!(unix) || self.rung.serves_once()) {
            let text = match code {
                Some(code) => format!("the server ended with exit code {code}, not 0"),
                None => "the server did not end by itself".into(),
            };
            self.complain(text)?;
        }
        Ok(())
    }

    /// How many right replies there were.
    fn compare(&mut self, who: &str, expect: &[String], visit: &Visit) -> Result<usize, Failure> {
        let quoted = |lines: &[String]| match lines {
            [] => "nothing".to_string(),
            lines => lines.iter().map(|line| format!("{line:?}")).collect::<Vec<_>>().join(", "),
        };
        if visit.printed == expect && visit.code == Some(0) {
            let good = self.screen.paint(Tone::Good, "as expected");
            self.screen.prose("  ", &format!("{who} printed {}, {good}", quoted(expect)))?;
            return Ok(expect.len());
        }
        if visit.printed != expect {
            self.complain(format!("{who} printed something else"))?;
            self.screen.line(&format!("    expected  {}", quoted(expect)))?;
            self.screen.line(&format!("    got       {}", quoted(&visit.printed)))?;
        }
        let ended = match (visit.waiting, visit.code) {
            (true, _) => format!("was still waiting after {} s", scene::PATIENCE.as_secs()),
            (false, Some(0)) => return Ok(0),
            (false, Some(code)) => format!("ended with exit code {code}"),
            (false, None) => "was ended by a signal".into(),
        };
        self.complain(format!("{who} {ended}"))?;
        Ok(0)
    }

    fn why(&mut self) -> Result<(), Failure> {
        let Some(below) = &self.rung.builds_on else { return Ok(()) };
        let Some(why) = &self.rung.why else { return Ok(()) };
        let fault = trial::faults::find(&why.fault)?;
        let below = self.ladder.rung(below)?;
        self.heading("Why this rung exists", fault)?;
        self.trial(below, &why.below_args, fault, Expected::Fails)?;
        self.trial(self.rung, &why.server_args, fault, Expected::Survives)?;
        self.seen.good.push(format!("{} survives what {} does not", self.rung.name, below.name));
        Ok(())
    }

    fn limits(&mut self) -> Result<(), Failure> {
        let Some(first) = self.rung.limits.first() else { return Ok(()) };
        let fault = trial::faults::find(&first.fault)?;
        self.heading("Still wrong here", fault)?;
        // As in the matrix; those of the demo are added by every trial.
        let args = self.rung.args_for(fault).split_off(self.rung.server_args.len());
        self.trial(self.rung, &args, fault, Expected::Fails)?;
        self.seen.good.push("the limit is still there".into());
        self.told(&first.lifted_by, Tone::Plain, "lifts it")
    }

    fn heading(&self, what: &str, fault: &Fault) -> Result<(), Failure> {
        self.screen.line("")?;
        let what = self.screen.paint(Tone::Bold, &format!("{what}:"));
        self.screen.prose("  ", &format!("{what} {} ({})", fault.about, fault.name))
    }

    fn trial(
        &mut self,
        rung: &Rung,
        args: &[String],
        fault: &'static Fault,
        expected: Expected,
    ) -> Result<(), Failure> {
        let all = [rung.server_args.as_slice(), args].concat();
        let cast = Cast { ladder: self.ladder, rung, args: &all };
        // A build has words of its own, on a line of its own.
        self.ladder.program(&rung.name)?;
        // Whoever is served in vain is watched for a while.
        progress(&format!("    {} is tried ...", rung.name));
        let cell = faults::play_one(cast, fault, expected);
        progress("");
        let cell = cell?;
        let with = match cell.seen {
            "not here" => "not to be seen here: ".into(),
            _ if args.is_empty() => String::new(),
            _ => command_line("with", args) + ": ",
        };
        self.told(&rung.name, cell.tone(), &format!("{with}{}", cell.story))?;
        if cell.as_expected { Ok(()) } else { self.complain(cell.told()) }
    }

    /// A rung and what is to be said of it, in two columns.
    fn told(&self, name: &str, tone: Tone, text: &str) -> Result<(), Failure> {
        let names = self.ladder.rungs.iter().map(|rung| rung.name.len()).max().unwrap_or(0);
        self.screen.hang(&format!("    {}", fit(name, names + 2)), tone, text)
    }

    fn complain(&mut self, what: String) -> Result<(), Failure> {
        self.screen
            .prose("  ", &self.screen.paint(Tone::Bad, &format!("NOT AS EXPECTED: {what}")))?;
        self.seen.complaints.push(what);
        Ok(())
    }

    /// The last line: whether everything expected was seen, in words.
    fn verdict(&self) -> Result<(), Failure> {
        self.screen.line("")?;
        if self.seen.complaints.is_empty() {
            let good = self.screen.paint(Tone::Good, "Everything expected was seen:");
            return self.screen.prose("  ", &format!("{good} {}.", self.seen.good.join("; ")));
        }
        let bad = self.screen.paint(Tone::Bad, "Not everything was as expected:");
        self.screen.prose("  ", &format!("{bad} {}.", self.seen.complaints.join("; ")))
    }
}
