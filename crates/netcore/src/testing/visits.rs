//! Questions are answered, and no client's end is the server's.

use super::{Setup, Suite, Transport};

/// On one connection, as many as it likes.
pub fn one_question_after_another_is_answered<T: Transport>(suite: &Suite<T>) {
    let server = suite.start(Setup::default());
    let mut client = server.connect();
    for _ in 0..3 {
        client.assert_served();
    }
}

/// Also where only one client is served at a time.
pub fn the_next_client_is_served_when_one_has_gone<T: Transport>(suite: &Suite<T>) {
    let server = suite.start(Setup::default());
    for _ in 0..3 {
        server.assert_serves();
    }
}

/// A half-close says that nothing more will be asked, and not that nobody reads.
pub fn a_client_that_half_closes_gets_its_answer_and_then_the_end<T: Transport>(suite: &Suite<T>) {
    let server = suite.start(Setup::default());
    let mut client = server.connect();
    client.ask();
    client.half_close();
    client.assert_answered();
    client.assert_ends();
}

/// The server learns of the bytes and of their end at once.
pub fn a_client_that_half_closes_before_its_turn_gets_its_answer_and_then_the_end<T: Transport>(
    suite: &Suite<T>,
) {
    let server = suite.start(Setup::default().at_most(1));
    let mut first = server.connect();
    first.assert_served();
    let mut second = server.connect();
    second.ask();
    second.half_close();
    drop(first);
    second.assert_answered();
    second.assert_ends();
}

/// Whoever says nothing is answered nothing.
pub fn a_client_that_says_nothing_and_leaves_gets_nothing<T: Transport>(suite: &Suite<T>) {
    let server = suite.start(Setup::default());
    let mut client = server.connect();
    client.half_close();
    client.assert_ends();
    server.assert_serves();
}

/// The server's next read or write fails.
pub fn a_client_that_resets_midway_does_not_stop_the_server<T: Transport>(suite: &Suite<T>) {
    let server = suite.start(Setup::default());
    let mut rude = server.connect();
    rude.assert_served();
    rude.ask();
    rude.reset();
    server.assert_serves();
}

/// Its answer comes to a socket that is closed.
pub fn a_client_that_does_not_wait_for_its_answer_does_not_stop_the_server<T: Transport>(
    suite: &Suite<T>,
) {
    let server = suite.start(Setup::default());
    let mut hasty = server.connect();
    hasty.ask();
    drop(hasty);
    server.assert_serves();
}

/// Some of them before they are accepted.
pub fn a_crowd_that_leaves_at_once_does_not_stop_the_server<T: Transport>(suite: &Suite<T>) {
    let server = suite.start(Setup::default());
    for _ in 0..50 {
        drop(server.connect());
        server.connect().reset();
    }
    server.assert_serves();
}
