//! A stop ends every wait, and loses nothing that was sent.

use std::time::Instant;

use super::{FAR, GENEROUS, SHORT, Setup, Suite};

/// Bytes that a client goes on to send while the server stops: many times what it has
/// room for.
const MUCH: usize = 200_000;

/// accept(2) would go on waiting.
pub fn a_stop_ends_the_server_while_it_waits_for_a_client(suite: &Suite) {
    let server = suite.start(Setup::default());
    server.assert_serves();
    server.assert_stops();
    server.assert_refuses();
}

/// read(2) would go on waiting.
pub fn a_stop_ends_the_server_while_it_waits_for_a_message(suite: &Suite) {
    let server = suite.start(Setup::default());
    let mut client = server.connect();
    client.assert_served();
    server.stop();
    client.assert_ends();
    drop(client);
    server.assert_ends();
    server.assert_refuses();
}

/// The client does not end its side, and so is waited for, for a moment.
pub fn a_stop_ends_the_server_although_no_client_leaves(suite: &Suite) {
    let server = suite.start(Setup::default());
    let mut client = server.connect();
    client.assert_served();
    server.stop();
    client.assert_ends();
    server.assert_ends();
}

/// Nobody is cut off in the middle of an answer.
pub fn work_in_hand_is_finished_after_a_stop(suite: &Suite) {
    let server = suite.start(Setup::default());
    let mut client = server.connect();
    let work = client.hold();
    client.ask();
    work.wait_until_held();
    server.stop();
    drop(work);
    client.assert_answered();
    client.assert_ends();
    drop(client);
    server.assert_ends();
}

/// A stop comes after what the client has said before it.
pub fn what_has_arrived_before_a_stop_is_answered(suite: &Suite) {
    let server = suite.start(Setup::default());
    let mut client = server.connect();
    let work = client.hold();
    client.ask();
    work.wait_until_held();
    client.ask();
    server.stop();
    drop(work);
    client.assert_answered();
    client.assert_answered();
    client.assert_ends();
    drop(client);
    server.assert_ends();
}

/// A close that leaves something unread resets the connection, and the reset overtakes
/// the replies that are on their way.
pub fn a_client_that_goes_on_sending_reads_every_reply_and_then_the_end(suite: &Suite) {
    let server = suite.start(Setup::drain(FAR));
    let mut client = server.connect_with_little_room();
    let sending = client.go_on_sending(MUCH);
    client.stream().read_exact(&mut [0; 1]).expect("the first reply comes");
    server.stop();
    let read = 1 + client.read_to_end().len();
    // Whether all of it went out does not matter here: the server may close first.
    let _ = sending.join().expect("the thread ends");
    server.assert_ends();
    assert!(read >= client.handed_over(), "{read} of {} came", client.handed_over());
}

/// A server that waits for room goes on to wait, and then to write.
pub fn a_client_that_begins_to_read_after_a_stop_reads_every_reply_and_then_the_end(suite: &Suite) {
    let (server, mut client) = suite.start_stuck(Setup::drain(FAR));
    server.stop();
    let read = client.read_to_end().len();
    let handed_over = client.handed_over();
    assert!(read >= handed_over && read > 0, "{read} of {handed_over} came");
    drop(client);
    server.assert_ends();
}

/// Also at the bound, where a server that waited for a permit would not see the stop.
pub fn a_stop_waits_for_the_work_in_hand_and_closes_it_at_the_drain_limit(suite: &Suite) {
    let (server, _deaf) = suite.start_stuck(Setup::drain(SHORT).at_most(1));
    let asked = Instant::now();
    server.assert_stops();
    // Not when the limits of the visit ended it.
    assert!(asked.elapsed() >= SHORT && asked.elapsed() < GENEROUS);
}

/// There is always something that has arrived.
pub fn a_client_that_never_stops_talking_delays_a_stop_to_the_drain_limit_and_no_longer(
    suite: &Suite,
) {
    let server = suite.start(Setup::drain(SHORT));
    let client = server.connect();
    let (reading, talking) = (client.read_for_ever(), client.flood());
    client.assert_welcomed();
    server.assert_stops();
    let _ = (talking.join(), reading.join());
}

/// Left in the backlog, they would wait for nothing.
pub fn new_clients_are_refused_while_a_stop_waits_for_the_work_in_hand(suite: &Suite) {
    let (server, deaf) = suite.start_stuck(Setup::drain(FAR).at_most(1));
    server.stop();
    server.assert_refuses();
    // Which ends the write.
    deaf.reset();
    server.assert_ends();
}

/// Whoever puts a bug into a reply loses one client, and the permit comes back.
pub fn a_panic_ends_one_visit_and_gives_its_permit_back(suite: &Suite) {
    let server = suite.start(Setup::default().at_most(1));
    let mut unlucky = server.connect();
    unlucky.meet_a_bug();
    unlucky.ask();
    unlucky.assert_ends();
    drop(unlucky);
    server.assert_serves();
    server.assert_stops();
}
