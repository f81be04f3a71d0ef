//! What the store and the channels take: durable writes a second, reads a second, and how
//! long a reader waits while there are commits. `cargo bench -p omnichannel`; `BENCH_SECONDS`
//! says how long each row is measured, and `BENCH_FOLDER` on which disk.

#[path = "../tests/world/mod.rs"]
mod world;

use std::io::{BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use netcore::request::Session;
use omnichannel::message::{Ask, Reply, Request, Secret};
use world::*;

/// Writers at once; each has a draft of its own.
const WRITERS: [usize; 3] = [1, 16, 64];

/// Bytes of each text.
const TEXT: usize = 100;

/// One connection, or one socket, that asks again and again.
enum Asks {
    Tcp(BufReader<TcpStream>),
    Udp(UdpSocket, Session),
    Http(BufReader<TcpStream>),
}

impl Asks {
    fn new(over: Over, address: SocketAddr) -> Asks {
        let stream = || BufReader::new(connect(address).unwrap());
        match over {
            Over::Tcp => Asks::Tcp(stream()),
            Over::Http => Asks::Http(stream()),
            Over::Udp => {
                let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
                socket.connect(address).unwrap();
                socket.set_read_timeout(Some(GENEROUS)).unwrap();
                Asks::Udp(socket, Session::new())
            }
        }
    }

    fn ask(&mut self, token: &Secret, ask: &Ask) {
        let request = Request { token: token.clone(), key: None, ask: ask.clone() };
        match self {
            Asks::Tcp(stream) => {
                stream.get_mut().write_all(&frame(&request)).unwrap();
                let reply = read_frame(stream).unwrap();
                assert!(matches!(reply, Reply::Done(_) | Reply::Draft(_)), "{reply:?}");
            }
            Asks::Udp(socket, session) => {
                socket.send(&session.request(&encoded(&request)).encode()).unwrap();
                socket.recv(&mut [0; 2048]).unwrap();
            }
            Asks::Http(stream) => {
                let request = http_request(token, None, ask).replace("Connection: close\r\n", "");
                stream.get_mut().write_all(request.as_bytes()).unwrap();
                let (mut head, mut byte) = (Vec::new(), [0]);
                while !head.ends_with(b"\r\n\r\n") {
                    stream.read_exact(&mut byte).unwrap();
                    head.extend(byte);
                }
                let head = String::from_utf8(head).unwrap();
                let length = field(&head, "content-length").map_or(0, |it| it.parse().unwrap());
                stream.read_exact(&mut vec![0; length]).unwrap();
                assert!(head.starts_with("HTTP/1.1 20"), "{head}");
            }
        }
    }
}

/// How long each took, of so many who ask until it is enough.
fn measure(who: usize, ask: impl Fn(usize, &AtomicBool) -> Vec<Duration> + Sync) {
    let seconds = std::env::var("BENCH_SECONDS").map_or(5, |it| it.parse().unwrap());
    let enough = AtomicBool::new(false);
    thread::scope(|scope| {
        let (ask, enough) = (&ask, &enough);
        let all: Vec<_> = (0..who).map(|at| scope.spawn(move || ask(at, enough))).collect();
        thread::sleep(Duration::from_secs(seconds));
        enough.store(true, Ordering::SeqCst);
        let mut times: Vec<Duration> = all.into_iter().flat_map(|it| it.join().unwrap()).collect();
        times.sort();
        println!(
            "{:>9.0} a second   median {:>9.1?}   p99 {:>9.1?}",
            times.len() as f64 / seconds as f64,
            times[times.len() / 2],
            times[times.len() * 99 / 100]
        );
    });
}

fn again(
    asks: &mut Asks,
    token: &Secret,
    enough: &AtomicBool,
    mut next: impl FnMut() -> Ask,
) -> Vec<Duration> {
    let mut times = Vec::new();
    while !enough.load(Ordering::SeqCst) {
        let (ask, began) = (next(), Instant::now());
        asks.ask(token, &ask);
        times.push(began.elapsed());
    }
    times
}

fn main() {
    let world = match std::env::var_os("BENCH_FOLDER") {
        Some(folder) => World { folder: tempfile::tempdir_in(folder).unwrap() },
        None => World::new(),
    };
    let names: Vec<String> = (0..WRITERS[2]).map(|at| format!("writer-{at}")).collect();
    let accounts: Vec<&str> = names.iter().flat_map(|name| ["--account", name]).collect();
    let args = [&accounts[..], &["--idle", "10m", "--total", "10m"]].concat();
    let server = world.server(&args);
    let address = server.address;
    let tokens: Vec<Secret> = names.iter().map(|name| world.token(name)).collect();
    let text = "x".repeat(TEXT);
    let writes = |at: usize, enough: &AtomicBool| {
        let draft = Over::Tcp.ask(address, &tokens[at], &Ask::Get);
        let Reply::Draft(draft) = draft else { panic!("{draft:?}") };
        let mut revision = draft.revision;
        again(&mut Asks::new(Over::Tcp, address), &tokens[at], enough, || {
            revision += 1;
            put(revision - 1, &text)
        })
    };
    for writers in WRITERS {
        print!("durable writes over TCP, {writers:>2} at once ");
        measure(writers, writes);
    }
    let reads = |over: Over| {
        let token = &tokens[0];
        move |_: usize, enough: &AtomicBool| {
            again(&mut Asks::new(over, address), token, enough, || Ask::Get)
        }
    };
    for (over, name) in [(Over::Tcp, "TCP "), (Over::Udp, "UDP "), (Over::Http, "HTTP")] {
        for who in [1, 16] {
            print!("reads over {name}, {who:>2} at once           ");
            measure(who, reads(over));
        }
    }
    print!("reads over TCP,  1 at once, 16 write   ");
    let enough = AtomicBool::new(false);
    thread::scope(|scope| {
        for at in 0..16 {
            let (writes, enough) = (&writes, &enough);
            scope.spawn(move || writes(at, enough));
        }
        measure(1, reads(Over::Tcp));
        enough.store(true, Ordering::SeqCst);
    });
}
