//! framed-echo, object-exchange, chat.

use ladder_tests::{Server, rung};

#[test]
fn two_frames_written_by_hand() {
    let server = Server::start(rung("framed-echo"), &[]);
    let mut client = server.connect();
    // The length is four bytes, the highest first, and counts what follows it. A message
    // may be empty.
    let frames = b"\x00\x00\x00\x02hi\x00\x00\x00\x00";
    client.exchange(frames, frames);
}

#[test]
fn a_length_that_lies_costs_the_server_nothing() {
    let server = Server::start(rung("framed-echo"), &["-v"]);
    let mut client = server.connect();
    // 4 GiB, it says. The limit is looked at before anything is allocated, or waited for.
    client.send(b"\xff\xff\xff\xff");
    client.expect_hang_up_without_a_word();
    server.expect_log(&[&client.address(), "dropped"]);
}

#[test]
fn upper_hi_is_nine_bytes() {
    let server = Server::start(rung("object-exchange"), &[]);
    let mut client = server.connect();
    client.expect_bytes(b"\x00\x00\x00\x0d\x01\x02\x01\x02hi\x02\x05there");
    // The length, the version, the variant Upper by its place, the length of the text, the
    // text.
    client.exchange(b"\x00\x00\x00\x05\x01\x01\x02hi", b"\x00\x00\x00\x05\x01\x01\x02HI");
}

#[test]
fn a_client_of_another_version_is_told_so_and_may_go_on() {
    let server = Server::start(rung("object-exchange"), &[]);
    let mut client = server.connect();
    client.expect_bytes(b"\x00\x00\x00\x0d\x01\x02\x01\x02hi\x02\x05there");
    client.exchange(b"\x00\x00\x00\x03\x02\x00\x01", b"\x00\x00\x00\x04\x01\x03\x00\x01");
    client.exchange(b"\x00\x00\x00\x03\x01\x00\x01", b"\x00\x00\x00\x06\x01\x00\x01\x02hi");
}

#[test]
fn the_end_of_the_stream_ends_the_last_line_as_well() {
    let server = Server::start(rung("chat"), &[]);
    let mut client = server.connect();
    client.send(b"ann\nhello");
    client.half_close();
    client.expect_bytes(b"* ann joined\nann: hello\n* ann left\n");
    client.expect_end_of_stream();
}

#[test]
fn whoever_talks_is_alive() {
    let server = Server::start(rung("chat"), &["--heartbeat", "1s"]);
    let mut client = server.connect();
    client.send(b"ann\n/alive\n");
    client.expect_bytes(b"* ann joined\n");
    // Longer than it takes to be gone.
    for _ in 0..3 {
        client.expect_bytes(b"/alive?\n");
        client.send(b"hello\n");
        client.expect_bytes(b"ann: hello\n");
    }
}
