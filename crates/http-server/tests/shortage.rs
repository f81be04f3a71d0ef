//! A worker more than there is memory for is not started: it would end the process. The
//! limit is that of this process, so there is one test in it.
#![cfg(all(target_os = "linux", target_env = "gnu"))]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, mpsc};
use std::time::Duration;

use http_server::{AtOnce, Method, Request, Server};
use rustix::param::page_size;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Ends a test that would otherwise hang; no correct run comes near it.
const GENEROUS: Duration = Duration::from_secs(30);

/// The stack of a thread, as std asks for it.
const STACK: u64 = 2 << 20;

/// What is left beyond that, in pages: at one or the other, there is room for the stack and
/// none for what else the thread begins with.
const PAGES: std::ops::Range<u64> = 0..24;

/// How often it was told that there is none.
static TOLD: AtomicUsize = AtomicUsize::new(0);

struct Log;

impl log::Log for Log {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        if record.args().to_string().starts_with("cannot start one more worker: ") {
            TOLD.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn flush(&self) {}
}

#[test]
fn a_worker_that_there_is_no_memory_for_is_not_started_and_told_once() {
    log::set_logger(&Log).unwrap();
    log::set_max_level(log::LevelFilter::Warn);
    let (begin, begun) = mpsc::channel();
    let (end, ended) = mpsc::channel::<()>();
    let ended = Mutex::new(ended);
    let hold = move |_: &mut Request<'_>| {
        // Nobody looks any more once one is held.
        let _ = begin.send(());
        let _ = ended.lock().map(|ended| ended.recv());
        "held\n"
    };
    let server = Server::bind("127.0.0.1:0").unwrap();
    let now = AtOnce(|_: &mut Request<'_>| "now\n");
    let server = server.get("/hold", hold).route(Method::Get, "/now", now);
    let server = server.spawn().unwrap();
    let address = server.address();
    // The first worker has something to do from now on.
    let mut held = vec![ask(address, "/hold")];
    begun.recv_timeout(GENEROUS).unwrap();
    for page in PAGES {
        leave_memory(Some(STACK + page * page_size() as u64));
        held.push(ask(address, "/hold"));
        // Who came before has had its turn.
        read(ask(address, "/now"), "now\n");
    }
    leave_memory(Some(STACK));
    let mut told = Vec::new();
    for _ in 0..3 {
        held.push(ask(address, "/hold"));
        read(ask(address, "/now"), "now\n");
        told.push(TOLD.load(Ordering::SeqCst));
    }
    assert!(told[0] > 0 && told[2] == told[0], "{told:?}");
    leave_memory(None);
    drop(end);
    held.into_iter().for_each(|stream| read(stream, "held\n"));
    server.stop().unwrap();
}

fn ask(address: SocketAddr, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    stream.set_read_timeout(Some(GENEROUS)).unwrap();
    stream
}

fn read(mut stream: TcpStream, content: &str) {
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    assert!(response.ends_with(content), "{response}");
}

/// Has this process take so many bytes of address space at most, beyond those that it has.
fn leave_memory(bytes: Option<u64>) {
    let sizes = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = sizes.split(' ').next().unwrap().parse().unwrap();
    let taken = pages * page_size() as u64;
    let maximum = getrlimit(Resource::As).maximum;
    let limit = Rlimit { current: bytes.map(|bytes| taken + bytes).or(maximum), maximum };
    setrlimit(Resource::As, limit).unwrap();
}
