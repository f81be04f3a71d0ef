use std::time::Duration;

use netcore::testing::udp;
use protohackers::reliable;

#[test]
fn problem_7_turns_lines_around_for_who_repeats_loses_and_comes_twice() {
    let server = udp::Running::start(reliable::serve);
    let (one, other) = (server.connect(), server.connect());
    let hear = |socket: &std::net::UdpSocket| {
        let mut buf = [0; 1000];
        let n = socket.recv(&mut buf).unwrap();
        String::from_utf8_lossy(&buf[..n]).into_owned()
    };
    // One number is two sessions at two addresses.
    for (socket, data, said) in [(&one, "hello\n", "olleh\n"), (&other, "ab\n", "ba\n")] {
        for _ in 0..2 {
            socket.send(b"/connect/1/").unwrap();
            assert_eq!(hear(socket), "/ack/1/0/");
        }
        socket.send(format!("/data/1/0/{data}/").as_bytes()).unwrap();
        assert_eq!(hear(socket), format!("/ack/1/{}/", data.len()));
        assert_eq!(hear(socket), format!("/data/1/0/{said}/"));
    }
    other.send(b"/ack/1/3/").unwrap();
    // Nobody acknowledges the first one's line: by the clock of the server it comes again.
    one.set_read_timeout(Some(10 * Duration::from_secs(3))).unwrap();
    assert_eq!(hear(&one), "/data/1/0/olleh\n/");
    one.send(b"/close/1/").unwrap();
    assert_eq!(hear(&one), "/close/1/");
    server.stop().unwrap();
}
