//! The server in the test's own process, on a port of its own.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown as Side, SocketAddr, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use framed_echo::{Framing, Options, client, server};
use netcore::frame::{self, Header};
use netcore::listen;
use netcore::shutdown::{DRAIN, Shutdown};
use socket2::SockRef;

/// Ends a test that would otherwise hang; no correct run comes near it.
const GENEROUS: Duration = Duration::from_secs(30);

/// Beyond [`GENEROUS`], so that a server which waits for its own limit is told from one
/// that ends at once.
const FAR: Duration = Duration::from_secs(600);

/// Of the longest messages, which is 64 MiB: more than all the buffers on the way hold.
const DEAF_MESSAGES: usize = 1024;

/// Short beside [`GENEROUS`], so that a limit which did not work could not be mistaken
/// for a slow machine.
const SHORT: Duration = Duration::from_millis(300);

const BINARY: Framing = Framing { ascii_header: false, max_message: 64 << 10 };

const ASCII: Framing = Framing { ascii_header: true, ..BINARY };

/// Limits that no test comes near unless it sets its own.
const OPTIONS: Options = Options {
    upper: false,
    greeting: None,
    framing: BINARY,
    accept_timeout: None,
    idle: FAR,
    total: FAR,
};

/// A server that is told to stop and waited for on every way out of a test.
struct Running {
    address: SocketAddr,
    shutdown: Shutdown,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Running {
    fn start(options: Options) -> Running {
        let shutdown = Shutdown::new(DRAIN).unwrap();
        let listener = listen::tcp("127.0.0.1", 0).unwrap();
        let address = listener.local_addr().unwrap();
        let handle = shutdown.clone();
        let thread = Some(thread::spawn(move || server::serve(listener, &options, &handle)));
        Running { address, shutdown, thread }
    }

    fn connect(&self) -> TcpStream {
        connect(self.address)
    }

    /// The promise after every fault: an ordinary client is served.
    #[track_caller]
    fn assert_serves(&self) {
        assert_eq!(exchange(&self.connect(), "next", &BINARY).unwrap(), answer("next"));
    }

    fn stop(mut self) -> io::Result<()> {
        self.shutdown.stop();
        self.thread.take().unwrap().join().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shutdown.stop();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What the server answers without options: an echo. Whoever changes `reply` in the
/// server changes this with it.
fn answer(message: &str) -> String {
    message.into()
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(GENEROUS)).unwrap();
    stream.set_write_timeout(Some(GENEROUS)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// One exchange on a connection that has no other in flight, so that nothing is read
/// ahead and lost.
fn exchange(stream: &TcpStream, message: &str, framing: &Framing) -> io::Result<String> {
    client::exchange(&mut client::buffered(stream), message.as_bytes(), framing)
}

fn framed(messages: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for message in messages {
        frame::write(&mut bytes, Header::Binary, usize::MAX, message.as_bytes()).unwrap();
    }
    bytes
}

/// Reads to the end, which a server that drops its client with bytes unread makes a
/// reset.
#[track_caller]
fn assert_closed_without_a_word(mut stream: &TcpStream) {
    let mut said = Vec::new();
    match stream.read_to_end(&mut said) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}"),
    }
    assert_eq!(said, b"");
}

#[test]
fn several_messages_on_one_connection_each_get_their_reply() {
    let server = Running::start(OPTIONS);
    let stream = server.connect();
    let mut stream = client::buffered(&stream);
    for message in ["hello", "", "Привет, сервер!"] {
        assert_eq!(
            client::exchange(&mut stream, message.as_bytes(), &BINARY).unwrap(),
            answer(message)
        );
    }
}

#[test]
fn upper_case_leaves_everything_but_ascii_letters_as_it_was() {
    let server = Running::start(Options { upper: true, ..OPTIONS });
    assert_eq!(exchange(&server.connect(), "hello, мир! ß", &BINARY).unwrap(), "HELLO, мир! ß");
}

#[test]
fn a_message_larger_than_every_buffer_on_the_way_comes_back_whole() {
    let message: String = ('a'..='z').cycle().take(32 << 20).collect();
    let reply = answer(&message);
    let framing = Framing { max_message: message.len().max(reply.len()), ..BINARY };
    let server = Running::start(Options { framing: framing.clone(), ..OPTIONS });
    assert!(exchange(&server.connect(), &message, &framing).unwrap() == reply);
}

#[test]
fn a_message_that_is_split_at_any_byte_gets_one_reply() {
    let server = Running::start(OPTIONS);
    let (first, second) = (framed(&["first"]), framed(&["второе"]));
    let (first_reply, second_reply) = (framed(&[&answer("first")]), framed(&[&answer("второе")]));
    let mut stream = server.connect();
    for split in 0..=second.len() {
        // One write, so once the server has answered the first message it has this part of the
        // second as well.
        stream.write_all(&[&first, &second[..split]].concat()).unwrap();
        let mut reply = vec![0; first_reply.len()];
        stream.read_exact(&mut reply).unwrap();
        assert_eq!(reply, first_reply);
        stream.write_all(&second[split..]).unwrap();
        let mut reply = vec![0; second_reply.len()];
        stream.read_exact(&mut reply).unwrap();
        assert_eq!(reply, second_reply, "split at {split}");
    }
}

#[test]
fn messages_that_arrive_together_are_answered_one_by_one_in_order() {
    let server = Running::start(OPTIONS);
    let messages = ["one", "", "two", "три", "four"];
    let mut stream = server.connect();
    stream.write_all(&framed(&messages)).unwrap();
    stream.shutdown(Side::Write).unwrap();
    let mut replies = Vec::new();
    stream.read_to_end(&mut replies).unwrap();
    assert_eq!(replies, messages.map(|message| framed(&[&answer(message)])).concat());
}

#[test]
fn a_message_that_is_cut_at_any_byte_gets_no_reply() {
    let server = Running::start(OPTIONS);
    let whole = framed(&["hello"]);
    for cut in 0..whole.len() {
        let mut stream = server.connect();
        stream.write_all(&whole[..cut]).unwrap();
        stream.shutdown(Side::Write).unwrap();
        assert_closed_without_a_word(&stream);
    }
    server.assert_serves();
}

#[test]
fn a_length_over_the_limit_is_refused_without_waiting_for_the_message() {
    let server = Running::start(OPTIONS);
    for length in [BINARY.max_message as u32 + 1, u32::MAX] {
        let mut stream = server.connect();
        stream.write_all(&length.to_be_bytes()).unwrap();
        assert_closed_without_a_word(&stream);
    }
    server.assert_serves();
}

#[test]
fn text_that_is_not_utf8_is_refused() {
    let server = Running::start(OPTIONS);
    let mut stream = server.connect();
    stream.write_all(b"\0\0\0\x03a\xffz").unwrap();
    assert_closed_without_a_word(&stream);
    server.assert_serves();
}

#[test]
fn the_header_of_the_tutorial_is_read_and_written() {
    let server = Running::start(Options { framing: ASCII, ..OPTIONS });
    let mut stream = server.connect();
    stream.write_all("5         hello7         мир!".as_bytes()).unwrap();
    stream.shutdown(Side::Write).unwrap();
    let mut replies = String::new();
    stream.read_to_string(&mut replies).unwrap();
    let framed = |reply: String| format!("{:<10}{reply}", reply.len());
    assert_eq!(replies, [answer("hello"), answer("мир!")].map(framed).concat());
    assert_eq!(exchange(&server.connect(), "hello", &ASCII).unwrap(), answer("hello"));
}

#[test]
fn a_header_that_is_no_length_is_refused() {
    let server = Running::start(Options { framing: ASCII, ..OPTIONS });
    for header in ["GET / HTTP", "-1        ", "          "] {
        let mut stream = server.connect();
        stream.write_all(header.as_bytes()).unwrap();
        assert_closed_without_a_word(&stream);
    }
    assert_eq!(exchange(&server.connect(), "next", &ASCII).unwrap(), answer("next"));
}

#[test]
fn a_length_in_characters_is_refused_where_it_cuts_one_in_half() {
    let server = Running::start(Options { framing: ASCII, ..OPTIONS });
    let mut stream = server.connect();
    stream.write_all("7         Привет!".as_bytes()).unwrap();
    assert_closed_without_a_word(&stream);
}

#[test]
fn a_greeting_comes_before_the_client_has_sent_anything() {
    let server = Running::start(Options { greeting: Some("Welcome!".into()), ..OPTIONS });
    for _ in 0..2 {
        let stream = server.connect();
        let mut stream = client::buffered(&stream);
        assert_eq!(client::greeting(&mut stream, &BINARY).unwrap(), "Welcome!");
        assert_eq!(client::exchange(&mut stream, b"hello", &BINARY).unwrap(), answer("hello"));
    }
}

#[test]
fn the_client_keeps_what_it_has_read_ahead() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let stream = connect(listener.local_addr().unwrap());
    let (mut server, _) = listener.accept().unwrap();
    // All three in one segment: the greeting and the replies to messages that are still to
    // come.
    server.write_all(&framed(&["greeting", "one", "two"])).unwrap();
    let mut stream = client::buffered(&stream);
    assert_eq!(client::greeting(&mut stream, &BINARY).unwrap(), "greeting");
    assert_eq!(client::exchange(&mut stream, b"1", &BINARY).unwrap(), "one");
    assert_eq!(client::exchange(&mut stream, b"2", &BINARY).unwrap(), "two");
}

#[test]
fn the_client_does_not_trust_its_server_either() {
    for (said, kind) in [
        (&b""[..], ErrorKind::UnexpectedEof),
        (b"\0\0\0\x05hell", ErrorKind::UnexpectedEof),
        (b"\xff\xff\xff\xff", ErrorKind::InvalidData),
        (b"\0\0\0\x01\xff", ErrorKind::InvalidData),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = connect(listener.local_addr().unwrap());
        listener.accept().unwrap().0.write_all(said).unwrap();
        let error = client::greeting(&mut client::buffered(&stream), &BINARY).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
    }
}

#[test]
fn a_message_over_the_limit_is_not_even_sent() {
    let server = Running::start(OPTIONS);
    let stream = server.connect();
    let refused = exchange(&stream, "too long", &Framing { max_message: 5, ..BINARY }).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidData);
    assert_eq!(exchange(&stream, "hello", &BINARY).unwrap(), answer("hello"));
}

#[test]
fn a_client_that_half_closes_gets_its_reply_and_then_the_end_of_the_stream() {
    let server = Running::start(OPTIONS);
    let mut stream = server.connect();
    stream.write_all(&framed(&["last words"])).unwrap();
    stream.shutdown(Side::Write).unwrap();
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).unwrap();
    assert_eq!(reply, framed(&[&answer("last words")]));
}

#[test]
fn a_client_that_hangs_up_midway_does_not_stop_the_server() {
    let server = Running::start(OPTIONS);
    let mut rude = server.connect();
    rude.write_all(&framed(&["half a message"])[..8]).unwrap();
    // Closing becomes a reset: the server's next read or write fails.
    SockRef::from(&rude).set_linger(Some(Duration::ZERO)).unwrap();
    drop(rude);
    server.assert_serves();
}

#[test]
fn a_stop_ends_the_server_while_it_waits_for_a_client() {
    let server = Running::start(OPTIONS);
    server.stop().unwrap();
}

#[test]
fn a_stop_ends_the_server_while_it_waits_for_the_rest_of_a_message() {
    let server = Running::start(OPTIONS);
    let mut stream = server.connect();
    // Once the first message is answered, the server is known to have the beginning of the
    // second.
    stream.write_all(&[framed(&["whole"]), framed(&["cut"])[..5].to_vec()].concat()).unwrap();
    let mut reply = framed(&[&answer("whole")]);
    stream.read_exact(&mut reply).unwrap();
    let address = server.address;
    server.stop().unwrap();
    assert_closed_without_a_word(&stream);
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn a_silent_client_is_dropped_and_the_next_one_served() {
    let server = Running::start(Options { idle: SHORT, ..OPTIONS });
    let silent = server.connect();
    server.assert_serves();
    assert_closed_without_a_word(&silent);
}

#[test]
fn a_client_that_drips_one_message_is_dropped_at_the_idle_limit() {
    let server = Running::start(Options { idle: SHORT, ..OPTIONS });
    let mut dripping = server.connect();
    dripping.write_all(&60_000_u32.to_be_bytes()).unwrap();
    let started = Instant::now();
    // The pause is the fault itself: a byte now and then. It ends when the server has
    // closed the connection.
    while dripping.write_all(b".").is_ok() {
        assert!(started.elapsed() < GENEROUS);
        thread::sleep(SHORT / 10);
    }
    server.assert_serves();
}

#[test]
fn a_client_that_drips_messages_within_the_idle_limit_is_dropped_at_the_total_one() {
    let server = Running::start(Options { total: SHORT, ..OPTIONS });
    let dripping = server.connect();
    let started = Instant::now();
    // The pause is the fault itself, as above.
    while exchange(&dripping, ".", &BINARY).is_ok() {
        assert!(started.elapsed() < GENEROUS);
        thread::sleep(SHORT / 10);
    }
    server.assert_serves();
}

#[test]
fn a_client_that_never_reads_is_dropped() {
    let server = Running::start(Options { idle: SHORT, ..OPTIONS });
    let mut deaf = server.connect();
    let message = framed(&[&"x".repeat(BINARY.max_message)]);
    // The server's replies fill every buffer on the way, and then it closes the connection.
    // With replies that are too short for that, as a copy of this rung may have, nobody
    // would be dropped, and this not end.
    let dropped = (0..DEAF_MESSAGES).any(|_| deaf.write_all(&message).is_err());
    assert!(dropped, "every message was taken");
    server.assert_serves();
}

#[test]
fn the_server_ends_when_nobody_comes_in_time() {
    let mut server = Running::start(Options { accept_timeout: Some(SHORT), ..OPTIONS });
    server.thread.take().unwrap().join().unwrap().unwrap();
    assert!(TcpStream::connect(server.address).is_err());
}
