use std::collections::BTreeMap;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use netcore::testing::GENEROUS;
use protohackers::pests::Sites;
use protohackers::pests::wire::{Message, Policy, Range};

use crate::{Client, Running, server, start};

/// An authority that wants 10 to 20 of `fox`, and tells what it is asked for. It numbers
/// policies from 1, and where it `hangs_up` it does so once, instead of ending one.
fn authority(mut hangs_up: bool) -> (std::net::SocketAddr, Receiver<Message>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (tells, told) = channel();
    thread::spawn(move || {
        let mut last = 0;
        for stream in listener.incoming() {
            let mut stream: TcpStream = stream.unwrap();
            while let Ok(message) = Message::read(&mut stream) {
                let answer = match &message {
                    Message::Hello(..) => Message::hello(),
                    Message::DialAuthority(site) => {
                        let targets = [(b"fox".to_vec(), Range { min: 10, max: 20 })];
                        Message::TargetPopulations(*site, BTreeMap::from(targets))
                    }
                    Message::DeletePolicy(_) if hangs_up => {
                        hangs_up = false;
                        tells.send(message).unwrap();
                        break;
                    }
                    Message::CreatePolicy(..) => {
                        last += 1;
                        Message::PolicyResult(last)
                    }
                    Message::DeletePolicy(_) => Message::Ok,
                    other => panic!("{other:?}"),
                };
                tells.send(message).unwrap();
                stream.write_all(&answer.encode()).unwrap();
            }
        }
    });
    (address, told)
}

fn sites(upstream: std::net::SocketAddr) -> Running {
    start(move |listener, shutdown| {
        let sites = Sites::new(upstream);
        server::serve(listener, shutdown, |stream, peer| sites.talk(stream, peer))
    })
}

fn visit(site: u32, counts: &[(&str, u32)]) -> Vec<u8> {
    let counts = counts.iter().map(|(species, count)| (species.as_bytes().to_vec(), *count));
    Message::SiteVisit(site, counts.collect()).encode()
}

/// A visitor that says hello and this in one segment, and has heard our hello.
fn comes_with(server: &Running, first: &[u8]) -> Client {
    let mut visitor = Client::of(server.address);
    visitor.send(&[&Message::hello().encode(), first].concat());
    assert_eq!(Message::read(&mut visitor.0).unwrap(), Message::hello());
    visitor
}

fn expect_told(told: &Receiver<Message>, wanted: impl IntoIterator<Item = Message>) {
    for wanted in wanted {
        assert_eq!(told.recv_timeout(GENEROUS).unwrap(), wanted);
    }
}

#[test]
fn problem_11_has_one_policy_for_whom_there_are_too_few_or_too_many_of() {
    let (upstream, told) = authority(false);
    let server = sites(upstream);
    // A hello and a visit in one segment, the next in single bytes.
    let mut visitor = comes_with(&server, &visit(7, &[("fox", 9), ("dog", 500)]));
    for byte in visit(7, &[("fox", 21)]) {
        visitor.send(&[byte]);
    }
    // As it should be; the same once more; and not seen at all.
    visitor.send(&[visit(7, &[("fox", 20)]), visit(7, &[("fox", 10)]), visit(7, &[])].concat());
    let fox = || b"fox".to_vec();
    let wanted = [
        Message::hello(),
        Message::DialAuthority(7),
        Message::CreatePolicy(fox(), Policy::Conserve),
        Message::DeletePolicy(1),
        Message::CreatePolicy(fox(), Policy::Cull),
        Message::DeletePolicy(2),
        Message::CreatePolicy(fox(), Policy::Conserve),
    ];
    expect_told(&told, wanted);
    // A visit is not answered.
    visitor.half_close();
    assert_eq!(visitor.rest(), b"");
}

#[test]
fn problem_11_tells_who_speaks_otherwise_what_is_wrong() {
    let (upstream, _told) = authority(false);
    let server = sites(upstream);
    let with = |bytes: &[u8]| [Message::hello().encode(), bytes.to_vec()].concat();
    let mut wrong_sum = visit(1, &[]);
    *wrong_sum.last_mut().unwrap() ^= 1;
    let mut twice = vec![0x58, 0, 0, 0, 36, 0, 0, 0, 1, 0, 0, 0, 2];
    for count in [1, 2] {
        twice.extend([&[0, 0, 0, 3][..], b"fox", &[0, 0, 0, count]].concat());
    }
    let sum = twice.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    twice.push(0_u8.wrapping_sub(sum));
    for (what, bytes) in [
        ("no hello", visit(1, &[])),
        ("another protocol", Message::Hello(b"pests".to_vec(), 1).encode()),
        ("not for visitors", with(&Message::DialAuthority(1).encode())),
        ("a wrong sum", with(&wrong_sum)),
        ("two counts", with(&twice)),
        ("a length of 4 GiB", with(&[0x58, 255, 255, 255, 255])),
        ("a length of nothing", with(&[0x58, 0, 0, 0, 0])),
    ] {
        let mut visitor = Client::of(server.address);
        visitor.send(&bytes);
        assert_eq!(Message::read(&mut visitor.0).unwrap(), Message::hello(), "{what}");
        let said = Message::read(&mut visitor.0).unwrap();
        assert!(matches!(said, Message::Error(_)), "{what}: {said:?}");
        assert_eq!(visitor.rest(), b"", "{what}");
    }
}

#[test]
fn problem_11_dials_again_after_an_authority_that_hangs_up_and_knows_what_is_in_force() {
    let (upstream, told) = authority(true);
    let server = sites(upstream);
    let mut visitor = comes_with(&server, &visit(7, &[("fox", 9)]));
    // It hangs up at the second, so that what it did about the first is still in force.
    for number in [21, 22, 15] {
        visitor.send(&visit(7, &[("fox", number)]));
    }
    let fox = || b"fox".to_vec();
    let wanted = [
        Message::hello(),
        Message::DialAuthority(7),
        Message::CreatePolicy(fox(), Policy::Conserve),
        Message::DeletePolicy(1),
        Message::hello(),
        Message::DialAuthority(7),
        Message::DeletePolicy(1),
        Message::CreatePolicy(fox(), Policy::Cull),
        Message::DeletePolicy(2),
    ];
    expect_told(&told, wanted);
    visitor.half_close();
    assert_eq!(visitor.rest(), b"", "it has done nothing wrong");
}
