//! The impairing proxy between a client and a server that are both the test itself.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use netfault::proxy::{Fate, Network, Passed, Proxy, Way, record};

/// Ends a test that would otherwise hang; no correct run comes near it.
const GENEROUS: Duration = Duration::from_secs(30);

/// Far longer than a write waits that goes on.
const SHORT: Duration = Duration::from_secs(1);

struct Connected {
    client: TcpStream,
    server: TcpStream,
    recorded: Receiver<Passed>,
    _proxy: Proxy,
}

fn connected(network: &Network) -> Connected {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (recorder, recorded) = record::recorder();
    let proxy =
        Proxy::streams(listener, server.local_addr().unwrap(), network, Some(recorder)).unwrap();
    let client = TcpStream::connect(proxy.address().inet().unwrap()).unwrap();
    let (server, _) = server.accept().unwrap();
    for stream in [&client, &server] {
        stream.set_read_timeout(Some(GENEROUS)).unwrap();
    }
    Connected { client, server, recorded, _proxy: proxy }
}

fn read_to_end(stream: &mut TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    stream.read_to_end(&mut all).unwrap();
    all
}

/// A server and a client behind a proxy to it.
fn datagrams(network: &Network) -> (UdpSocket, UdpSocket, Receiver<Passed>, Proxy) {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let (recorder, recorded) = record::recorder();
    let proxy = Proxy::udp(socket, server.local_addr().unwrap(), network, Some(recorder)).unwrap();
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client.connect(proxy.address().inet().unwrap()).unwrap();
    for socket in [&client, &server] {
        socket.set_read_timeout(Some(GENEROUS)).unwrap();
    }
    (server, client, recorded, proxy)
}

fn receive(socket: &UdpSocket) -> (Vec<u8>, SocketAddr) {
    let mut buf = [0; 2048];
    let (n, from) = socket.recv_from(&mut buf).unwrap();
    (buf[..n].to_vec(), from)
}

#[test]
fn a_half_close_is_passed_on_and_the_other_direction_goes_on() {
    let mut ends = connected(&Network::default());
    ends.client.write_all(b"all I have to say").unwrap();
    ends.client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read_to_end(&mut ends.server), b"all I have to say");
    ends.server.write_all(b"an answer").unwrap();
    drop(ends.server);
    assert_eq!(read_to_end(&mut ends.client), b"an answer");
}

#[test]
fn a_reset_of_one_end_is_a_reset_for_the_other_behind_all_that_was_sent() {
    for client_resets in [true, false] {
        let network = Network { delay: Duration::from_millis(20), ..Network::default() };
        let ends = connected(&network);
        let (mut rude, mut other) = match client_resets {
            true => (ends.client, ends.server),
            false => (ends.server, ends.client),
        };
        rude.write_all(b"half a mess").unwrap();
        let passed = ends.recorded.recv_timeout(GENEROUS).unwrap();
        assert_eq!(passed.bytes, b"half a mess");
        socket2::SockRef::from(&rude).set_linger(Some(Duration::ZERO)).unwrap();
        drop(rude);
        let mut all = Vec::new();
        let error = other.read_to_end(&mut all).unwrap_err();
        assert_eq!((error.kind(), &all[..]), (ErrorKind::ConnectionReset, &b"half a mess"[..]));
        let passed = ends.recorded.recv_timeout(GENEROUS).unwrap();
        assert_eq!(passed.fate, Fate::Reset);
    }
}

#[test]
fn both_directions_are_full_and_both_come_through() {
    let ends = connected(&Network::default());
    let message = netfault::random::Random::new(2).noise(20 << 20);
    std::thread::scope(|scope| {
        for end in [&ends.client, &ends.server] {
            let (mut writer, mut reader) = (end, end);
            let message = &message;
            scope.spawn(move || {
                writer.write_all(message).unwrap();
                writer.shutdown(Shutdown::Write).unwrap();
            });
            scope.spawn(move || {
                let mut all = Vec::new();
                reader.read_to_end(&mut all).unwrap();
                assert!(all == *message);
            });
        }
    });
}

#[test]
fn a_direction_that_waits_for_room_does_not_hold_up_the_other_one() {
    let network = Network { delay: Duration::from_millis(200), ..Network::default() };
    let Connected { mut client, mut server, recorded: _, _proxy } = connected(&network);
    server.set_write_timeout(Some(SHORT)).unwrap();
    let bytes = [0; 64 << 10];
    // Until nothing more is taken on the way, as the client does not read.
    while server.write(&bytes).is_ok() {}
    client.write_all(b"hello").unwrap();
    server.set_read_timeout(Some(GENEROUS)).unwrap();
    let mut heard = [0; 5];
    server.read_exact(&mut heard).unwrap();
    assert_eq!(&heard, b"hello");
}

#[test]
fn a_megabyte_comes_through_whole_in_small_segments_late_and_with_losses() {
    let network = Network {
        delay: Duration::from_millis(2),
        jitter: Duration::from_millis(2),
        slice: Some(7_001),
        loss: 0.01,
        seed: 3,
        ..Network::default()
    };
    let mut ends = connected(&network);
    let message = netfault::random::Random::new(1).noise(1 << 20);
    let mut sender = ends.client.try_clone().unwrap();
    let sent = message.clone();
    let sending = std::thread::spawn(move || {
        sender.write_all(&sent).unwrap();
        sender.shutdown(Shutdown::Write).unwrap();
    });
    assert!(read_to_end(&mut ends.server) == message);
    sending.join().unwrap();
}

#[test]
fn what_is_sliced_arrives_byte_by_byte_and_is_recorded_so() {
    let mut ends = connected(&Network { slice: Some(1), ..Network::default() });
    ends.client.write_all(b"hey").unwrap();
    ends.client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read_to_end(&mut ends.server), b"hey");
    for byte in b"hey" {
        let passed = ends.recorded.recv_timeout(GENEROUS).unwrap();
        assert_eq!(
            (passed.bytes.as_slice(), passed.way, passed.fate),
            (&[*byte][..], Way::ToServer, Fate::Delivered)
        );
    }
    assert_eq!(ends.recorded.recv_timeout(GENEROUS).unwrap().fate, Fate::Ended);
}

#[test]
fn a_delay_is_kept_both_ways() {
    let delay = Duration::from_millis(50);
    let mut ends = connected(&Network { delay, ..Network::default() });
    let started = Instant::now();
    ends.client.write_all(b"ping").unwrap();
    ends.server.read_exact(&mut [0; 4]).unwrap();
    ends.server.write_all(b"pong").unwrap();
    ends.client.read_exact(&mut [0; 4]).unwrap();
    assert!(started.elapsed() >= 2 * delay, "{:?}", started.elapsed());
}

#[test]
fn a_rate_is_an_upper_bound() {
    // 8,000 bits at 80,000 a second.
    let mut ends = connected(&Network { rate: Some(80_000), ..Network::default() });
    let started = Instant::now();
    ends.client.write_all(&[0; 1_000]).unwrap();
    ends.server.read_exact(&mut [0; 1_000]).unwrap();
    assert!(started.elapsed() >= Duration::from_millis(100), "{:?}", started.elapsed());
}

#[test]
fn a_connection_is_cut_after_so_many_bytes() {
    let mut ends = connected(&Network { cut_after: Some(4), ..Network::default() });
    ends.client.write_all(b"hello").unwrap();
    let mut all = Vec::new();
    // The end may be a reset: there is a byte that nobody took.
    let _ = ends.server.read_to_end(&mut all);
    assert_eq!(all, b"hell");
    let _ = ends.client.read_to_end(&mut all);
    let fates: Vec<Fate> =
        [0; 2].map(|_| ends.recorded.recv_timeout(GENEROUS).unwrap().fate).to_vec();
    assert_eq!(fates, [Fate::Delivered, Fate::Cut]);
}

#[test]
fn a_proxy_ends_with_its_guard_however_much_is_under_way() {
    let mut ends = connected(&Network { delay: Duration::from_secs(600), ..Network::default() });
    ends.client.write_all(b"late").unwrap();
    drop(ends._proxy);
    let _ = ends.client.read_to_end(&mut Vec::new());
}

#[test]
fn a_client_whose_server_is_not_there_is_hung_up_on() {
    // Bound, so that nobody else can take the port, and no more.
    let gone = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    gone.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    let address = gone.local_addr().unwrap().as_socket().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = Proxy::streams(listener, address, &Network::default(), None).unwrap();
    let mut client = TcpStream::connect(proxy.address().inet().unwrap()).unwrap();
    client.set_read_timeout(Some(GENEROUS)).unwrap();
    assert_eq!(client.read(&mut [0; 1]).unwrap(), 0);
}

#[test]
fn the_same_datagrams_are_lost_with_the_same_seed() {
    let lost = |seed| {
        let (_server, client, recorded, _proxy) =
            datagrams(&Network { loss: 0.5, seed, ..Network::default() });
        let fates = (0..40_u8).map(|number| {
            client.send(&[number]).unwrap();
            let passed = recorded.recv_timeout(GENEROUS).unwrap();
            assert_eq!(passed.bytes, [number]);
            passed.fate == Fate::Lost
        });
        fates.collect::<Vec<bool>>()
    };
    let first = lost(7);
    assert_eq!(first, lost(7));
    assert_ne!(first, lost(8));
    assert!(first.contains(&true) && first.contains(&false));
}

#[test]
fn datagrams_come_twice_and_answers_find_their_client() {
    let (server, client, _recorded, proxy) =
        datagrams(&Network { duplicate: 1.0, ..Network::default() });
    let other = UdpSocket::bind("127.0.0.1:0").unwrap();
    other.connect(proxy.address().inet().unwrap()).unwrap();
    other.set_read_timeout(Some(GENEROUS)).unwrap();
    client.send(b"one").unwrap();
    other.send(b"two").unwrap();
    for _ in 0..4 {
        let (text, from) = receive(&server);
        server.send_to(&text, from).unwrap();
    }
    for _ in 0..4 {
        assert_eq!(receive(&client).0, b"one");
        assert_eq!(receive(&other).0, b"two");
    }
}

#[test]
fn a_datagram_that_is_held_back_is_overtaken() {
    let network = Network { reorder: 0.5, seed: 5, ..Network::default() };
    let (server, client, _recorded, _proxy) = datagrams(&network);
    let sent: Vec<u8> = (0..20).collect();
    for number in &sent {
        client.send(&[*number]).unwrap();
    }
    let mut came: Vec<u8> = sent.iter().map(|_| receive(&server).0[0]).collect();
    assert_ne!(came, sent);
    came.sort();
    assert_eq!(came, sent);
}

#[test]
fn a_network_that_gets_worse_does_so_for_who_is_connected_and_gets_well_again() {
    let Connected { mut client, mut server, recorded, _proxy: proxy } =
        connected(&Network::default());
    proxy.change(&Network { slice: Some(1), ..Network::default() });
    client.write_all(b"abc").unwrap();
    server.read_exact(&mut [0; 3]).unwrap();
    let passed: Vec<usize> =
        (0..3).map(|_| recorded.recv_timeout(GENEROUS).unwrap().bytes.len()).collect();
    assert_eq!(passed, [1, 1, 1]);

    let (server, client, recorded, proxy) = datagrams(&Network::default());
    let fate = || {
        client.send(b"anybody?").unwrap();
        recorded.recv_timeout(GENEROUS).unwrap().fate
    };
    assert_eq!(fate(), Fate::Delivered);
    proxy.change(&Network { loss: 1.0, ..Network::default() });
    assert_eq!(fate(), Fate::Lost);
    proxy.change(&Network::default());
    assert_eq!(fate(), Fate::Delivered);
    assert_eq!(receive(&server).0, receive(&server).0);
}
