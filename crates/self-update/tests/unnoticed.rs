//! An update that clients do not notice, and a program that is changed under it. Not on
//! Windows, where the old worker ends before the new one listens, and where nobody removes
//! a program that runs.
#![cfg(unix)]

mod common;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use common::program::{Home, echo};
use common::site::Site;
use common::{GENEROUS, V2, new_key, v1, v2};

#[test]
fn the_program_updates_itself_and_clients_notice_nothing_but_the_answers() {
    let (key, site) = (new_key(), Site::default());
    let home = Home::new(&key);
    // One client says nothing while the update goes on, however long that takes.
    let patient = ["--idle", "10m", "--total", "10m", "--every", "100ms"];
    let running = home.start(site.start(), &patient);
    running.wait_for("no update", 1);
    home.assert_is(&v1());
    let (address, done) = (running.address, AtomicBool::new(false));
    let mut there = TcpStream::connect(address).unwrap();
    there.set_read_timeout(Some(GENEROUS)).unwrap();
    let mut reply = [0; 5];
    there.write_all(b"hello").unwrap();
    there.read_exact(&mut reply).unwrap();
    assert_eq!(&reply, b"hello");
    let replies: Vec<String> = thread::scope(|scope| {
        let clients = [(); 3].map(|()| {
            scope.spawn(|| {
                let mut replies = Vec::new();
                while !done.load(Ordering::SeqCst) {
                    replies.push(echo(address, "hello"));
                }
                replies
            })
        });
        site.publish(&key, V2, &v2());
        running.wait_for("0.2.0 serves from here on", 1);
        running.wait_until_it_answers("after", "AFTER");
        done.store(true, Ordering::SeqCst);
        clients.map(|client| client.join().unwrap()).concat()
    });
    // All were answered, by one of the two.
    assert!(replies.iter().all(|reply| reply == "hello" || reply == "HELLO"), "{replies:?}");
    // Who was there before stays, with the old one.
    there.write_all(b"again").unwrap();
    there.read_exact(&mut reply).unwrap();
    assert_eq!(&reply, b"again");
    home.assert_is(&v2());
    assert_eq!(home.version(), V2);
    // The way home.
    assert!(std::fs::read(home.beside("old")).unwrap() == std::fs::read(v1()).unwrap());
    // A look later, there is nothing more to do.
    running.wait_for("it is the version that runs", 2);
    assert_eq!(running.told().matches("serves from here on").count(), 1);
    // The end is an end for all, and in good order.
    assert_eq!(running.stop().code(), Some(0));
    assert_eq!(there.read(&mut reply).unwrap(), 0);
}

#[test]
fn a_program_that_a_person_has_put_back_by_hand_is_taken_for_what_it_is() {
    let (key, site) = (new_key(), Site::default());
    site.publish(&key, V2, &v2());
    let (address, home) = (site.start(), Home::new(&key));
    let running = home.start(address, &[]);
    running.wait_for("0.2.0 serves from here on", 1);
    drop(running);
    std::fs::remove_file(&home.program).unwrap();
    std::fs::hard_link(v1(), &home.program).unwrap();
    let running = home.start(address, &[]);
    running.wait_for("0.1.0 serves", 1);
    running.wait_for("0.2.0 serves from here on", 1);
    home.assert_is(&v2());
}
