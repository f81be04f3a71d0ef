//! What deciding costs where nothing goes wrong: a request by itself, and the same by way of
//! the policy. `cargo bench -p api-client`.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::thread;
use std::time::Duration;

use api_client::api::{ANSWER_LIMIT, Api, Request};
use divan::Bencher;

const ANSWER: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n{\"number\":1}";

const DEADLINE: Duration = Duration::from_secs(30);

fn main() {
    divan::main();
}

/// A healthy third party that keeps its connection and answers with the same each time.
fn healthy() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            stream.set_nodelay(true).unwrap();
            thread::spawn(move || {
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                while let Some(Ok(line)) = lines.next() {
                    if line.is_empty() && stream.write_all(ANSWER).is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}

#[divan::bench(min_time = 2)]
fn plain_ureq(bencher: Bencher) {
    let (url, agent) = (format!("http://{}/notes", healthy()), ureq::agent());
    bencher.bench_local(|| {
        let body = agent.get(&url).call().unwrap().body_mut().read_to_vec().unwrap();
        serde_json::from_slice::<serde_json::Value>(&body).unwrap()
    });
}

/// With what ureq itself can do of it: a deadline over one request, a bound on the answer, and
/// a status that is no error.
#[divan::bench(min_time = 2)]
fn ureq_with_the_same_deadline(bencher: Bencher) {
    let (url, agent) = (format!("http://{}/notes", healthy()), ureq::agent());
    bencher.bench_local(|| {
        let asked = agent.get(&url).header("accept", "application/json").config();
        let asked = asked.timeout_global(Some(DEADLINE)).http_status_as_error(false).build();
        let mut body = asked.call().unwrap().into_body();
        let body = body.with_config().limit(ANSWER_LIMIT).read_to_vec().unwrap();
        serde_json::from_slice::<serde_json::Value>(&body).unwrap()
    });
}

#[divan::bench(min_time = 2)]
fn with_the_policy(bencher: Bencher) {
    let base = format!("http://{}/", healthy()).parse().unwrap();
    let mut api = Api::new(base, None, DEADLINE, u32::MAX);
    bencher.bench_local(|| api.ask(Request { path: "notes", body: None, key: None }).unwrap());
}
