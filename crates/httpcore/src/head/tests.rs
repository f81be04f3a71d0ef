use proptest::prelude::*;

use super::*;

/// Scans and parses as a connection does, and gives the head to `look`.
fn read<T>(text: &[u8], look: impl FnOnce(&Head) -> T) -> Result<T, Refusal> {
    let extent = Scanner::default().find_end(text)?.expect("the head has no end");
    let mut slots = [httparse::EMPTY_HEADER; FIELD_LIMIT];
    Head::parse(&text[..extent.length], &extent.line, &mut slots).map(|head| look(&head))
}

#[track_caller]
fn assert_refused(text: &[u8], refusal: &str) {
    match read(text, |_| ()) {
        Err(refused) => assert_eq!(refused.to_string(), refusal, "{}", text.escape_ascii()),
        Ok(()) => panic!("not refused: {}", text.escape_ascii()),
    }
}

fn get(fields: &str) -> Vec<u8> {
    format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n").into_bytes()
}

#[test]
fn an_ordinary_head_is_read() {
    read(b"GET /a?b HTTP/1.1\r\nHost: a:80\r\nX: y\r\n\r\nbody", |head| {
        assert_eq!(
            (head.method, head.target, head.version),
            (Method::Get, b"/a?b".as_slice(), Version::Http11)
        );
        assert_eq!(head.fields.get("x"), Some(b"y".as_slice()));
        assert_eq!(head.framing, Framing::Length(0));
        assert_eq!(head.persistence, Persistence::Keep);
    })
    .unwrap();
}

#[test]
fn a_bare_line_feed_ends_a_line() {
    read(b"GET / HTTP/1.1\nHost: a\n\n", |head| assert_eq!(head.method, Method::Get)).unwrap();
}

#[test]
fn an_empty_line_may_come_before_a_head_and_only_one() {
    let with = |before: &str| [before.as_bytes(), &get("X: y\r\n")].concat();
    read(&with("\r\n"), |head| {
        assert_eq!((head.method, head.target), (Method::Get, b"/".as_slice()));
        assert_eq!(head.fields.get("x"), Some(b"y".as_slice()));
    })
    .unwrap();
    for before in ["\n", "\r\n\r\n", "\r\n\n", "\r\r\n"] {
        assert_refused(
            &with(before),
            "400: the request line is not: method, target, version (RFC 9112 section 3)",
        );
    }
}

#[test]
fn hosts_are_strict() {
    let section = "(RFC 9112 section 3.2)";
    assert_refused(
        b"GET / HTTP/1.1\r\n\r\n",
        &format!("400: the Host header is missing {section}"),
    );
    assert_refused(&get("host: b\r\n"), &format!("400: two Host headers {section}"));
    assert_refused(
        b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
        &format!("400: the Host header is not a host and port {section}"),
    );
    assert!(read(b"GET / HTTP/1.0\r\n\r\n", |_| ()).is_ok());
}

#[test]
fn a_body_that_two_readers_could_delimit_differently_is_refused() {
    assert_refused(
        &get("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"),
        "400: both Content-Length and Transfer-Encoding (RFC 9112 section 6.1)",
    );
    for length in ["+3", "3,3", "0x3", "", "-1", "3 3"] {
        assert_refused(
            &get(&format!("Content-Length: {length}\r\n")),
            "400: Content-Length is not a number (RFC 9112 section 6.3)",
        );
    }
    assert_refused(
        &get("Content-Length: 3\r\nContent-Length: 4\r\n"),
        "400: two Content-Length headers that differ (RFC 9112 section 6.3)",
    );
    assert_refused(
        &get("Transfer-Encoding: gzip, chunked\r\n"),
        "501: chunked is the only transfer coding known here (RFC 9112 section 6.1)",
    );
    assert_refused(
        &get("Transfer-Encoding: chunked, gzip\r\n"),
        "400: chunked is not the last transfer coding (RFC 9112 section 6.3)",
    );
    assert_refused(
        &get("Transfer-Encoding: chunked, chunked\r\n"),
        "400: chunked may stand in Transfer-Encoding once (RFC 9112 section 6.1)",
    );
    assert_refused(
        b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
        "400: Transfer-Encoding in a message of HTTP/1.0 (RFC 9112 section 6.1)",
    );
    let framing = |fields| read(&get(fields), |head| head.framing).unwrap();
    assert_eq!(framing("Content-Length: 3\r\nContent-Length: 3\r\n"), Framing::Length(3));
    assert_eq!(framing("Content-Length: 99999999999999999999\r\n"), Framing::Length(u64::MAX));
    assert_eq!(framing("Transfer-Encoding: Chunked\r\n"), Framing::Chunked);
}

#[test]
fn lines_that_are_no_fields_are_refused_with_the_rule() {
    assert_refused(
        &get("X : y\r\n"),
        "400: white space before the colon of a header field (RFC 9112 section 5.1)",
    );
    assert_refused(&get("X: y\r\n z\r\n"), "400: a folded header line (RFC 9112 section 5.2)");
    assert_refused(&get("X: y\rz\r\n"), "400: a bare CR in a header field (RFC 9112 section 2.2)");
    assert_refused(&get("X: y\0z\r\n"), "400: a header field holds a NUL (RFC 9110 section 5.5)");
    assert_refused(&get("nonsense\r\n"), "400: a header line without a colon (RFC 9112 section 5)");
    assert_refused(
        &get(": y\r\n"),
        "400: a header field that is not: name, colon, value (RFC 9112 section 5)",
    );
}

#[test]
fn request_lines_are_strict() {
    let status = |line: &str| {
        read(format!("{line}\r\nHost: a\r\n\r\n").as_bytes(), |_| ())
            .map_err(|refusal| refusal.status.0)
    };
    for line in [
        "GET /",
        "GET  / HTTP/1.1",
        "GET / HTTP/1.1 ",
        " GET / HTTP/1.1",
        "GET /\t HTTP/1.1",
        "",
        "G(T / HTTP/1.1",
    ] {
        assert_eq!(status(line), Err(400), "{line:?}");
    }
    for line in
        ["GET / HTTP/0.9", "GET / http/1.1", "GET / HTTP/1.10", "GET / HTTP/11", "GET / HTTP/1"]
    {
        assert_eq!(status(line), Err(400), "{line:?}");
    }
    assert_eq!(status("GET / HTTP/2.0"), Err(505));
    assert_eq!(status("PRI * HTTP/2.0"), Err(505));
    assert_eq!(status("get / HTTP/1.1"), Err(501));
    assert_eq!(status("BREW / HTTP/1.1"), Err(501));
    assert_eq!(status("GET / HTTP/1.2"), Ok(()));
}

#[test]
fn a_first_line_without_a_version_is_refused_before_the_head_ends() {
    assert!(Scanner::default().find_end(b"GET /\r\n").is_err());
    assert!(Scanner::default().find_end(b"\x16\x03\x01").is_err());
    assert_eq!(Scanner::default().find_end(b"GET / HTTP/1.1\r\n"), Ok(None));
}

#[test]
fn persistence_follows_version_and_connection() {
    let persistence = |version: &str, connection: &str| {
        let text = format!("GET / HTTP/{version}\r\nHost: a\r\n{connection}\r\n");
        read(text.as_bytes(), |head| head.persistence).unwrap()
    };
    assert_eq!(persistence("1.1", ""), Persistence::Keep);
    assert_eq!(persistence("1.1", "Connection: foo, Close\r\n"), Persistence::Close);
    assert_eq!(persistence("1.0", ""), Persistence::Close);
    assert_eq!(persistence("1.0", "Connection: Keep-Alive\r\n"), Persistence::Keep);
    assert_eq!(persistence("1.0", "Connection: keep-alive, close\r\n"), Persistence::Close);
}

#[test]
fn what_is_wrong_with_a_transfer_encoding_is_said() {
    let why = |value: &str| {
        let fields = format!("Transfer-Encoding: {value}\r\n");
        read(&get(&fields), |_| ()).unwrap_err().to_string()
    };
    for empty in ["", "chunked,", ",chunked", ","] {
        let told = "400: Transfer-Encoding has an empty coding in it (RFC 9112 section 6.1)";
        assert_eq!(why(empty), told, "{empty:?}");
    }
    let twice = "400: chunked may stand in Transfer-Encoding once (RFC 9112 section 6.1)";
    assert_eq!(why("chunked, chunked"), twice);
}

#[test]
fn only_a_continue_can_be_expected() {
    let expects = |fields: &str| read(&get(fields), |head| head.expects_continue);
    assert_eq!(expects("Expect: 100-Continue\r\nContent-Length: 1\r\n"), Ok(true));
    // There is no body to wait for.
    assert_eq!(expects("Expect: 100-continue\r\n"), Ok(false));
    assert_eq!(expects("Expect: wonders\r\n").unwrap_err().status, Status::EXPECTATION_FAILED);
}

#[test]
fn limits_are_kept() {
    let status = |text: Vec<u8>| read(&text, |_| ()).map_err(|refusal| refusal.status.0);
    let line = |length: usize| {
        let path = "a".repeat(length - "GET / HTTP/1.1\r".len());
        format!("GET /{path} HTTP/1.1\r\nHost: a\r\n\r\n").into_bytes()
    };
    assert_eq!(status(line(LINE_LIMIT)), Ok(()));
    assert_eq!(status(line(LINE_LIMIT + 1)), Err(414));
    assert_eq!(Scanner::default().find_end(&vec![b'a'; LINE_LIMIT + 1]).unwrap_err().status.0, 414);
    assert_eq!(status(get(&"X: y\r\n".repeat(FIELD_LIMIT - 1))), Ok(()));
    assert_eq!(status(get(&"X: y\r\n".repeat(FIELD_LIMIT))), Err(431));
    assert_eq!(status(get(&format!("X: {}\r\n", "y".repeat(HEAD_LIMIT)))), Err(431));
    let endless = [b"GET / HTTP/1.1\r\nX: ".as_slice(), &vec![b'y'; HEAD_LIMIT]].concat();
    assert_eq!(Scanner::default().find_end(&endless).unwrap_err().status.0, 431);
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(text in proptest::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(Some(extent)) = Scanner::default().find_end(&text) {
            let mut slots = [httparse::EMPTY_HEADER; FIELD_LIMIT];
            let _ = Head::parse(&text[..extent.length], &extent.line, &mut slots);
        }
    }

    #[test]
    fn almost_a_head_does_not_make_the_reader_panic(
        text in "(GET|POST|get) [ -~]{1,20} HTTP/[0-9.]{1,3}\r?\n([A-Za-z:, \r\t-]{0,20}\r?\n){0,5}\r?\n"
    ) {
        if let Ok(Some(extent)) = Scanner::default().find_end(text.as_bytes()) {
            let mut slots = [httparse::EMPTY_HEADER; FIELD_LIMIT];
            let _ = Head::parse(&text.as_bytes()[..extent.length], &extent.line, &mut slots);
        }
    }

    #[test]
    fn a_head_ends_at_the_same_place_however_it_is_cut(
        before in "(\r\n)?",
        names in proptest::collection::vec("[A-Za-z]{1,8}", 0..5),
        rest in "[ -~\r\n]{0,20}",
        cuts in proptest::collection::vec(0usize..200, 0..6),
    ) {
        let fields: String = names.iter().map(|name| format!("{name}: value\r\n")).collect();
        let head = format!("{before}GET /path HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
        let text = format!("{head}{rest}");
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
        cuts.sort_unstable();
        cuts.push(text.len());
        let mut scanner = Scanner::default();
        let found = cuts.into_iter().find_map(|cut| scanner.find_end(&text.as_bytes()[..cut]).unwrap()).map(|extent| extent.length);
        prop_assert_eq!(found, Some(head.len()));
    }
}
