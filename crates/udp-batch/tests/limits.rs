//! What a server of datagrams survives, whatever it answers: true in every copy.
//!
//! In a copy, `question` is a datagram of your own protocol that your server answers.

use netcore::promises;
use netcore::testing::udp::Suite;
use udp_batch::{Echo, server};

fn question() -> Vec<u8> {
    b"hello".to_vec()
}

fn suite() -> Suite {
    Suite::new(question(), |socket, shutdown| server::serve(socket, &Echo::default(), shutdown))
}

promises! { suite(), of netcore::testing::udp =>
    a_stop_ends_the_server_while_it_waits_for_a_datagram,
    a_stop_ends_the_server_while_datagrams_keep_coming,
    clients_that_are_gone_before_their_reply_do_not_stop_the_server,
    what_is_no_question_does_not_stop_the_server,
    clients_that_interleave_are_each_answered,
}
