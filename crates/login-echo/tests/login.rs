//! Who is let in, and who is not: over real connections, as an attacker has them.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use login_echo::{EXPORTER, server};
use netcore::connection::Connection;
use netcore::proof::{CHALLENGE, HELLO, Login, Members, PROOF, Right, VERDICT};
use netcore::testing::{GENEROUS, Running, SHORT, Setup, Suite, Tcp, Transport, events};
use netcore::tls::{ClientSide, ServerSide, TlsStream};

mod common;

use common::{SECRETS, log_in, members};

/// Whose secret is wrong, and who is nobody.
const STRANGERS: &str = "ann ................ echo\nmallory 0123456789abcdef echo\n";

/// A server that knows `common::SECRETS`, and whom its clients believe.
struct House {
    running: Running,
    client: ClientSide,
}

impl House {
    fn open(handshake: Duration) -> House {
        House::open_after(0, handshake)
    }

    /// After so many wrong tries from here.
    fn open_after(wrong: usize, handshake: Duration) -> House {
        let side = ServerSide::made_now().unwrap();
        let client = ClientSide::knowing(side.fingerprint()).unwrap();
        let suite = Suite::new(
            "hello",
            "hello",
            move |listener: std::net::TcpListener, setup, shutdown| {
                let mut service = common::service(&setup);
                service.tls.handshake = handshake;
                let here = listener.local_addr()?.ip();
                for _ in 0..wrong {
                    service.tries.begin("mallory", here, Instant::now());
                }
                server::serve(listener, &service, &side, shutdown)
            },
        );
        House { running: suite.start(Setup::default()), client }
    }

    fn visit<T>(&self, talk: impl FnOnce(&mut TlsStream<'_>, [u8; 32]) -> T) -> T {
        visit(&self.client, TcpStream::connect(self.running.address).unwrap(), talk)
    }

    fn log_in(&self, members: &Members, name: &str) -> io::Result<()> {
        self.visit(|stream, session| log_in(stream, members, name, Right::Echo, session))
    }
}

fn visit<T>(
    client: &ClientSide,
    socket: TcpStream,
    talk: impl FnOnce(&mut TlsStream<'_>, [u8; 32]) -> T,
) -> T {
    let mut connection = Connection::of_client(socket).unwrap();
    connection.set_deadline(netcore::deadline::Deadline::after(GENEROUS));
    let mut stream = client.connect(&mut connection, "localhost").unwrap();
    let session = stream.session().exporter(EXPORTER).unwrap();
    talk(&mut stream, session)
}

/// What a client says: its hello, and what comes back to its proof.
fn say(
    stream: &mut TlsStream<'_>,
    hello: &[u8],
    mut prove: impl FnMut(&[u8; CHALLENGE]) -> [u8; PROOF],
) -> [u8; VERDICT] {
    stream.write_all(hello).unwrap();
    let mut challenge = [0; CHALLENGE];
    stream.read_exact(&mut challenge).unwrap();
    stream.write_all(&prove(&challenge)).unwrap();
    let mut verdict = [0; VERDICT];
    stream.read_exact(&mut verdict).unwrap();
    verdict
}

#[test]
fn who_has_the_secret_is_let_in_and_each_name_has_its_rights() {
    let house = House::open(GENEROUS);
    let members = members(SECRETS);
    for (name, wish, expected) in [("ann", Right::Echo, "hello"), ("bob", Right::Upper, "HELLO")] {
        house.visit(|stream, session| {
            log_in(stream, &members, name, wish, session).unwrap();
            stream.write_all(b"hello").unwrap();
            let mut reply = [0; 5];
            stream.read_exact(&mut reply).unwrap();
            assert_eq!(reply, expected.as_bytes());
        });
    }
    let denied =
        house.visit(|stream, session| log_in(stream, &members, "ann", Right::Upper, session));
    assert_eq!(denied.unwrap_err().to_string(), "this name may not do that");
}

#[test]
fn nothing_is_echoed_before_the_proof() {
    let house = House::open(GENEROUS);
    house.visit(|stream, _| {
        // A hello is longer than this: it waits for the rest.
        stream.write_all(b"hello").unwrap();
        stream.half_close().unwrap();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).unwrap();
        assert_eq!(rest, b"");
    });
}

#[test]
fn a_login_that_was_recorded_is_of_no_use() {
    let house = House::open(GENEROUS);
    let members = members(SECRETS);
    let (hello, proof) = house.visit(|stream, session| {
        let login = Login::new(members.find("ann").unwrap(), Right::Echo, session).unwrap();
        let proof = std::cell::Cell::new([0; PROOF]);
        let verdict = say(stream, login.hello(), |challenge| {
            proof.set(login.proof(challenge));
            proof.get()
        });
        assert_eq!(verdict[0], 1, "the good client is let in");
        (*login.hello(), proof.get())
    });
    assert_eq!(house.visit(|stream, _| say(stream, &hello, |_| proof)), [0; VERDICT]);
}

/// What the server says sounds like a proof: as long, and as random.
#[test]
fn the_challenge_of_the_server_is_no_proof() {
    let house = House::open(GENEROUS);
    let members = members(SECRETS);
    let verdict = house.visit(|stream, session| {
        let login = Login::new(members.find("ann").unwrap(), Right::Echo, session).unwrap();
        say(stream, login.hello(), |challenge| *challenge)
    });
    assert_eq!(verdict, [0; VERDICT]);
}

/// A server that a client has been talked into believing, and that passes on what is said
/// to the one that is meant.
#[test]
fn a_proof_that_is_passed_on_from_another_session_is_of_no_use() {
    let house = House::open(GENEROUS);
    let liar = ServerSide::made_now().unwrap();
    let fooled = ClientSide::knowing(liar.fingerprint()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (believing, server) = (house.client.clone(), house.running.address);
    thread::scope(|scope| {
        scope.spawn(move || {
            let mut connection = Connection::of_client(listener.accept().unwrap().0).unwrap();
            let mut client = liar.accept(&mut connection).unwrap();
            visit(&believing, TcpStream::connect(server).unwrap(), |stream, _| {
                let mut hello = [0; HELLO];
                client.read_exact(&mut hello).unwrap();
                let verdict = say(stream, &hello, |challenge| {
                    client.write_all(challenge).unwrap();
                    let mut proof = [0; PROOF];
                    client.read_exact(&mut proof).unwrap();
                    proof
                });
                client.write_all(&verdict).unwrap();
            });
        });
        let socket = TcpStream::connect(address).unwrap();
        let told = visit(&fooled, socket, |stream, session| {
            log_in(stream, &members(SECRETS), "ann", Right::Echo, session)
        });
        assert_eq!(told.unwrap_err().to_string(), "the name or the secret is wrong");
    });
}

/// A server that has no secret says yes to everybody.
#[test]
fn a_client_refuses_a_server_that_cannot_prove_itself() {
    let liar = ServerSide::made_now().unwrap();
    let fooled = ClientSide::knowing(liar.fingerprint()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        let mut connection = Connection::of_client(listener.accept().unwrap().0).unwrap();
        let mut client = liar.accept(&mut connection).unwrap();
        let (mut hello, mut proof) = ([0; HELLO], [0; PROOF]);
        client.read_exact(&mut hello).unwrap();
        // The client's own random number, and then its own proof.
        client.write_all(&hello[HELLO - CHALLENGE..]).unwrap();
        client.read_exact(&mut proof).unwrap();
        client.write_all(&[&[1][..], &proof].concat()).unwrap();
    });
    let socket = TcpStream::connect(address).unwrap();
    let told = visit(&fooled, socket, |stream, session| {
        log_in(stream, &members(SECRETS), "ann", Right::Echo, session)
    });
    server.join().unwrap();
    assert_eq!(told.unwrap_err().kind(), ErrorKind::InvalidData);
}

/// In bytes, and in time as far as a test can see it.
#[test]
fn a_name_that_nobody_has_and_a_wrong_secret_look_the_same() {
    /// Fewer than make anybody wait.
    const TRIES: usize = 5;
    const HOUSES: usize = 6;
    let strangers = members(STRANGERS);
    let mut took = [Vec::new(), Vec::new()];
    for _ in 0..HOUSES {
        let house = House::open(GENEROUS);
        for _ in 0..TRIES {
            for (name, took) in ["ann", "mallory"].into_iter().zip(&mut took) {
                house.visit(|stream, session| {
                    let login =
                        Login::new(strangers.find(name).unwrap(), Right::Echo, session).unwrap();
                    let started = Instant::now();
                    let verdict = say(stream, login.hello(), |challenge| login.proof(challenge));
                    took.push(started.elapsed());
                    assert_eq!(verdict, [0; VERDICT]);
                    let mut rest = Vec::new();
                    stream.read_to_end(&mut rest).unwrap();
                    assert_eq!(rest, b"");
                });
            }
        }
    }
    let [wrong, unknown] = took.map(|mut times| {
        times.sort();
        times[times.len() / 2]
    });
    assert!(wrong < unknown * 3 && unknown < wrong * 3, "{wrong:?} and {unknown:?}");
}

/// By the log, which has a time for each: ten are free, and those that follow wait.
#[test]
fn who_has_been_wrong_ten_times_waits_and_gets_in_all_the_same() {
    let house = House::open(GENEROUS);
    let (members, strangers) = (members(SECRETS), members(STRANGERS));
    let time = |members: &Members, name: &str| {
        let started = Instant::now();
        (house.log_in(members, name).is_ok(), started.elapsed())
    };
    for _ in 0..10 {
        assert!(!time(&strangers, "mallory").0);
    }
    // Its address has to wait, and with it everybody there. That a name waits wherever it
    // comes from, and another name elsewhere does not, is for the tests of the block.
    let (let_in, took) = time(&members, "ann");
    assert!(let_in && took >= Duration::from_millis(200), "{took:?}");
}

/// However short the limit on a handshake is: it is we who let it wait.
#[test]
fn who_waits_for_longer_than_a_handshake_may_take_gets_in_all_the_same() {
    let (handshake, longer) = (Duration::from_secs(3), Duration::from_millis(3200));
    let house = House::open_after(14, handshake);
    let (members, started) = (members(SECRETS), Instant::now());
    house.visit(|stream, session| {
        log_in(stream, &members, "ann", Right::Echo, session).unwrap();
        stream.write_all(b"hello").unwrap();
        stream.read_exact(&mut [0; 5]).unwrap();
    });
    assert!(started.elapsed() >= longer, "{:?}", started.elapsed());
}

/// Who has the secret does not guess.
#[test]
fn who_asks_for_more_than_its_name_may_is_not_one_who_guesses() {
    let house = House::open(GENEROUS);
    let members = members(SECRETS);
    for _ in 0..16 {
        let asked = |stream: &mut TlsStream<'_>, session| {
            log_in(stream, &members, "ann", Right::Upper, session)
        };
        assert_eq!(house.visit(asked).unwrap_err().kind(), ErrorKind::PermissionDenied);
    }
    let started = Instant::now();
    house.log_in(&members, "ann").unwrap();
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

#[test]
fn who_drags_the_login_out_is_dropped_at_the_deadline_of_the_handshake() {
    let house = House::open(SHORT);
    let members = members(SECRETS);
    house.visit(|stream, session| {
        let login = Login::new(members.find("ann").unwrap(), Right::Echo, session).unwrap();
        stream.write_all(login.hello()).unwrap();
        let mut challenge = [0; CHALLENGE];
        stream.read_exact(&mut challenge).unwrap();
        // And no proof.
        assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0);
    });
    house.log_in(&members, "ann").unwrap();
}

#[test]
fn what_is_no_hello_is_refused_and_kept_nowhere() {
    let house = House::open(GENEROUS);
    let socket = Tcp::connect(&house.running.address).unwrap();
    let peer = socket.local_addr().unwrap().to_string();
    visit(&house.client, socket, |stream, _| {
        // Far more than a hello: what follows it is not even read.
        let _ = stream.write_all(&vec![0xff; 1 << 20]);
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
        assert_eq!(rest, b"");
    });
    events::expect(&[&peer, "dropped: it says no hello that we know"]);
    house.log_in(&members(SECRETS), "bob").unwrap();
}
