use super::*;
use crate::wire::Line;

const SECRET: &[u8] = b"a secret of a board";

fn here() -> SocketAddr {
    ([127, 0, 0, 1], 7400).into()
}

fn there() -> SocketAddr {
    ([192, 0, 2, 1], 7400).into()
}

fn proofs(secret: Option<&[u8]>) -> Proofs {
    Proofs::new(secret).unwrap()
}

fn body() -> Body {
    let line = Line {
        name: "ann".into(),
        generation: 1,
        heartbeat: 1,
        quiet: 0,
        first: 1,
        last: 0,
        left: false,
        address: Some(here()),
    };
    Body { kind: Kind::Ask, lines: vec![line; 20], batches: Vec::new() }
}

/// Two that have let each other in, each at its address.
fn acquainted(secret: Option<&[u8]>) -> (Proofs, Proofs) {
    let (mut ann, mut bob) = (proofs(secret), proofs(secret));
    let knock = ann.close(there(), &body());
    let Opened::Challenge(token) = bob.open(here(), &knock) else { panic!("a knock is answered") };
    assert_eq!(token.len(), knock.len());
    assert_eq!(ann.open(there(), &token), Opened::Admitted);
    (ann, bob)
}

#[test]
fn after_one_round_trip_what_is_said_is_believed_in_both_directions() {
    for secret in [None, Some(SECRET)] {
        let (mut ann, mut bob) = acquainted(secret);
        let asked = ann.close(there(), &body());
        assert_eq!(bob.open(here(), &asked), Opened::Body(body()));
        // That has brought her token as well.
        let answered = bob.close(here(), &body());
        assert_eq!(ann.open(there(), &answered), Opened::Body(body()));
    }
}

/// What is sent under somebody else's address, by whoever can hear nothing that comes back.
#[test]
fn an_address_that_has_proven_nothing_gets_no_more_bytes_than_it_has_sent() {
    let (ann, mut bob) = acquainted(None);
    for datagram in [ann.close(there(), &body()), ann.close(here(), &body())] {
        // As it was for bob, and from elsewhere; and with no token at all.
        match bob.open(there(), &datagram) {
            Opened::Challenge(back) => assert!(back.len() <= datagram.len()),
            other => panic!("{other:?}"),
        }
    }
    let noise: [&[u8]; 4] = [b"", b"NLG1", &[0xff; 600], &[b"NLG1", &[9; 17][..]].concat()];
    for datagram in noise {
        assert!(matches!(bob.open(there(), datagram), Opened::Refused(_)), "{datagram:?}");
    }
}

#[test]
fn a_token_that_nobody_has_asked_for_is_not_believed_and_not_answered() {
    let (mut ann, bob) = acquainted(None);
    let forged = bob.seal(TOKEN, [7; 8], here(), None);
    assert!(matches!(ann.open(there(), &forged), Opened::Refused(_)));
    // What ann has from bob still holds.
    let (asked, mut bob) = (ann.close(there(), &body()), bob);
    assert_eq!(bob.open(here(), &asked), Opened::Body(body()));
}

#[test]
fn who_has_started_anew_is_let_in_again_after_one_more_round_trip() {
    let (mut ann, _) = acquainted(None);
    let mut bob = proofs(None);
    let Opened::Challenge(token) = bob.open(here(), &ann.close(there(), &body())) else {
        panic!("an old token is challenged")
    };
    assert_eq!(ann.open(there(), &token), Opened::Admitted);
    assert_eq!(bob.open(here(), &ann.close(there(), &body())), Opened::Body(body()));
}

#[test]
fn with_a_secret_nobody_else_gets_a_byte_and_nothing_can_be_changed() {
    let (ann, mut bob) = acquainted(Some(SECRET));
    let asked = ann.close(there(), &body());
    for at in 0..asked.len() {
        let mut changed = asked.clone();
        changed[at] ^= 1;
        assert!(matches!(bob.open(here(), &changed), Opened::Refused(_)), "byte {at}");
    }
    for (stranger, why) in [
        (proofs(None), "it has no secret, and this board has one"),
        (
            proofs(Some(b"another secret, as long")),
            "it has another secret, or was changed on the way",
        ),
    ] {
        let knock = stranger.close(there(), &body());
        assert_eq!(bob.open(here(), &knock), Opened::Refused(why));
    }
    let why = "its board has a secret, and this node was given none";
    assert_eq!(proofs(None).open(here(), &asked), Opened::Refused(why));
}

#[test]
fn a_datagram_is_never_longer_than_passes_in_one_piece() {
    let (ann, _) = acquainted(Some(SECRET));
    let mut long = body();
    while long.size() + long.lines[0].size() <= crate::wire::ROOM {
        long.lines.push(long.lines[0].clone());
    }
    assert!(ann.close(there(), &long).len() <= crate::wire::LARGEST);
}

#[test]
fn an_address_that_answers_no_more_is_only_knocked_at() {
    let (mut ann, _) = acquainted(None);
    assert!(ann.close(there(), &body()).len() > HEAD);
    ann.forget(there());
    assert_eq!(ann.close(there(), &body()).len(), HEAD);
}

#[test]
fn ten_thousand_addresses_leave_the_memory_flat() {
    let mut bob = proofs(None);
    for number in 0..10_000_u32 {
        let from = (std::net::Ipv4Addr::from_bits(number), 1).into();
        let mut ann = proofs(None);
        let Opened::Challenge(token) = bob.open(from, &ann.close(here(), &body())) else {
            panic!()
        };
        ann.open(here(), &token);
        assert!(matches!(bob.open(from, &ann.close(here(), &body())), Opened::Body(_)));
    }
    assert!(bob.tokens.len() <= REMEMBERED);
}
