//! The end of a conversation is a word of the protocol: without it, somebody has cut it.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::Output;
use std::thread;

use netcore::client::exchange;
use netcore::connection::Connection;
use netcore::testing::{GENEROUS, Setup, events};
use netcore::tls::{ClientSide, Folder, ServerSide, Session};

mod common;

use common::program::{Server, assert_refused, run};

/// Each way: far more than any buffer on the way.
const LARGE: usize = 64 << 20;

/// What a server may have at most, of which its program is a part. Each of the two
/// directions has as much as this twice over.
const MOST_KIB: usize = 48 << 10;

#[test]
fn an_end_without_a_goodbye_is_taken_for_a_cut() {
    let server = common::suite("hello", "hello", &[]).start(Setup::default());
    let mut client = server.connect();
    client.assert_served();
    let peer = client.peer().to_string();
    // The stream of TCP ends in good order: only that of TLS does not.
    client.stream().socket().shutdown(Shutdown::Write).unwrap();
    events::expect(&[&peer, "dropped: cut off: the stream ended without close_notify"]);
}

/// The server says goodbye in its turn: its client would take the end for a cut.
#[test]
fn who_says_goodbye_hears_the_reply_and_a_goodbye() {
    let server = common::suite("hello", "hello", &[]).start(Setup::default());
    let mut client = server.connect();
    client.ask();
    client.half_close();
    client.assert_answered();
    client.assert_ends();
    let peer = client.peer().to_string();
    events::expect(&[&peer, "closed"]);
}

/// What a client says whose server answers its one message and then does `last`.
fn client_of(last: fn(Session, Connection)) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let certs = folder.path().join("certs");
    Folder::at(&certs).make(&[]).unwrap();
    let side = ServerSide::from_folder(&Folder::at(&certs)).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let server = thread::spawn(move || {
        let mut connection = Connection::of_client(listener.accept().unwrap().0).unwrap();
        let mut session = side.session().unwrap();
        session.handshake(&mut connection).unwrap();
        let n = session.read(&mut connection, &mut [0; 64]).unwrap();
        session.write(&mut connection, &[io::IoSlice::new(&b"hello"[..n])]).unwrap();
        last(session, connection);
    });
    let certs = certs.to_str().unwrap();
    let client = run(&["client", "--port", &port, "--certs", certs, "hello"]);
    server.join().unwrap();
    client
}

/// A server that is cut off in the middle of a reply: half an answer is none.
#[test]
fn a_client_whose_server_is_cut_off_says_so() {
    // Without a goodbye, as somebody on the way would have it; and without the reset that a
    // close may be.
    let client = client_of(|_, mut connection| {
        connection.get_ref().shutdown(Shutdown::Write).unwrap();
        io::copy(&mut connection, &mut io::sink()).unwrap();
    });
    assert_eq!(client.stdout, b"hello\n");
    assert_refused(&Output { stdout: Vec::new(), ..client }, "cut off");
}

/// A last word that nobody has asked for is no good end.
#[test]
fn a_client_whose_server_goes_on_talking_says_so() {
    let client = client_of(|mut session, mut connection| {
        // The client has its reply and says goodbye.
        assert_eq!(session.read(&mut connection, &mut [0; 64]).unwrap(), 0);
        session.write(&mut connection, &[io::IoSlice::new(b"and another thing")]).unwrap();
        session.end(&mut connection).unwrap();
    });
    assert_eq!(client.stdout, b"hello\n");
    let told = String::from_utf8_lossy(&client.stderr);
    assert!(told.contains("end the conversation: more came than was asked for"), "{told}");
    assert_eq!(client.status.code(), Some(1));
}

#[test]
fn much_goes_both_ways_at_once_and_the_server_does_not_grow() {
    // Before there is anybody who would wait for it.
    let message: Vec<u8> = (0..LARGE).map(|i| (i / 251) as u8).collect();
    let folder = tempfile::tempdir().unwrap();
    let certs = folder.path().join("certs");
    Folder::at(&certs).make(&[]).unwrap();
    let server = Server::with(&certs, &[]);
    let side = ClientSide::from_folder(&Folder::at(&certs)).unwrap();
    let socket = TcpStream::connect(format!("127.0.0.1:{}", server.port)).unwrap();
    socket.set_read_timeout(Some(GENEROUS)).unwrap();
    let mut connection = Connection::of_client(socket).unwrap();
    let mut stream = side.connect(&mut connection, "localhost").unwrap();
    assert!(exchange(&mut stream, &message).unwrap() == message);
    stream.finish().unwrap();
    if let Some(most) = most_memory(server.id()) {
        assert!(most < MOST_KIB, "{most} KiB");
    }
}

/// The most that a process has had in memory, in KiB, where the system tells.
fn most_memory(id: u32) -> Option<usize> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The plain stream of a test, which nobody encrypts.
#[test]
fn bytes_that_nobody_has_encrypted_end_the_conversation_and_nothing_else() {
    let server = common::suite("hello", "hello", &[]).start(Setup::default());
    let mut client = server.connect();
    client.assert_served();
    let peer = client.peer().to_string();
    let mut socket = client.stream().socket().try_clone().unwrap();
    let forged = [&[23, 3, 3, 0, 32][..], &[7; 32]].concat();
    socket.write_all(&forged).unwrap();
    events::expect(&[&peer, "dropped: "]);
    let mut rest = Vec::new();
    // An alert comes, which this end cannot read any more.
    let _ = socket.read_to_end(&mut rest);
    server.assert_serves();
}
