//! A rung to try by hand: its server in the background, its client's prompt in front.

use std::path::Path;
use std::process::{Command, Stdio};

use ladder::process::output;
use ladder::shell::command_line;
use ladder::{Failure, Ladder, Process, Rung, Screen, Tone};
use netfault::Speaks;
use trial::timeline::Side;
use trial::{Cast, Faults, Stage};

use crate::list::find;

/// Limits that a person at a prompt would meet while thinking, and what they are here.
const PATIENT: [(&str, &str); 2] = [("--idle", "10m"), ("--total", "60m")];

/// Leaves the person at the client's prompt, then ends the server and shows its log.
/// `typed` is where the client reads: the terminal.
pub fn run(name: &str, typed: Stdio, screen: &Screen) -> Result<(), Failure> {
    let ladder = Ladder::load()?;
    let rung = find(&ladder, name)?;
    let program = ladder.program(&rung.name)?;
    // Where limits are what the rung is about, they are to be met.
    let patient = if shows_limits(rung) { Vec::new() } else { patient_args(&program)? };
    let args = [rung.server_args.clone(), patient].concat();
    let cast = Cast { ladder: &ladder, rung, args: &args };
    let (mut stage, server, address) = Stage::with_server(cast)?;
    let command = command_line(&format!("{} server", rung.name), &args);
    let place = match rung.speaks() {
        Speaks::Http | Speaks::Api => format!("http://{address}/"),
        _ => address.to_string(),
    };
    screen.prose("  ", &format!("{command} is listening on {place}"))?;
    screen.prose("  ", &screen.paint(Tone::Dim, &invitation(rung)))?;
    let mut client = Command::new(&program);
    client.arg("client").args(address.option()).args(own_args(rung)).stdin(typed);
    // Where those of its files that it is told of are found.
    client.current_dir(&rung.folder);
    let status = Process::start_in_front(&mut client)?.wait_for_person()?;
    if !stage.is_over(server) {
        stage.ask_to_stop(server);
    }
    stage.exit_code(server)?;
    screen.say(Tone::Dim, "\n  The server's side:")?;
    for line in stage.logged(Side::Server) {
        screen.hang("  ", Tone::Server, &line.message)?;
    }
    match status.success() {
        true => Ok(()),
        false => Err(Failure::new("the client has failed: see above")),
    }
}

/// What its client needs beside where: what the first run of its demo says before its messages.
fn own_args(rung: &Rung) -> &[String] {
    let Some(run) = rung.demo.first() else { return &[] };
    let messages = match rung.speaks() {
        // A name comes first.
        Speaks::Lines => run.args.len() - 1,
        _ if run.args[0].starts_with("--") => run.expect.len(),
        _ => return &[],
    };
    &run.args[..run.args.len() - messages]
}

fn invitation(rung: &Rung) -> String {
    let example = rung.demo.first().and_then(|run| run.args.get(own_args(rung).len()));
    let example = example.map_or(String::new(), |message| format!(", {message} for example"));
    let wait = match shows_limits(rung) {
        true => " Or wait: the server does not wait for ever.",
        false => "",
    };
    // Its client reads everything before it sends anything.
    if rung.serves_once() {
        return format!(
            "Lines{example}, then Enter and Ctrl-D: only then does this client send, and shows the \
             reply."
        );
    }
    format!("A line{example}, then Enter; Ctrl-D ends both.{wait}")
}

fn shows_limits(rung: &Rung) -> bool {
    rung.why.as_ref().is_some_and(|why| ["silent", "drip"].contains(&why.fault.as_str()))
}

/// Longer limits, where the server has such limits.
fn patient_args(program: &Path) -> Result<Vec<String>, Failure> {
    let help = output(Command::new(program).args(["server", "--help"]))?;
    let known =
        PATIENT.iter().filter(|(option, _)| help.split_whitespace().any(|word| word == *option));
    Ok(known.flat_map(|(option, value)| [option.to_string(), value.to_string()]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_have_ended_when_the_person_has() {
        run("threaded", Stdio::null(), &Screen::new().plain()).unwrap();
    }

    #[test]
    fn a_client_is_told_what_it_needs_and_the_example_is_a_message() {
        let ladder = Ladder::load().unwrap();
        let told = |name| {
            let rung = ladder.find(name).unwrap();
            (own_args(rung).join(" "), invitation(rung))
        };
        for (rung, args, example) in [
            ("threaded", "", "A line, hello, world! for"),
            ("chat", "ann", "A line, hello, world! for"),
            ("gossip", "--name zoe", "A line, hello, board! for"),
            ("tls", "--certs ../../target/tls-certs --as ann", "A line, hello, world! for"),
        ] {
            let (own, invitation) = told(rung);
            assert_eq!(own, args, "{rung}");
            assert!(invitation.starts_with(example), "{rung}: {invitation}");
        }
        let lines = ladder.rungs.iter().map(invitation);
        assert!(lines.clone().all(|it| !it.contains("--")), "{:?}", lines.collect::<Vec<_>>());
    }

    #[test]
    fn a_server_that_would_drop_a_person_who_thinks_is_told_to_wait() {
        let ladder = Ladder::load().unwrap();
        let args = |rung| patient_args(&ladder.program(rung).unwrap()).unwrap();
        assert_eq!(args("threaded-echo"), ["--idle", "10m", "--total", "60m"]);
        assert_eq!(args("udp-echo"), [""; 0]);
    }
}
