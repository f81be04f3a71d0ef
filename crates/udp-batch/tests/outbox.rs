//! Which datagrams may leave together.

use std::net::{Ipv4Addr, SocketAddr};

use netcore::datagrams::LARGEST;
use udp_batch::outbox::{LONGEST_SEGMENT, Outbox};

const MAX: usize = 64;

fn peer(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

/// An outbox with datagrams of these lengths for one peer.
fn outbox(lengths: &[usize]) -> Outbox {
    let mut outbox = Outbox::default();
    for len in lengths {
        assert!(outbox.takes(peer(1), *len, MAX), "{len} of {lengths:?}");
        outbox.push(peer(1), &vec![0; *len]);
    }
    outbox
}

#[test]
fn an_empty_outbox_takes_anything() {
    for len in [0, 1, LONGEST_SEGMENT + 1, LARGEST, LARGEST + 12] {
        assert!(Outbox::default().takes(peer(1), len, 1));
    }
}

#[test]
fn datagrams_of_one_length_for_one_peer_go_together_and_the_last_may_be_shorter() {
    let full = outbox(&[100, 100]);
    assert!(full.takes(peer(1), 100, MAX));
    assert!(full.takes(peer(1), 1, MAX));
    assert!(!full.takes(peer(1), 101, MAX));
    assert!(!full.takes(peer(2), 100, MAX));
    let ended = outbox(&[100, 100, 99]);
    assert!(!ended.takes(peer(1), 99, MAX));
    assert!(!ended.takes(peer(1), 100, MAX));
}

#[test]
fn an_empty_datagram_goes_alone() {
    assert!(!outbox(&[100]).takes(peer(1), 0, MAX));
    assert!(!outbox(&[0]).takes(peer(1), 0, MAX));
    assert!(!outbox(&[0]).takes(peer(1), 100, MAX));
}

#[test]
fn no_more_go_together_than_a_call_takes() {
    let three = outbox(&[10, 10, 10]);
    assert!(three.takes(peer(1), 10, 4));
    assert!(!three.takes(peer(1), 10, 3));
    assert!(!outbox(&[10]).takes(peer(1), 10, 1));
}

#[test]
fn no_more_bytes_go_together_than_one_datagram_may_have() {
    let fits = outbox(&[LONGEST_SEGMENT; LARGEST / LONGEST_SEGMENT]);
    assert!(fits.takes(peer(1), LARGEST % LONGEST_SEGMENT, MAX));
    assert!(!fits.takes(peer(1), LONGEST_SEGMENT, MAX));
}

#[test]
fn datagrams_that_a_path_may_not_take_go_one_by_one() {
    assert!(outbox(&[LONGEST_SEGMENT]).takes(peer(1), LONGEST_SEGMENT, MAX));
    assert!(!outbox(&[LONGEST_SEGMENT + 1]).takes(peer(1), LONGEST_SEGMENT + 1, MAX));
}
