//! Who is in the room and who is not any more, whatever is said in it.

use std::net::{TcpListener, TcpStream};

use chat::room::{Member, Room, missed};
use netcore::connection::Connection;
use netcore::outbox::{Line, Outbox};
use netcore::visit::Ended;
use running::{Guest, service};

mod running;

/// Lines that may wait for one of them.
const QUEUE: usize = 10;

/// A member, and the other end of its connection.
fn join<'a>(room: &'a Room, name: &str) -> (Member<'a>, Guest) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let guest = Guest::new(TcpStream::connect(listener.local_addr().unwrap()).unwrap(), name);
    let connection = Connection::of_client(listener.accept().unwrap().0).unwrap();
    let outbox = Outbox::new(&connection, QUEUE, missed).unwrap();
    let member = room.join(name.as_bytes(), outbox).unwrap();
    room.deliver();
    (member, guest)
}

/// Leaves no room for a line more.
fn fill(outbox: &Outbox) {
    let line: Line = [&[b'x'; 1000][..], b"\n"].concat().into();
    while outbox.push(&line) {}
}

#[test]
fn who_leaves_with_a_full_queue_has_left_once_and_is_told_so() {
    let service = service("");
    let (ann, _deaf) = join(&service.room, "ann");
    let (bob, mut hears) = join(&service.room, "bob");
    fill(&ann.outbox);
    ann.leave(Ok(Ended::ByPeer));
    bob.tell("that is all");
    ["* bob joined", "* ann left", "that is all"].iter().for_each(|line| hears.expect(line));
    let rest = String::from_utf8(ann.outbox.close()).unwrap();
    assert!(rest.ends_with("\n* you missed 1 lines\n* ann left\n"), "{rest}");
}

#[test]
fn who_has_been_dropped_says_no_more() {
    let service = service("");
    let (ann, _deaf) = join(&service.room, "ann");
    let (bob, mut hears) = join(&service.room, "bob");
    fill(&ann.outbox);
    bob.say("are you there?");
    ann.say("here I am");
    bob.say("that is all");
    service.room.deliver();
    let behind = format!("* ann left: {} lines behind", service.room.queue);
    for line in ["* bob joined", "are you there?", &behind, "that is all"] {
        hears.expect(line);
    }
}

#[test]
fn who_leaves_by_a_bug_is_told_so_as_the_others_are() {
    let service = service("");
    let (ann, mut ann_hears) = join(&service.room, "ann");
    let (_bob, mut bob_hears) = join(&service.room, "bob");
    drop(ann);
    bob_hears.expect("* bob joined");
    bob_hears.expect("* ann left: its visit panicked");
    ann_hears.expect("* ann joined");
    ann_hears.expect("* bob joined");
    ann_hears.expect("! you are dropped: its visit panicked");
}
