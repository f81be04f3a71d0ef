//! What the head of a request costs: `cargo bench -p httpcore --bench head`.

use std::hint::black_box;

use divan::Bencher;
use divan::counter::BytesCount;
use httparse::EMPTY_HEADER;
use httpcore::head::{FIELD_LIMIT, Head, Scanner};

/// As curl asks for a page, as a browser does, and with as many fields as are taken.
const HEADS: [&str; 3] = ["curl", "browser", "largest"];

const BROWSER: [&str; 12] = [
    "Connection: keep-alive",
    "Upgrade-Insecure-Requests: 1",
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/130.0.0.0 Safari/537.36",
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    "Sec-Fetch-Site: none",
    "Sec-Fetch-Mode: navigate",
    "Sec-Fetch-User: ?1",
    "Sec-Fetch-Dest: document",
    "Accept-Encoding: gzip, deflate, br, zstd",
    "Accept-Language: en-GB,en;q=0.9,ru;q=0.8",
    "If-None-Match: \"8f3-645a1c\"",
    "If-Modified-Since: Mon, 02 Nov 2026 08:00:00 GMT",
];

fn main() {
    divan::main();
}

/// Where it ends.
#[divan::bench(args = HEADS)]
fn find_end(bencher: Bencher, name: &str) {
    let head = head(name);
    bencher
        .counter(BytesCount::new(head.len()))
        .bench_local(|| Scanner::default().find_end(black_box(&head)));
}

/// The same where each byte comes alone: it must not take longer for each the more
/// there are.
#[divan::bench(args = HEADS)]
fn find_end_of_a_drip(bencher: Bencher, name: &str) {
    let head = head(name);
    bencher.counter(BytesCount::new(head.len())).bench_local(|| {
        let mut scanner = Scanner::default();
        (1..=head.len()).try_for_each(|come| scanner.find_end(black_box(&head[..come])).map(drop))
    });
}

/// What it says.
#[divan::bench(args = HEADS)]
fn parse(bencher: Bencher, name: &str) {
    let head = head(name);
    let line = Scanner::default().find_end(&head).unwrap().unwrap().line;
    bencher.counter(BytesCount::new(head.len())).bench_local(|| {
        let mut slots = [EMPTY_HEADER; FIELD_LIMIT];
        Head::parse(black_box(&head), &line, &mut slots).map(|head| head.framing)
    });
}

/// A whole head.
fn head(name: &str) -> Vec<u8> {
    let fields = match name {
        "curl" => "User-Agent: curl/8.5.0\r\nAccept: */*\r\n".into(),
        "browser" => BROWSER.join("\r\n") + "\r\n",
        _ => (1..FIELD_LIMIT)
            .map(|number| format!("X-Field-{number}: {}\r\n", "v".repeat(500)))
            .collect(),
    };
    let head =
        format!("GET /docs/index.html?page=2 HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n{fields}\r\n")
            .into_bytes();
    // What is refused would be fast.
    let extent = Scanner::default().find_end(&head).unwrap().unwrap();
    assert_eq!(extent.length, head.len());
    Head::parse(&head, &extent.line, &mut [EMPTY_HEADER; FIELD_LIMIT]).unwrap();
    head
}
