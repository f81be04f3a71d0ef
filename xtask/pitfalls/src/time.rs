//! Ports that stay busy, limits that are none, and writes that wait. The broken halves
//! are BROKEN ON PURPOSE.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use netcore::connection::Connection;
use netcore::deadline::Deadline;
use netcore::error::reason;
use netcore::listen;
use socket2::{Domain, Socket, Type};

use crate::seen::{Seen, connection, seen, timed_out};

/// A limit for a client, and the pause of a client that drips: so much shorter that a
/// machine which stalls between two drips does not make it silent.
const LIMIT: Duration = Duration::from_secs(1);
const DRIP: Duration = Duration::from_millis(50);

/// How often a client drips: for more than two limits.
const DRIPS: usize = 50;

const SLOW: usize = 20;
const FAST: usize = 2_000;

/// BROKEN: bind without SO_REUSEADDR, after the server has closed first.
pub fn bind_without_reuse() -> io::Result<Seen> {
    if cfg!(windows) {
        return Ok(Ok("there is no such pitfall on Windows".into()));
    }
    let address = port_in_time_wait()?;
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    Ok(match socket.bind(&address.into()) {
        Ok(()) => Err("the port was free".into()),
        Err(error) => seen(
            error.kind() == io::ErrorKind::AddrInUse,
            format!("nobody listens there any more, and yet: {}", reason(&error)),
        ),
    })
}

/// As every rung binds.
pub fn bind_with_reuse() -> io::Result<Seen> {
    let address = port_in_time_wait()?;
    Ok(match listen::tcp(&address.ip().to_string(), address.port()) {
        Ok(_) => Ok("with SO_REUSEADDR it listens at once".into()),
        Err(error) => Err(error.to_string()),
    })
}

/// A port where a server has listened, closed its connection before the client did, and
/// ended.
fn port_in_time_wait() -> io::Result<SocketAddr> {
    let listener = listen::tcp("127.0.0.1", 0).map_err(io::Error::other)?;
    let address = listener.local_addr()?;
    let mut client = TcpStream::connect((Ipv4Addr::LOCALHOST, address.port()))?;
    drop(listener.accept()?);
    client.read_to_end(&mut Vec::new())?;
    Ok(address)
}

/// BROKEN: each byte starts the time anew.
pub fn timeout_for_each_read() -> io::Result<Seen> {
    let (client, mut server) = connection()?;
    server.set_read_timeout(Some(LIMIT))?;
    let dripping = drip(client);
    let started = Instant::now();
    let read = server.read_to_end(&mut Vec::new());
    let took = started.elapsed();
    drop(server);
    let _ = dripping.join();
    let story = format!(
        "a limit of {LIMIT:?} let a client that drips stay for {took:.1?}: as long as it liked"
    );
    Ok(seen(read.is_ok() && took > LIMIT * 2, story))
}

/// What remains until one point in time is the timeout of each read.
pub fn one_deadline() -> io::Result<Seen> {
    let (client, server) = connection()?;
    let dripping = drip(client);
    let started = Instant::now();
    let mut server = Connection::of_client(server)?;
    server.set_deadline(Deadline::after(LIMIT));
    let read = server.read_to_end(&mut Vec::new());
    let took = started.elapsed();
    drop(server);
    let _ = dripping.join();
    let ended = read.is_err_and(|error| timed_out(&error));
    Ok(seen(ended, format!("a deadline of {LIMIT:?} ended it after {took:.1?}")))
}

fn drip(mut client: TcpStream) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        for _ in 0..DRIPS {
            if client.write_all(b"x").is_err() {
                return;
            }
            // The pause is the pitfall itself.
            thread::sleep(DRIP);
        }
    })
}

/// BROKEN: the second write waits for the acknowledgement of the first, and that one
/// waits for the reply.
pub fn two_small_writes() -> io::Result<Seen> {
    let rate = exchanges(SLOW, |client| {
        client.write_all(b"\0\0\0\x05").and_then(|()| client.write_all(b"hello"))
    })?;
    // Others acknowledge sooner than Linux does.
    let slow = rate < 200.0 || !cfg!(target_os = "linux");
    Ok(seen(slow, format!("{rate:.0} exchanges a second")))
}

/// Header and message in one write.
pub fn one_write() -> io::Result<Seen> {
    let rate = exchanges(FAST, |client| client.write_all(b"\0\0\0\x05hello"))?;
    Ok(seen(rate > 400.0, format!("{rate:.0} exchanges a second")))
}

/// Sends, waits for a reply, and again: how often a second.
fn exchanges(count: usize, send: impl Fn(&mut TcpStream) -> io::Result<()>) -> io::Result<f64> {
    let (mut client, mut server) = connection()?;
    let answering = thread::spawn(move || -> io::Result<()> {
        let mut message = [0; 9];
        for _ in 0..count {
            server.read_exact(&mut message)?;
            server.write_all(&message)?;
        }
        Ok(())
    });
    let started = Instant::now();
    for _ in 0..count {
        send(&mut client)?;
        client.read_exact(&mut [0; 9])?;
    }
    let rate = count as f64 / started.elapsed().as_secs_f64();
    let _ = answering.join();
    Ok(rate)
}
