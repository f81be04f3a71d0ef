//! What the queue answers.

use std::collections::BTreeSet;
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use netcore::codec::client::{self, buffered};
use netcore::codec::{Codec, DEPTH};
use netcore::connection::Connection;
use netcore::testing::{Setup, Suite};
use task_queue::message::{Greeting, Reply, Request, VERSION};
use task_queue::{Queue, server};

const CODEC: Codec = Codec::new(VERSION, 64 << 10, DEPTH);

fn queue(options: &[&str]) -> Queue {
    Setup::default().service(options)
}

fn ask_at(queue: &Queue, now: Instant, request: Request) -> Reply {
    let mut message = Vec::new();
    queue.reply_at(now, request, &mut message).unwrap();
    CODEC.decode(&message).unwrap()
}

fn task(number: u64, text: &str) -> Reply {
    Reply::Task(Some((number, text.into())))
}

#[test]
fn tasks_are_given_out_in_order_and_are_gone_when_they_are_done() {
    let (queue, now) = (queue(&[]), Instant::now());
    let ask = |request| ask_at(&queue, now, request);
    assert_eq!(ask(Request::Take), Reply::Task(None));
    assert_eq!(ask(Request::Put("one".into())), Reply::Put(Some(1)));
    assert_eq!(ask(Request::Put("two".into())), Reply::Put(Some(2)));
    assert_eq!(ask(Request::Take), task(1, "one"));
    assert_eq!(ask(Request::Count), Reply::Count(1, 1));
    assert_eq!(ask(Request::Done(1)), Reply::Done(true));
    assert_eq!(ask(Request::Done(1)), Reply::Done(false));
    assert_eq!(ask(Request::Count), Reply::Count(1, 0));
}

#[test]
fn what_a_worker_has_not_done_in_time_is_given_to_another() {
    let (queue, now) = (queue(&["--lease", "30s"]), Instant::now());
    for text in ["one", "two", "three"] {
        ask_at(&queue, now, Request::Put(text.into()));
    }
    ask_at(&queue, now, Request::Take);
    ask_at(&queue, now, Request::Take);
    let late = now + Duration::from_secs(30);
    assert_eq!(ask_at(&queue, late - Duration::from_secs(1), Request::Count), Reply::Count(1, 2));
    assert_eq!(ask_at(&queue, late, Request::Take), task(1, "one"), "before what came later");
    assert_eq!(ask_at(&queue, late, Request::Done(2)), Reply::Done(false), "it waits again");
    assert_eq!(ask_at(&queue, late, Request::Done(1)), Reply::Done(true));
}

#[test]
fn what_a_client_can_make_the_server_hold_is_bounded() {
    let (queue, now) = (queue(&["--max-tasks", "1"]), Instant::now());
    assert_eq!(ask_at(&queue, now, Request::Put("one".into())), Reply::Put(Some(1)));
    ask_at(&queue, now, Request::Take);
    assert_eq!(ask_at(&queue, now, Request::Put("two".into())), Reply::Put(None));
}

/// Takes and does tasks until there are none.
fn work(address: SocketAddr) -> Vec<String> {
    let mut stream = buffered(Connection::of_client(TcpStream::connect(address).unwrap()).unwrap());
    client::receive::<Greeting>(&mut stream, &CODEC).unwrap();
    let mut ask = |request| client::exchange::<_, Reply>(&mut stream, &request, &CODEC).unwrap();
    let mut done = Vec::new();
    while let Reply::Task(Some((number, text))) = ask(Request::Take) {
        assert_eq!(ask(Request::Done(number)), Reply::Done(true));
        done.push(text);
    }
    done
}

#[test]
fn workers_over_real_connections_do_each_task_once() {
    let suite: Suite = Suite::new("", "", |listener, setup, shutdown| {
        let service = setup.service::<Queue>(&[]);
        for number in 0..100 {
            service.reply(Request::Put(format!("task {number}")), &mut Vec::new()).unwrap();
        }
        server::serve(listener, &service, shutdown)
    });
    let server = suite.start(Setup::default());
    let workers: Vec<_> = (0..4)
        .map(|_| (server.address, 0))
        .map(|(it, _)| thread::spawn(move || work(it)))
        .collect();
    let done: Vec<String> = workers.into_iter().flat_map(|it| it.join().unwrap()).collect();
    assert_eq!((done.len(), done.iter().collect::<BTreeSet<_>>().len()), (100, 100));
}
