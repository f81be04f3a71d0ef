//! What a server of datagrams survives, whatever it answers: true in every copy.
//!
//! In a copy, `question` is a datagram of your own protocol that your node answers.

use std::sync::mpsc;

use gossip::Settings;
use gossip::node::{self, Node, UNPRINTED};
use gossip::proofs::Proofs;
use gossip::replica::Replica;
use netcore::promises;
use netcore::testing::udp::Suite;

/// A knock.
fn question() -> Vec<u8> {
    b"NLG1\0\0\0\0\0\0\0\0\0my token".to_vec()
}

fn suite() -> Suite {
    Suite::new(question(), |socket, shutdown| {
        let settings = Settings::default();
        let address = socket.local_addr()?;
        let (every, nobody) = (settings.every, Vec::new());
        let replica = Replica::new("ann".into(), node::life(), Some(address), nobody, settings);
        let (screen, _lines) = mpsc::sync_channel(UNPRINTED);
        let proofs = Proofs::new(None).ok_or(std::io::ErrorKind::Other)?;
        node::serve(socket, &Node::new(replica, proofs, every, screen), shutdown)
    })
}

promises! { suite(), of netcore::testing::udp =>
    a_stop_ends_the_server_while_it_waits_for_a_datagram,
    a_stop_ends_the_server_while_datagrams_keep_coming,
    clients_that_are_gone_before_their_reply_do_not_stop_the_server,
    what_is_no_question_does_not_stop_the_server,
    clients_that_interleave_are_each_answered,
}
