//! The other engine: three real servers of NATS, and everything that is promised of one file
//! once more with them. Where there is no `nats-server`, that is said, and the one file is
//! tested twice.
#![cfg(unix)]
#![allow(clippy::duplicate_mod, reason = "each of the other tests is a program with its own")]

mod world;

#[path = "channels.rs"]
mod channels;
#[path = "followers.rs"]
mod followers;
#[path = "privacy.rs"]
mod privacy;
#[path = "replicas.rs"]
mod replicas;

use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use async_nats::jetstream::stream::Stream;
use omnichannel::message::{Ask, Draft, Reply, Secret, Why};
use world::nats::{COPIES, Cluster, IS_HERE};
use world::*;

/// Changes before a kill, and after it, of all writers together.
const ENOUGH: u64 = 200;

/// How long after a kill is looked at.
const WATCHED: Duration = Duration::from_secs(15);

/// The server of NATS that leads is killed under load, with one of ours, and later one that
/// does not lead. Who writes goes to the next of ours, and asks again with the same key.
#[test]
fn one_of_three_is_killed_under_load_and_nothing_that_was_acknowledged_is_lost() {
    if !*IS_HERE {
        eprintln!("skipped, no nats-server here");
        return;
    }
    let (mut cluster, world) = (Cluster::start(), World::new());
    let engine = ["--engine", &cluster.address(), "--history", "100000", "--keys", "100000"];
    let accounts = ["a", "b", "c", "d"];
    let tokens: Vec<&str> = accounts.iter().flat_map(|name| ["--account", name]).collect();
    let args = [&engine[..], &tokens].concat();
    let mut ours: Vec<Option<Server>> = (0..COPIES).map(|_| Some(world.server(&args))).collect();
    let addresses: Vec<Mutex<SocketAddr>> =
        ours.iter().map(|it| Mutex::new(it.as_ref().unwrap().address)).collect();
    let (done, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    let mut kills = Vec::new();
    let written: Vec<Written> = thread::scope(|scope| {
        let writers: Vec<_> = accounts
            .iter()
            .enumerate()
            .map(|(at, account)| {
                let (token, addresses, done, stop) =
                    (world.token(account), &addresses, &done, &stop);
                scope.spawn(move || write_until(stop, addresses, &token, at, done))
            })
            .collect();
        let more = || {
            let from = done.load(Ordering::SeqCst);
            eventually("there are more changes", || done.load(Ordering::SeqCst) >= from + ENOUGH);
        };
        more();
        for leads in [true, false] {
            let leader = leader(&cluster);
            let number = if leads { leader } else { (leader + 1) % COPIES };
            kills.push(Instant::now());
            cluster.kill(number);
            ours[number].take().unwrap().kill();
            more();
            cluster.run(number);
            let server = world.server(&args);
            *addresses[number].lock().unwrap() = server.address;
            ours[number] = Some(server);
            more();
        }
        stop.store(true, Ordering::SeqCst);
        writers.into_iter().map(|it| it.join().unwrap()).collect()
    });
    let mut acknowledged = 0;
    for (account, written) in accounts.iter().zip(&written) {
        let token = world.token(account);
        for over in ALL {
            for server in ours.iter().flatten() {
                check(server.address, over, &token, written);
            }
        }
        acknowledged += written.texts.len();
    }
    let times: Vec<Instant> = written.iter().flat_map(|it| &it.times).copied().collect();
    let [led, other] = [kills[0], kills[1]].map(|kill| gap_after(kill, &times));
    println!("{acknowledged} acknowledged changes, none lost; nothing was written for {led:.1?}");
    println!("when the one that leads was killed, and for {other:.1?} when another was");
}

/// Which of the servers of NATS decides the order.
fn leader(cluster: &Cluster) -> usize {
    let leader = stream(cluster, async |stream| {
        let info = stream.get_info().await.unwrap();
        info.cluster.and_then(|it| it.leader).unwrap()
    });
    leader.trim_start_matches("nats-").parse().unwrap()
}

/// What NATS itself says of the bucket.
fn stream<T>(cluster: &Cluster, ask: impl AsyncFnOnce(Stream) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let url = cluster.address().split(',').next().unwrap().to_string();
    runtime.block_on(async {
        let client = async_nats::connect(url).await.unwrap();
        ask(async_nats::jetstream::new(client).get_stream("KV_drafts").await.unwrap()).await
    })
}

/// What was acknowledged to one writer: the text of each revision from 1 on, and when.
#[derive(Default)]
struct Written {
    texts: Vec<String>,
    times: Vec<Instant>,
}

fn write_until(
    stop: &AtomicBool,
    addresses: &[Mutex<SocketAddr>],
    token: &Secret,
    at: usize,
    done: &AtomicU64,
) -> Written {
    let (mut written, mut server) = (Written::default(), at);
    while !stop.load(Ordering::SeqCst) {
        let revision = written.texts.len() as u64;
        let (key, text) = (format!("key-{revision}"), format!("text {revision} of {at}"));
        let address = *addresses[server % COPIES].lock().unwrap();
        let over = ALL[(at + revision as usize) % ALL.len()];
        match over.try_ask(address, token, Some(&key), &put(revision, &text)) {
            Some(Reply::Done(made)) => {
                assert_eq!(
                    made,
                    revision + 1,
                    "{over:?}: {key} was done twice, or others were not"
                );
                written.texts.push(text);
                written.times.push(Instant::now());
                done.fetch_add(1, Ordering::SeqCst);
            }
            // Gone, or without a majority for now: the next one, with the same key.
            None | Some(Reply::Refused(Why::Unavailable)) => server += 1,
            other => panic!("{over:?}: {key}: {other:?}"),
        }
    }
    written
}

/// Every server has all of it, and nothing else.
fn check(address: SocketAddr, over: Over, token: &Secret, written: &Written) {
    let last = written.texts.len() as u64;
    let whole = Draft { revision: last, text: written.texts.last().cloned() };
    assert_eq!(over.ask(address, token, &Ask::Get), Reply::Draft(whole), "{over:?}");
    for (at, text) in written.texts.iter().enumerate().step_by(written.texts.len() / 20 + 1) {
        let reply = Over::Udp.ask(address, token, &Ask::Follow { since: at as u64 });
        let Reply::Changes(changes) = reply else { panic!("revision {at} is lost: {reply:?}") };
        assert_eq!(changes[0].draft, draft(at as u64 + 1, text));
    }
    // Each again, by its key: it was done, and once.
    let (last, text) = (last - 1, written.texts.last().unwrap());
    let again = over.try_ask(address, token, Some(&format!("key-{last}")), &put(last, text));
    assert_eq!(again, Some(Reply::Done(last + 1)));
}

/// The longest time from then on, until a quarter of a minute later, in which nobody's change
/// was acknowledged.
fn gap_after(kill: Instant, times: &[Instant]) -> Duration {
    let mut times: Vec<Instant> =
        times.iter().copied().filter(|it| *it >= kill && *it < kill + WATCHED).collect();
    times.sort();
    let starts = [kill].into_iter().chain(times.clone());
    starts.zip(times).map(|(one, next)| next - one).max().unwrap_or_default()
}

/// Without a majority nothing is promised, and nothing is promised that is not there.
#[test]
fn one_of_three_alone_takes_nothing_and_who_follows_is_told_when_there_are_two_again() {
    if !*IS_HERE {
        eprintln!("skipped, no nats-server here");
        return;
    }
    let (mut cluster, world) = (Cluster::start(), World::new());
    let server = world.server(&["--engine", &cluster.address()]);
    let (ann, address) = (world.token("ann"), server.address);
    assert_eq!(Over::Tcp.ask(address, &ann, &put(0, "of three")), Reply::Done(1));
    cluster.kill(0);
    cluster.kill(1);
    let unavailable = Some(Reply::Refused(Why::Unavailable));
    for over in ALL {
        let reply = over.try_ask(address, &ann, Some("alone"), &put(1, "of one"));
        assert_eq!(reply, unavailable, "{over:?}");
        // What has been seen is not forgotten, though nobody says that it is the last.
        let reply = Over::Udp.ask(address, &ann, &Ask::Follow { since: 0 });
        assert!(matches!(&reply, Reply::Changes(it) if it[0].draft == draft(1, "of three")));
    }
    cluster.run(0);
    let mut reply = None;
    eventually("two take it", || {
        reply = Over::Http.try_ask(address, &ann, Some("alone"), &put(1, "of one"));
        reply != unavailable
    });
    assert_eq!(reply, Some(Reply::Done(2)));
    let output = world.client(&server, &["--until", "2", "follow"]);
    assert_eq!(printed(&output), "revision 1: of three\nrevision 2: of one\n");
}

/// Not only out of the answers: out of the bucket.
#[test]
fn of_what_was_deleted_one_message_without_text_is_left_in_the_bucket() {
    if !*IS_HERE {
        eprintln!("skipped, no nats-server here");
        return;
    }
    let (cluster, world) = (Cluster::start(), World::new());
    let server = world.server(&["--engine", &cluster.address()]);
    let (ann, address) = (world.token("ann"), server.address);
    for revision in 0..5 {
        let reply = Over::Tcp.ask(address, &ann, &put(revision, "secret words"));
        assert_eq!(reply, Reply::Done(revision + 1));
    }
    let messages = || stream(&cluster, async |it| it.get_info().await.unwrap().state.messages);
    assert_eq!(messages(), 5);
    let reply = Over::Udp.ask(address, &ann, &Ask::Delete { revision: 5 });
    assert_eq!(reply, Reply::Done(6));
    eventually("one is left", || messages() == 1);
    let left = stream(&cluster, async |it| {
        it.get_last_raw_message_by_subject("$KV.drafts.ann").await.unwrap().payload
    });
    assert!(!String::from_utf8_lossy(&left).contains("secret"));
}

#[test]
fn a_bucket_that_keeps_less_and_servers_that_are_not_there_are_told() {
    if !*IS_HERE {
        eprintln!("skipped, no nats-server here");
        return;
    }
    let (cluster, world) = (Cluster::start(), World::new());
    let engine = cluster.address();
    world.server(&["--engine", &engine, "--history", "5", "--keys", "5"]).kill();
    for (args, why) in [
        (["--engine", &engine, "--history", "50"], "it was made for 3 copies and 105 revisions"),
        (["--engine", &engine, "--max-text", "1m"], "and NATS takes 1048576: --max-text"),
        (["--engine", "nats://127.0.0.1:1", "--max-text", "1k"], "cannot use the bucket drafts"),
    ] {
        let mut command = world.program();
        command.args(["server", "--port", "0", "--accept-timeout", "3s"]).args(args);
        let output = ended(&mut command);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(told.contains(why), "{told}");
        assert!(output.stdout.is_empty(), "it said that it listens");
    }
}
