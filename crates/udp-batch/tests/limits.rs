//! What a server of datagrams survives, whatever it answers: true in every copy.
//!
//! In a copy, `question` is a datagram of your own protocol that your server answers.

use netcore::testing::udp::{self, Running};
use udp_batch::{Echo, server};

fn start() -> Running {
    Running::start(|socket, shutdown| server::serve(socket, &Echo::default(), shutdown))
}

fn question() -> Vec<u8> {
    b"hello".to_vec()
}

#[test]
fn a_stop_ends_the_server_while_it_waits_for_a_datagram() {
    udp::stops_while_it_waits(&start(), &question());
}

#[test]
fn a_stop_ends_the_server_while_datagrams_keep_coming() {
    udp::stops_while_datagrams_keep_coming(&start(), &question());
}

#[test]
fn clients_that_are_gone_before_their_reply_do_not_stop_the_server() {
    udp::survives_clients_that_are_gone(&start(), &question());
}

#[test]
fn what_is_no_question_does_not_stop_the_server() {
    udp::survives_what_is_no_question(&start(), &question());
}

#[test]
fn clients_that_interleave_are_each_answered() {
    udp::answers_clients_that_interleave(&start(), &question());
}
