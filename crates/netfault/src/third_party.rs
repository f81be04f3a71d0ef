//! A server of HTTP that does what it should not, and remembers what it was asked.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use crate::GENEROUS;

/// Bytes of a request that are read at most.
const LONGEST: u64 = 64 << 10;

/// What it was asked.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Each request, as it came.
    pub(crate) requests: Vec<String>,
    /// Those at the second origin, where there is one.
    pub(crate) elsewhere: Vec<String>,
}

/// Judges what was seen when the client has ended.
pub(crate) type Judge = fn(&Seen) -> Result<String, String>;

/// A request that is to be answered.
pub(crate) struct Request<'a> {
    /// The first one is 0.
    pub(crate) number: usize,
    /// Whether it has come to the second origin.
    pub(crate) is_elsewhere: bool,
    /// Where the second origin is.
    pub(crate) elsewhere: &'a str,
    ending: &'a AtomicBool,
}

impl Request<'_> {
    /// Whether nobody wants an answer any more.
    pub(crate) fn is_over(&self) -> bool {
        self.ending.load(Ordering::SeqCst)
    }
}

/// It listens until this is dropped.
#[derive(Debug)]
pub(crate) struct ThirdParty {
    places: Vec<SocketAddr>,
    seen: Arc<Mutex<Seen>>,
    judge: Judge,
    ending: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

/// Writes what it wants; then the connection is closed.
pub(crate) type Answer = fn(&Request, &mut dyn Write) -> io::Result<()>;

impl ThirdParty {
    /// One that answers every request so, at as many origins.
    pub(crate) fn start(origins: usize, judge: Judge, answer: Answer) -> io::Result<ThirdParty> {
        let bind = |_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
        let listeners = (0..origins).map(bind).collect::<io::Result<Vec<_>>>()?;
        let places = listeners.iter().map(TcpListener::local_addr).collect::<io::Result<_>>()?;
        let (seen, ending) = (Arc::default(), Arc::default());
        let mut party = ThirdParty { places, seen, judge, ending, threads: Vec::new() };
        for (number, listener) in listeners.into_iter().enumerate() {
            let elsewhere = party.places.last().map(|place| format!("http://{place}/elsewhere"));
            let elsewhere = elsewhere.unwrap_or_default();
            let (seen, ending) = (party.seen.clone(), party.ending.clone());
            let listen = move || {
                while let Ok((stream, _)) = listener.accept() {
                    if ending.load(Ordering::SeqCst) {
                        return;
                    }
                    // What a client thinks of it, it says by its end.
                    let _ = serve(stream, number > 0, &seen, answer, &elsewhere, &ending);
                }
            };
            party.threads.push(thread::Builder::new().name("third party".into()).spawn(listen)?);
        }
        Ok(party)
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        self.places.first().copied()
    }

    /// What is to be said of the client that has been.
    pub(crate) fn judged(&self) -> Result<String, String> {
        (self.judge)(&lock(&self.seen))
    }
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(
    mut stream: TcpStream,
    is_elsewhere: bool,
    seen: &Mutex<Seen>,
    answer: Answer,
    elsewhere: &str,
    ending: &AtomicBool,
) -> io::Result<()> {
    stream.set_read_timeout(Some(GENEROUS))?;
    stream.set_write_timeout(Some(GENEROUS))?;
    let Some(request) = read_request(&stream)? else { return Ok(()) };
    let number = {
        let mut seen = lock(seen);
        let seen = if is_elsewhere { &mut seen.elsewhere } else { &mut seen.requests };
        seen.push(request);
        seen.len() - 1
    };
    answer(&Request { number, is_elsewhere, elsewhere, ending }, &mut stream)
}

/// A whole request; `None` where somebody only looks whether anybody listens.
fn read_request(stream: &TcpStream) -> io::Result<Option<String>> {
    let mut reader = BufReader::new(stream.take(LONGEST));
    let (mut request, mut length) = (String::new(), 0);
    loop {
        let start = request.len();
        if reader.read_line(&mut request)? == 0 {
            return Ok(None);
        }
        let line = request[start..].to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length.min(LONGEST as usize)];
    reader.read_exact(&mut body)?;
    Ok(Some(request + &String::from_utf8_lossy(&body)))
}

impl Drop for ThirdParty {
    fn drop(&mut self) {
        self.ending.store(true, Ordering::SeqCst);
        // Each accept has to see it.
        self.places.iter().for_each(|place| drop(TcpStream::connect(place)));
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}
