//! What the bot says, and the bot in a real room.

use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown as Side, TcpStream};
use std::thread;

use chat::{Chat, server};
use chat_bot::{Bot, run};
use netcore::testing::{GENEROUS, Running, Setup, Suite};

#[test]
fn it_greets_counts_and_repeats_and_says_nothing_to_what_is_not_for_it() {
    let mut bot = Bot::new("bot");
    for (line, reply) in [
        ("* bot joined", None),
        ("* ann joined", Some("hello ann, I am a bot: say !help")),
        ("ann: hello", None),
        ("ann: !echo a: b", Some("a: b")),
        ("ann: hm", None),
        ("bob: hi", None),
        ("bob: !count", Some("ann has said 3 lines")),
        ("bot: !count", None),
        ("* ann left", None),
        ("ann: !echo", None),
        ("nonsense", None),
    ] {
        assert_eq!(bot.reply(line).as_deref(), reply, "{line}");
    }
}

fn room() -> Running {
    let suite: Suite = Suite::new("", "", |listener, setup, shutdown| {
        server::serve(listener, &setup.service::<Chat>(&["--heartbeat", "10m"]), shutdown)
    });
    suite.start(Setup::default())
}

/// A person in the room.
struct Person(BufReader<TcpStream>);

impl Person {
    fn join(room: &Running, name: &str) -> Person {
        let stream = TcpStream::connect(room.address).unwrap();
        stream.set_read_timeout(Some(GENEROUS)).unwrap();
        let mut person = Person(BufReader::new(stream));
        person.say(name);
        person
    }

    fn say(&mut self, line: &str) {
        self.0.get_mut().write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    /// Reads on until this line.
    #[track_caller]
    fn hear(&mut self, wanted: &str) {
        let mut heard = Vec::new();
        while heard.last().is_none_or(|line: &String| line.trim_end() != wanted) {
            let mut line = String::new();
            let n = self.0.read_line(&mut line).unwrap_or(0);
            assert!(n > 0, "no {wanted:?} after {heard:?}");
            heard.push(line);
        }
    }
}

#[test]
fn it_joins_a_real_room_answers_and_leaves_when_the_room_ends() {
    let room = room();
    let mut ann = Person::join(&room, "ann");
    ann.hear("* ann joined");
    let stream = TcpStream::connect(room.address).unwrap();
    let bot = thread::spawn(move || run(stream, &mut Bot::new("robo")));
    ann.hear("* robo joined");
    ann.say("!echo Привет");
    ann.hear("robo: Привет");
    let _bob = Person::join(&room, "bob");
    ann.hear("robo: hello bob, I am a bot: say !help");
    room.stop();
    bot.join().unwrap().expect("it leaves in good order");
    ann.hear("* the server stops");
    ann.0.get_ref().shutdown(Side::Both).unwrap();
}

#[test]
fn a_name_that_is_taken_is_told() {
    let room = room();
    let mut ann = Person::join(&room, "ann");
    ann.hear("* ann joined");
    let error = run(TcpStream::connect(room.address).unwrap(), &mut Bot::new("ann")).unwrap_err();
    assert_eq!(error.to_string(), "somebody else has this name");
}
