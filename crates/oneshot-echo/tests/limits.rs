//! What this server promises whatever it does with a question, and what it does wrong:
//! true in every copy.

use netcore::promises;
use netcore::testing::{Setup, Suite};
use oneshot_echo::{Echo, server};

/// What the server answers, and always in the same way.
fn question() -> Vec<u8> {
    b"hello".into()
}

fn answer() -> Vec<u8> {
    let mut answer = question();
    Setup::default().service::<Echo>(&[]).reply(&mut answer);
    answer
}

fn suite() -> Suite {
    Suite::new(question(), answer(), |listener, setup, _| {
        server::serve(listener, &setup.service(&[]))
    })
}

promises! { suite() =>
    one_question_after_another_is_answered,
    a_client_that_half_closes_gets_its_answer_and_then_the_end,
}

#[test]
fn one_client_is_served_and_then_the_server_ends() {
    let server = suite().start(Setup::default());
    server.assert_serves();
    server.assert_ends();
    server.assert_refuses();
}

#[test]
fn an_error_of_the_client_is_the_end() {
    let server = suite().start(Setup::default());
    let mut rude = server.connect();
    rude.assert_served();
    rude.reset();
    assert!(server.end().is_err());
}

#[test]
fn without_the_half_close_both_ends_wait_for_each_other() {
    let server = suite().start(Setup::default());
    let mut client = server.connect();
    client.assert_served();
    // Python's "read until the server closes" would be here now: the server waits for our
    // end of stream, we for its.
    client.assert_waits();
    // The half-close is what both were waiting for.
    client.half_close();
    client.assert_ends();
    server.assert_ends();
}

#[test]
fn a_client_that_writes_more_than_the_buffers_hold_before_it_reads_waits_for_ever() {
    let (server, client) = suite().start_stuck(Setup::default());
    // Both wait in a write by now, and nothing but an end ends that.
    client.reset();
    assert!(server.end().is_err());
}
