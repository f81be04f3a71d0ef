//! What the store answers.

use std::io::BufReader;
use std::net::TcpStream;
use std::thread;

use key_value::client;
use netcore::connection::Connection;
use netcore::frame::Framing;
use netcore::testing::{Running, Setup};

extern crate key_value as framed_echo;

#[path = "../../../../crates/framed-echo/tests/suite/mod.rs"]
mod suite;

const FRAMING: Framing = Framing { ascii_header: false, max_message: 64 << 10 };

fn start(options: &'static [&'static str]) -> Running {
    suite::suite(options).start(Setup::default())
}

struct Client(BufReader<Connection>);

impl Client {
    fn of(server: &Running) -> Client {
        let stream = TcpStream::connect(server.address).unwrap();
        Client(BufReader::new(Connection::of_client(stream).unwrap()))
    }

    fn ask(&mut self, text: &str) -> String {
        client::exchange(&mut self.0, text.as_bytes(), &FRAMING).unwrap()
    }

    #[track_caller]
    fn expect(&mut self, text: &str, reply: &str) {
        assert_eq!(self.ask(text), reply, "{text}");
    }
}

#[test]
fn one_client_finds_what_another_one_has_set() {
    let server = start(&[]);
    let (mut one, mut other) = (Client::of(&server), Client::of(&server));
    one.expect("set colour deep blue", "ok");
    other.expect("get colour", "deep blue");
    other.expect("set shape кружок", "ok");
    one.expect("names", "colour shape");
    one.expect("take colour", "deep blue");
    other.expect("get colour", "error: there is no such name");
    one.expect("get", "error: there is no such name");
    one.expect("sing", "error: set NAME TEXT, get NAME, take NAME or names");
}

#[test]
fn a_text_is_taken_once_however_many_ask_for_it() {
    let server = start(&[]);
    for round in 0..50 {
        Client::of(&server).expect(&format!("set task {round}"), "ok");
        let replies = thread::scope(|scope| {
            let askers: Vec<_> =
                (0..4).map(|_| scope.spawn(|| Client::of(&server).ask("take task"))).collect();
            askers.into_iter().map(|asker| asker.join().unwrap()).collect::<Vec<_>>()
        });
        let taken = replies.iter().filter(|reply| **reply == round.to_string()).count();
        assert_eq!(taken, 1, "{replies:?}");
    }
}

#[test]
fn the_largest_text_that_can_be_set_can_be_taken() {
    let server = start(&[]);
    let mut client = Client::of(&server);
    let text = "x".repeat(FRAMING.max_message - "set a ".len());
    client.expect(&format!("set a {text}"), "ok");
    client.expect("take a", &text);
}

#[test]
fn what_a_client_can_make_the_server_hold_is_bounded() {
    let server = start(&["--max-entries", "2", "--max-message", "64"]);
    let mut client = Client::of(&server);
    let (one, other) = ("a".repeat(40), "b".repeat(40));
    client.expect(&format!("set {one} 1"), "ok");
    client.expect(&format!("set {other} 1"), "ok");
    client.expect("set third 1", "error: there are 2 texts already");
    client.expect(&format!("set {other} 2"), "ok");
    client.expect("names", "error: 81 bytes of names are over the limit");
}
