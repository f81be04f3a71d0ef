//! No client waits for another, up to a bound.

use std::io::Read;
use std::thread;
use std::time::Duration;

use super::{SHORT, Setup, Suite, Transport};

/// An idle limit that a client which asks at once keeps, on a machine however busy.
const EASY: Duration = Duration::from_secs(3);

/// Where one is served after another, the second one would wait for ever.
pub fn an_idle_client_keeps_nobody_waiting<T: Transport>(suite: &Suite<T>) {
    let server = suite.start(Setup::default());
    let mut idle = server.connect();
    idle.assert_served();
    server.assert_serves();
    idle.assert_served();
}

/// Nor does one that never reads.
pub fn a_client_that_never_reads_keeps_nobody_waiting<T: Transport>(suite: &Suite<T>) {
    let (server, deaf) = suite.start_stuck(Setup::default());
    server.assert_serves();
    deaf.reset();
    server.assert_serves();
}

/// Nor does one that sends for ever.
pub fn a_client_that_never_stops_talking_keeps_nobody_waiting<T: Transport>(suite: &Suite<T>) {
    let server = suite.start(Setup::default());
    let client = server.connect();
    let reader = client.read_for_ever();
    let talking = client.flood();
    for _ in 0..10 {
        server.assert_serves();
    }
    client.end_both_ways();
    let _ = (talking.join(), reader.join());
}

/// The server reads what it sends for a while, so that its replies arrive.
pub fn others_are_served_while_a_client_that_never_stops_talking_is_closed<T: Transport>(
    suite: &Suite<T>,
) {
    let server = suite.start(Setup::total(EASY).at_most(2));
    let mut client = server.connect();
    // Ends when the server has closed for good.
    let talking = client.flood();
    let _ = client.stream().read_to_end(&mut Vec::new());
    let mut served = 0;
    while !talking.is_finished() {
        server.assert_serves();
        served += 1;
    }
    assert!(served > 1, "only {served}");
}

/// In the backlog, as it would for a slow server.
pub fn a_client_beyond_the_bound_is_served_when_another_leaves<T: Transport>(suite: &Suite<T>) {
    let server = suite.start(Setup::default().at_most(1));
    let mut first = server.connect();
    first.assert_served();
    let mut second = server.connect();
    second.ask();
    second.assert_waits();
    drop(first);
    second.assert_answered();
}

/// A bound that is none, for a server that counts its clients in another way than we do.
pub fn the_highest_bound_is_as_good_as_none<T: Transport>(suite: &Suite<T>) {
    let server = suite.start(Setup::default().at_most(usize::MAX));
    server.assert_serves();
}

/// Whoever asks while the server works on another's reply is not silent.
pub fn a_slow_reply_is_not_charged_to_other_clients<T: Transport>(suite: &Suite<T>) {
    let server = suite.start(Setup::idle(EASY));
    let (mut before, mut slow, mut after) = (server.connect(), server.connect(), server.connect());
    for client in [&mut before, &mut slow, &mut after] {
        client.assert_served();
    }
    let work = slow.hold();
    slow.ask();
    work.wait_until_held();
    before.ask();
    after.ask();
    // The time itself is the matter.
    thread::sleep(EASY + SHORT);
    drop(work);
    for client in [&mut before, &mut slow, &mut after] {
        client.assert_answered();
    }
}
