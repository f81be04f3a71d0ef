//! Clients of a server that has hardly a place left.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener};
use std::thread;
use std::time::Duration;

use netcore::deadline::Deadline;
use netcore::error::reason;
use netcore::unix::Name;
use netcore::wait::{Interest, Waited, ready};

use super::inside::Inside;
use super::slow::{flood, flood_inside};
use super::{ENDED, TCP, crowded, fault};
use crate::Proof::{Served, Told};
use crate::answer::judge;
use crate::peer::connect;
use crate::proxy::{Network, Proxy};
use crate::stream::name;
use crate::until::Until;
use crate::{Fault, GENEROUS, Running, Target};

/// Those who take all places of a server that has few. Where one answer is all there is
/// for a connection, a place is free again soon, and somebody else is to take it.
const DEAF: usize = 4;
const DEAF_TO_HTTP: usize = 2 * DEAF;

/// Those who come then.
const MORE: usize = 200;

/// Who is not answered for so long has no place: there are fewer. Nor has whom a queue
/// that is full keeps waiting.
const NO_PLACE: Duration = Duration::from_millis(500);

/// What a person, or a browser, takes for an answer at once. HTTP has words for a server
/// that is full (RFC 9110 section 15.6.4).
const EARLY: Duration = Duration::from_secs(2);

/// How long they wait where there are no such words, and a short limit ends those who hold
/// the places.
const AT_THE_LIMIT: Duration = Duration::from_secs(15);

/// Clients at a time, as many as there are places, and how often.
const FAR: usize = 4;
const WAVES: usize = 5;

/// From one end to the other, and more or less than that: the next country.
const DISTANCE: Duration = Duration::from_millis(40);
const JITTER: Duration = Duration::from_millis(5);

/// Each sends hello for ever and leaves the replies where they are.
pub const FULL_HOUSE: Fault = crowded(
    fault(
        "full-house",
        "clients that take every place and never read, and 200 more that come then",
        TCP,
        Told,
        full_house,
    ),
    MORE,
);

fn full_house(target: &Target) -> io::Result<Running> {
    let (http, encrypted) = (target.speaks.is_http(), target.speaks.is_encrypted());
    let (deaf, limit) = if http { (DEAF_TO_HTTP, EARLY) } else { (DEAF, AT_THE_LIMIT) };
    if encrypted {
        // Whoever cannot come in can take no place either, and all others would be told.
        Inside::enter(target, connect(target)?, GENEROUS)?.end()?;
    }
    let mut streams = vec![connect(target)?];
    let next = || target.address.connect(NO_PLACE, Name::Own).ok();
    streams.extend((1..deaf).map_while(|_| next()));
    let peers = streams.iter().map(name).collect::<io::Result<_>>()?;
    let told = thread::scope(|scope| {
        for stream in &streams {
            let flooding = move || match encrypted {
                true => drop(flood_inside(target, stream)),
                false => drop(flood(stream, target.hello)),
            };
            thread::Builder::new().spawn_scoped(scope, flooding)?;
        }
        for stream in &streams {
            let answered = ready(stream, Interest::Reading, None, Deadline::after(NO_PLACE))?;
            if answered != Waited::Ready && !http {
                stream.shutdown(Shutdown::Both)?;
            }
        }
        let told = told(target, limit);
        streams.iter().for_each(|stream| drop(stream.shutdown(Shutdown::Both)));
        told
    })?;
    let (held, limit) = (streams.len(), limit.as_secs());
    Ok(Running::judged(
        &target.address,
        peers,
        match told {
            MORE => {
                Ok(format!("came {held} times to stay, and {MORE} more were told within {limit} s"))
            }
            _ => Err(format!(
                "came {held} times to stay, and of {MORE} more {told} were told in {limit} s"
            )),
        },
    ))
}

/// How many of those who come now are answered or refused in time. Each leaves then.
fn told(target: &Target, limit: Duration) -> io::Result<usize> {
    let deadline = Deadline::after(limit);
    let mut waiting = Vec::new();
    for _ in 0..MORE {
        // A server that serves one client and ends has gone.
        let Ok(mut stream) = target.address.connect(limit, Name::Own) else { break };
        // Who has been refused by now may have been told already.
        let _ = stream.write_all(target.hello);
        waiting.push(stream);
    }
    let mut told = 0;
    for stream in waiting {
        match Until::new(&stream, deadline).read(&mut [0]) {
            Err(error) if error.kind() == ErrorKind::TimedOut => {}
            // An answer, a refusal, the end of the stream or a reset: it knows.
            _ => told += 1,
        }
    }
    Ok(told)
}

/// As many clients at once as there are places, again and again. What leaves arrives later,
/// so the next ones come when those before them are not seen to be gone.
pub const FAR_AWAY: Fault = fault(
    "far-away",
    "clients that are 40 ms away, as many at a time as there are places",
    ENDED,
    Served,
    far_away,
);

fn far_away(target: &Target) -> io::Result<Running> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let network =
        Network { delay: DISTANCE, jitter: JITTER, seed: target.seed, ..Network::default() };
    let proxy = Proxy::streams(listener, target.address.clone(), &network, None)?;
    let far = Target { address: proxy.address().clone(), ..*target };
    let mut verdict = Ok(format!("was served, as were all {} of its kind", FAR * WAVES));
    for wave in 0..WAVES {
        let visits: Vec<_> = thread::scope(|scope| {
            let visits =
                (0..FAR).map(|_| thread::Builder::new().spawn_scoped(scope, || visit(&far)));
            let visits: Vec<_> = visits.collect::<io::Result<_>>()?;
            let panicked = |_| Err("panicked".into());
            io::Result::Ok(
                visits.into_iter().map(|it| it.join().unwrap_or_else(panicked)).collect(),
            )
        })?;
        for (number, visit) in visits.into_iter().enumerate() {
            if let (Ok(_), Err(what)) = (&verdict, visit) {
                verdict =
                    Err(format!("{what}: number {} of {}", wave * FAR + number + 1, FAR * WAVES));
            }
        }
    }
    Ok(Running::judged(&target.address, Vec::new(), verdict))
}

/// Says hello, has its whole answer and leaves.
fn visit(far: &Target) -> Result<(), String> {
    if far.speaks.is_encrypted() {
        return visit_inside(far).map_err(|error| format!("was not served: {}", reason(&error)));
    }
    let (mut reply, mut some) = (Vec::new(), [0; 4096]);
    let mut ask = || -> io::Result<()> {
        let stream = connect(far)?;
        let mut timed = Until::new(&stream, Deadline::after(GENEROUS));
        timed.write_all(far.hello)?;
        let mut n = some.len();
        while n > 0 && judge(far, &reply, 1).is_err() {
            n = timed.read(&mut some)?;
            reply.extend_from_slice(&some[..n]);
        }
        Ok(())
    };
    ask().map_err(|error| format!("was not served: {}", reason(&error)))?;
    judge(far, &reply, 1).map(drop)
}

/// The same in TLS.
fn visit_inside(far: &Target) -> io::Result<()> {
    let mut inside = Inside::enter(far, connect(far)?, GENEROUS)?;
    let mut reply = *b"hello";
    inside.write_all(&reply)?;
    inside.read_exact(&mut reply)?;
    match &reply {
        b"hello" => inside.end(),
        _ => Err(io::Error::other("the answer is another one")),
    }
}
