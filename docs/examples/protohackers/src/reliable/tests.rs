use super::*;

const ANN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 5);

/// One session, and a clock that only we move.
struct Talk {
    sessions: Sessions,
    now: Instant,
}

impl Talk {
    fn open() -> Talk {
        let mut talk = Talk { sessions: Sessions::default(), now: Instant::now() };
        assert_eq!(talk.say("/connect/7/"), ["/ack/7/0/"]);
        talk
    }

    fn say(&mut self, datagram: &str) -> Vec<String> {
        texts(self.sessions.receive(datagram.as_bytes(), ANN, self.now))
    }

    fn after(&mut self, time: Duration) -> Vec<String> {
        self.now += time;
        texts(self.sessions.tick(self.now))
    }
}

fn texts(out: Vec<Outgoing>) -> Vec<String> {
    out.into_iter().map(|(_, it)| String::from_utf8(it).unwrap()).collect()
}

#[test]
fn whatever_order_pieces_come_in_each_byte_is_taken_once() {
    let mut talk = Talk::open();
    assert_eq!(talk.say("/data/7/3/lo\n/"), ["/ack/7/0/"], "something before it is missing");
    assert_eq!(talk.say("/data/7/0/hel/"), ["/ack/7/3/"]);
    assert_eq!(talk.say("/data/7/1/ello\n/"), ["/ack/7/6/", "/data/7/0/olleh\n/"]);
    assert_eq!(talk.say("/data/7/0/hello\n/"), ["/ack/7/6/"], "all of it was here before");
    assert_eq!(talk.say("/data/7/6/a\\/b\\\\\n/"), ["/ack/7/11/", "/data/7/6/\\\\b\\/a\n/"]);
    assert_eq!(talk.say("/connect/7/"), ["/ack/7/11/"]);
}

#[test]
fn what_nobody_has_acknowledged_is_sent_again_until_they_have_gone() {
    let mut talk = Talk::open();
    talk.say("/data/7/0/ab\ncd\n/");
    assert_eq!(talk.after(Duration::from_millis(2900)), [""; 0]);
    assert_eq!(talk.sessions.next(), Some(talk.now + Duration::from_millis(100)));
    assert_eq!(talk.after(Duration::from_millis(100)), ["/data/7/0/ba\ndc\n/"]);
    assert_eq!(talk.say("/ack/7/2/"), ["/data/7/2/\ndc\n/"]);
    assert_eq!(talk.say("/ack/7/1/"), [""; 0], "an old one says nothing");
    assert_eq!(talk.say("/ack/7/6/"), [""; 0]);
    assert_eq!(talk.after(AGAIN), [""; 0]);
    assert_eq!(talk.after(GONE), [""; 0]);
    assert_eq!(talk.say("/ack/7/6/"), ["/close/7/"], "it is forgotten");
    assert_eq!(talk.sessions.next(), None);
}

#[test]
fn who_acknowledges_what_was_not_sent_or_ends_no_line_is_shown_out() {
    let mut talk = Talk::open();
    assert_eq!(talk.say("/ack/7/1/"), ["/close/7/"]);
    assert_eq!(talk.say("/data/7/0/a/"), ["/close/7/"]);
    let mut talk = Talk::open();
    let piece = "x".repeat(900);
    let ends =
        (0..12).position(|n| talk.say(&format!("/data/7/{}/{piece}/", n * 900)) == ["/close/7/"]);
    assert_eq!(ends, Some(11), "10,000 bytes are a line, and 10,800 are none");
    assert_eq!(talk.say("/close/8/"), ["/close/8/"]);
}

#[test]
fn what_is_no_message_is_answered_with_nothing() {
    let long = format!("/data/7/0/{}/", "x".repeat(1000));
    for datagram in [
        "",
        "/",
        "//",
        "connect/7/",
        "/connect/7",
        "/connect//",
        "/connect/+7/",
        "/connect/7/8/",
        "/connect/2147483648/",
        "/data/7/0/a/b/",
        "/data/7/0/a\\/",
        "/data/7/0/a\\b/",
        "/data/7/0/",
        "/ack/7/",
        "/ack/7/-1/",
        "/shout/7/",
        &long,
    ] {
        assert_eq!(Talk::open().say(datagram), [""; 0], "{datagram}");
    }
}

#[test]
fn no_datagram_is_too_long_and_who_acknowledges_nothing_is_not_listened_to() {
    let mut talk = Talk::open();
    let mut position = 0;
    let line = format!("{}\n", "\\/".repeat(450));
    let taken = std::iter::from_fn(|| {
        let answer = talk.say(&format!("/data/7/{position}/{line}/"));
        assert!(answer.iter().all(|it| it.len() < LARGEST));
        position += 451;
        (answer[0] == format!("/ack/7/{position}/")).then_some(())
    });
    let lines = taken.take(1000).count();
    assert!((100..200).contains(&lines), "{lines} lines wait for an acknowledgement");
}
