//! No client can stretch the limits of its visit.

use std::io::Read;
use std::thread;
use std::time::{Duration, Instant};

use super::{GENEROUS, SHORT, Setup, Suite, Transport};

/// An idle limit that a client which asks at once keeps, on a machine however busy.
const EASY: Duration = Duration::from_secs(3);

/// It waits for a client that waits for nothing.
pub fn a_silent_client_is_dropped_and_the_next_one_served<T: Transport>(suite: &Suite<T>) {
    let server = suite.start(Setup::idle(SHORT));
    let mut silent = server.connect();
    silent.assert_welcomed();
    silent.assert_ends();
    drop(silent);
    server.assert_serves();
}

/// Each word renews the idle limit, and none the total one.
pub fn a_client_that_drips_within_the_idle_limit_is_dropped_at_the_total_one<T: Transport>(
    suite: &Suite<T>,
) {
    let server = suite.start(Setup::total(SHORT));
    let mut dripping = server.connect();
    let started = Instant::now();
    // The pause is the fault itself: a word now and then. It ends when the server has
    // hung up.
    while dripping.try_ask().is_ok() {
        assert!(started.elapsed() < GENEROUS);
        thread::sleep(SHORT / 10);
    }
    drop(dripping);
    server.assert_serves();
}

/// Whoever is in time each time stays for longer than the idle limit.
pub fn a_client_that_asks_now_and_then_outlives_the_idle_limit<T: Transport>(suite: &Suite<T>) {
    let server = suite.start(Setup::idle(EASY));
    let mut client = server.connect();
    let started = Instant::now();
    while started.elapsed() < EASY + EASY / 2 {
        client.assert_served();
        thread::sleep(EASY / 5);
    }
    client.assert_served();
}

/// A server that only waits where nothing comes would never look at the clock.
pub fn a_client_that_never_stops_talking_is_dropped_at_the_total_limit<T: Transport>(
    suite: &Suite<T>,
) {
    let server = suite.start(Setup::total(SHORT));
    let mut client = server.connect();
    let talking = client.flood();
    let started = Instant::now();
    let mut buf = vec![0; 1 << 20];
    while client.stream().read(&mut buf).is_ok_and(|n| n > 0) {
        assert!(started.elapsed() < GENEROUS);
    }
    let ended = talking.join().expect("the thread ends");
    assert!(started.elapsed() < GENEROUS, "{ended}");
    drop(client);
    server.assert_serves();
}

/// Where a server closes with something unread, a reset overtakes the replies.
pub fn a_client_that_talks_past_its_total_limit_reads_its_replies_and_then_the_end<T: Transport>(
    suite: &Suite<T>,
) {
    let server = suite.start(Setup::total(SHORT));
    let mut client = server.connect();
    // It goes on after the limit, so there is always something that nobody will read.
    let talking = client.ask_for_ever();
    assert!(!client.read_to_end().is_empty());
    client.end_both_ways();
    talking.join().expect("the thread ends");
}

/// Its replies fill every buffer on the way, and then writing waits as reading does.
pub fn a_client_that_never_reads_is_dropped<T: Transport>(suite: &Suite<T>) {
    let (server, deaf) = suite.start_with_little_room(Setup::idle(SHORT));
    let started = Instant::now();
    let ended = deaf.flood().join().expect("the thread ends");
    assert!(started.elapsed() < GENEROUS, "it was not dropped: {ended}");
    drop(deaf);
    server.assert_serves();
}

/// A limit that no clock can hold is none.
pub fn the_longest_limits_are_as_good_as_none<T: Transport>(suite: &Suite<T>) {
    let longest = Duration::MAX;
    let mut setup = Setup { accept_timeout: Some(longest), ..Setup::drain(longest) };
    (setup.limits.idle, setup.limits.total) = (longest, longest);
    let server = suite.start(setup);
    server.assert_serves();
    server.assert_stops();
}

/// The time that the server takes is not the client's silence.
pub fn a_slow_reply_is_not_charged_to_its_client<T: Transport>(suite: &Suite<T>) {
    let server = suite.start(Setup::idle(EASY));
    let mut client = server.connect();
    let work = client.hold();
    client.ask();
    work.wait_until_held();
    // The time itself is the matter.
    thread::sleep(EASY + SHORT);
    drop(work);
    client.assert_answered();
    client.assert_served();
}

/// For servers with an accept timeout.
pub fn the_server_ends_when_nobody_comes_in_time<T: Transport>(suite: &Suite<T>) {
    let server = suite.start(Setup { accept_timeout: Some(SHORT), ..Setup::default() });
    server.assert_ends();
    server.assert_refuses();
}
