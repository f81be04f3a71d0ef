//! A third party that says what a test wants it to say, byte by byte.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// Ends a test that would otherwise hang; no correct run comes near it.
pub const GENEROUS: Duration = Duration::from_secs(20);

/// A request as it came: its head, and its body behind it.
pub type Requests = Arc<Mutex<Vec<String>>>;

/// A server on a port of its own, until the test ends. `answer` is called for each request,
/// with its number from 0, and writes what it wants; then the connection is closed.
pub fn canned(answer: impl Fn(usize, &mut TcpStream) + Send + 'static) -> (SocketAddr, Requests) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let requests = Requests::default();
    let seen = requests.clone();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            stream.set_read_timeout(Some(GENEROUS)).unwrap();
            let Some(request) = read_request(&mut stream) else { continue };
            let number = {
                let mut seen = seen.lock().unwrap();
                seen.push(request);
                seen.len() - 1
            };
            answer(number, &mut stream);
        }
    });
    (address, requests)
}

/// A third party that answers each request with the next of `answers`, and with the last
/// one from then on.
pub fn says(answers: &[&str]) -> (SocketAddr, Requests) {
    let answers: Vec<String> = answers.iter().map(|answer| answer.to_string()).collect();
    canned(move |number, stream| {
        let answer = &answers[number.min(answers.len() - 1)];
        // The other end may have seen enough.
        let _ = stream.write_all(answer.as_bytes());
    })
}

/// An answer with JSON.
pub fn json(status: u16, fields: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status} Canned\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n{fields}\r\n{body}"
    )
}

fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut reader = BufReader::new(stream);
    let mut request = String::new();
    let mut length = 0;
    loop {
        let start = request.len();
        if reader.read_line(&mut request).ok()? == 0 {
            return None;
        }
        let line = request[start..].to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    request.push_str(&String::from_utf8(body).unwrap());
    Some(request)
}
