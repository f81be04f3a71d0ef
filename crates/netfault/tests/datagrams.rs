//! Each fault of datagrams against a server in the test's own process.

use std::collections::HashSet;
use std::net::UdpSocket;
use std::thread;

use netfault::{Running, Speaks, Target};
use starting::{GENEROUS, HELLO, start};

mod starting;

/// The server and a client of it on the other side of a bad network.
fn network(name: &'static str) -> (UdpSocket, UdpSocket, Running) {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    server.set_read_timeout(Some(GENEROUS)).unwrap();
    let running = start(name, server.local_addr().unwrap(), Speaks::Datagrams).join().unwrap();
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client.connect(running.address().inet().unwrap()).unwrap();
    client.set_read_timeout(Some(GENEROUS)).unwrap();
    (server, client, running)
}

/// The next datagram of the server's side, answered with itself.
fn serve_one(server: &UdpSocket, running: &Running) -> Vec<u8> {
    let mut buf = [0; 64];
    let (n, relay) = server.recv_from(&mut buf).unwrap();
    assert_eq!(running.peers(), [relay.to_string()]);
    server.send_to(&buf[..n], relay).unwrap();
    buf[..n].to_vec()
}

fn receive(client: &UdpSocket) -> Vec<u8> {
    let mut buf = [0; 64];
    let n = client.recv(&mut buf).unwrap();
    buf[..n].to_vec()
}

#[test]
fn a_lossy_network_loses_the_first_reply_and_no_other() {
    let (server, client, running) = network("loss");
    for request in [b"one", b"two"] {
        client.send(request).unwrap();
        assert_eq!(serve_one(&server, &running), request);
    }
    // Datagrams between two sockets of one machine keep their order, so the first would
    // have come first.
    assert_eq!(receive(&client), b"two");
}

#[test]
fn a_network_that_repeats_delivers_everything_twice() {
    let (server, client, running) = network("duplicate");
    client.send(b"one").unwrap();
    for _ in 0..2 {
        assert_eq!(serve_one(&server, &running), b"one");
    }
    for _ in 0..4 {
        assert_eq!(receive(&client), b"one");
    }
}

#[test]
fn a_network_that_reorders_delivers_the_first_request_second() {
    let (server, client, running) = network("reorder");
    for request in [b"one", b"two"] {
        client.send(request).unwrap();
    }
    assert_eq!(serve_one(&server, &running), b"two");
    assert_eq!(serve_one(&server, &running), b"one");
}

#[test]
fn a_reply_is_cut_forged_or_late() {
    let (server, client, running) = network("truncated");
    client.send(b"four").unwrap();
    serve_one(&server, &running);
    assert_eq!(receive(&client), b"fo");

    // The client's socket is connected, and the forger has another address: only the true
    // reply comes through.
    let (server, client, running) = network("stranger");
    client.send(b"four").unwrap();
    serve_one(&server, &running);
    assert_eq!(receive(&client), b"four");

    let (server, client, running) = network("late-reply");
    client.send(b"one").unwrap();
    serve_one(&server, &running);
    client.send(b"two").unwrap();
    assert_eq!(receive(&client), b"one");
    serve_one(&server, &running);
    assert_eq!(receive(&client), b"two");
}

#[test]
fn clients_that_interleave_see_whose_answer_they_got() {
    for honest in [true, false] {
        let server = UdpSocket::bind("127.0.0.1:0").unwrap();
        server.set_read_timeout(Some(GENEROUS)).unwrap();
        let fault = start("interleaved", server.local_addr().unwrap(), Speaks::Datagrams);
        let mut buf = [0; 64];
        let asked: Vec<_> = (0..20)
            .map(|_| {
                let (n, from) = server.recv_from(&mut buf).unwrap();
                (buf[..n].to_vec(), from)
            })
            .collect();
        for (text, from) in &asked {
            server.send_to(if honest { text } else { &asked[0].0 }, from).unwrap();
        }
        assert_eq!(fault.join().unwrap().verdict().is_ok(), honest);
    }
}

#[test]
fn a_greedy_address_asks_with_a_session_of_its_own_each_time_until_nobody_answers() {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    server.set_read_timeout(Some(GENEROUS)).unwrap();
    let target = server.local_addr().unwrap();
    let fault = thread::spawn(move || {
        let hello = Speaks::Requests.hello();
        netfault::find("greedy-address").unwrap().start(&Target::new(
            target,
            Speaks::Requests,
            hello,
        ))
    });
    let mut sessions = HashSet::new();
    let mut buf = vec![0; 65_536];
    for _ in 0..10 {
        let (n, from) = server.recv_from(&mut buf).unwrap();
        assert_eq!(n, 65_463);
        sessions.insert(buf[6..14].to_vec());
        server.send_to(&buf[..100], from).unwrap();
    }
    assert_eq!(sessions.len(), 10);
    assert!(fault.join().unwrap().unwrap().lasts());
}

#[test]
fn a_second_client_over_udp_has_its_reply_and_keeps_its_socket() {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    server.set_read_timeout(Some(GENEROUS)).unwrap();
    let fault = start("second-client", server.local_addr().unwrap(), Speaks::Datagrams);
    let mut buf = [0; 64];
    let (n, peer) = server.recv_from(&mut buf).unwrap();
    assert_eq!(&buf[..n], HELLO);
    server.send_to(&buf[..n], peer).unwrap();
    let running = fault.join().unwrap();
    assert_eq!((running.peers(), running.lasts()), ([peer.to_string()].as_slice(), true));
}

#[test]
fn the_largest_datagram_is_a_message_that_the_server_understands() {
    for speaks in [Speaks::Datagrams, Speaks::Requests] {
        let server = UdpSocket::bind("127.0.0.1:0").unwrap();
        server.set_read_timeout(Some(GENEROUS)).unwrap();
        let address = server.local_addr().unwrap();
        let fault = thread::spawn(move || {
            let target = Target::new(address, speaks, speaks.hello());
            netfault::find("largest-datagram").unwrap().start(&target).unwrap()
        });
        let mut buf = vec![0; 1 << 16];
        let n = server.recv(&mut buf).unwrap();
        assert_eq!(n, 65_507);
        assert!(buf.starts_with(speaks.hello()), "{:?}", &buf[..32]);
        // It begins with a hello, and the next one is answered.
        let (n, peer) = server.recv_from(&mut buf).unwrap();
        server.send_to(&buf[..n], peer).unwrap();
        drop(fault.join().unwrap());
    }
}
