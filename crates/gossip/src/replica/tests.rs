//! What one replica makes of what it is told, whoever tells it.

use std::net::Ipv4Addr;

use proptest::prelude::*;

use super::*;
use crate::wire::Notice;

fn settings() -> Settings {
    Settings::default()
}

fn address(number: u8) -> SocketAddr {
    (Ipv4Addr::new(10, 0, 0, number), 7400).into()
}

fn replica() -> Replica {
    let life = generation(Duration::from_secs(1), 0);
    Replica::new("me".into(), life, Some(address(1)), vec![], settings())
}

fn forged(name: &str, generation: u64, last: u32) -> Line {
    let (name, address) = (name.into(), Some(address(9)));
    Line { name, generation, heartbeat: 1, quiet: 0, first: 1, last, left: false, address }
}

#[test]
fn a_word_from_a_clock_that_is_days_ahead_is_not_believed() {
    let (mut replica, now) = (replica(), Duration::from_secs(1));
    let days = generation(Duration::from_secs(3 * 24 * 3600), 0);
    for name in ["me", "new"] {
        let body = Body { kind: Kind::Push, lines: vec![forged(name, days, 0)], batches: vec![] };
        replica.receive(address(9), &body, now);
        let told = replica.events();
        assert!(matches!(told.last(), Some(Event::Refused(..))), "{told:?}");
    }
    assert_eq!(replica.members().len(), 1);
}

/// Set at last, or after days of sleep, in which the time since the start stood still.
#[test]
fn a_clock_that_was_days_behind_and_is_set_lets_the_others_in() {
    let (mut replica, now) = (replica(), Duration::from_secs(5));
    let days = Duration::from_secs(3 * 24 * 3600);
    let body = Body {
        kind: Kind::Push,
        lines: vec![forged("new", generation(days, 0), 0)],
        batches: vec![],
    };
    replica.receive(address(9), &body, now);
    assert_eq!(replica.members().len(), 1);
    replica.look_at_clock(days, now);
    // What is set back again takes nothing away.
    replica.look_at_clock(now, now);
    replica.receive(address(9), &body, now);
    assert!(replica.members().contains_key("new"));
    // And nobody is believed who is days ahead of that.
    let ahead = forged("later", generation(2 * days, 0), 0);
    let body = Body { kind: Kind::Push, lines: vec![ahead], batches: vec![] };
    replica.receive(address(9), &body, now);
    assert!(!replica.members().contains_key("later"));
}

#[test]
fn a_liar_who_has_more_and_never_sends_it_is_not_asked_on_for_ever() {
    let (mut replica, now) = (replica(), Duration::from_secs(1));
    let lie = |kind| Body { kind, lines: vec![forged("liar", 1, 5)], batches: Vec::new() };
    replica.receive(address(9), &lie(Kind::Push), now);
    assert_eq!(replica.receive(address(9), &lie(Kind::Push), now), None);
    let mut answered = || replica.receive(address(9), &lie(Kind::Answer), now).is_some();
    let answers = (0..100).filter(|_| answered()).count();
    assert_eq!(answers, FURTHER as usize);
}

#[test]
fn what_was_taken_back_is_not_taken_from_who_has_not_heard_so() {
    let (mut replica, now) = (replica(), Duration::from_secs(1));
    let lines = vec![Line { first: 3, ..forged("other", 1, 4) }];
    let notice = |number: u32| Notice { number, age: 0, text: number.to_string().into() };
    let notices = (1..=4).map(notice).collect();
    let batch = Batch { name: "other".into(), generation: 1, after: 0, upto: 4, notices };
    replica.receive(address(9), &Body { kind: Kind::Push, lines, batches: vec![batch] }, now);
    let kept: Vec<u32> = replica.members()["other"].notices().map(|(number, _)| number).collect();
    assert_eq!(kept, [3, 4]);
}

#[test]
fn nobody_else_says_writes_or_takes_back_anything_in_our_name() {
    let now = Duration::from_secs(1);
    let generation = generation(now, 0);
    let ours = forged("me", generation, 1);
    let later = Line { heartbeat: u32::MAX, ..ours.clone() };
    let notice = |number: u32, text: &str| Notice { number, age: 0, text: text.into() };
    let batch = |after, notices| Batch { name: "me".into(), generation, after, upto: 9, notices };
    for (line, batches) in [
        (Line { left: true, ..later.clone() }, vec![]),
        (Line { first: 9, ..later.clone() }, vec![]),
        (Line { address: None, ..later.clone() }, vec![]),
        (Line { last: 9, ..later }, vec![batch(1, vec![notice(2, "false")])]),
        (ours, vec![batch(0, vec![notice(1, "false")])]),
    ] {
        let mut replica = replica();
        replica.say("true", now).unwrap();
        let body = Body { kind: Kind::Push, lines: vec![line.clone()], batches };
        replica.receive(address(9), &body, now);
        let me = &replica.members()["me"];
        assert_eq!((me.left, me.first, me.last), (false, 1, 1), "{line:?}");
        // Another one than that of which others know more than there is.
        let life = generation + u64::from(line.heartbeat == u32::MAX);
        assert_eq!((me.generation, me.address), (life, Some(address(1))), "{line:?}");
        let notices: Vec<&str> = me.notices().map(|(_, text)| &**text).collect();
        assert_eq!(notices, ["true"], "{line:?}");
    }
}

/// Or its machine was put back to an earlier state, and it begins to count at less.
#[test]
fn who_is_said_to_be_further_or_gone_is_heard_again() {
    let (mut replica, now) = (replica(), Duration::from_secs(1));
    let life = generation(now, 0);
    let mut other = Replica::new("other".into(), life, Some(address(2)), vec![], settings());
    let gone = Line { left: true, ..forged("me", 0, 0) };
    let taken_back = Line { first: 10, ..forged("me", 0, 9) };
    let all_is_there = forged("me", 0, 9);
    // As long as there is something that is overtaken, and where there never is.
    for (line, is_overtaken) in [
        (gone.clone(), false),
        (taken_back.clone(), false),
        (gone, true),
        (taken_back, true),
        (all_is_there, true),
    ] {
        let Member { generation, heartbeat, last, .. } = replica.members()["me"];
        let heartbeat = if is_overtaken { heartbeat } else { u32::MAX };
        let (name, upto) = ("me".into(), last + 9);
        let batch = Batch { name, generation, after: last, upto, notices: vec![] };
        let lines = vec![Line { generation, heartbeat, address: Some(address(1)), ..line }];
        let forged = Body { kind: Kind::Push, lines, batches: vec![batch] };
        other.receive(address(9), &forged, now);
        let text = format!("number {}", replica.members()["me"].last + 1);
        replica.say(&text, now).unwrap();
        for _ in 0..3 {
            let question = replica.body(Kind::Ask, now);
            let mut said = other.receive(address(1), &question, now);
            while let Some(answer) = said {
                let further = replica.receive(address(2), &answer, now);
                said = further.and_then(|body| other.receive(address(1), &body, now));
            }
        }
        let me = &other.members()["me"];
        assert!(!me.left && me.notices().any(|(_, known)| **known == *text), "{text}");
    }
}

proptest! {
    /// Whatever order, whatever is repeated or left out: a table is never ahead of what was
    /// said, and the newest word of an author stands.
    #[test]
    fn in_whatever_order_lines_come_the_newest_word_stands(
        said in proptest::collection::vec((1u64..4, 1u32..6, 0u32..4), 1..40),
    ) {
        let now = Duration::from_secs(1);
        let mut replica = Replica::new("me".into(), 1, Some(address(1)), vec![], settings());
        for (generation, heartbeat, first) in &said {
            let line = Line {
                heartbeat: *heartbeat,
                first: first + heartbeat,
                ..forged("other", *generation, 0)
            };
            let body = Body { kind: Kind::Push, lines: vec![line], batches: vec![] };
            replica.receive(address(2), &body, now);
        }
        let newest = said.iter().map(|(generation, heartbeat, _)| (*generation, *heartbeat)).max();
        let member = &replica.members()["other"];
        prop_assert_eq!(Some((member.generation, member.heartbeat)), newest);
    }

    /// Any part of any history, in any order and any number of times: what is kept is in
    /// order, without a gap that anybody had filled, and each of it is told once.
    #[test]
    fn notices_are_taken_in_order_and_once_however_they_come(
        parts in proptest::collection::vec((0u32..12, 1u32..5), 1..60),
    ) {
        let now = Duration::from_secs(1);
        let mut replica = Replica::new("me".into(), 1, Some(address(1)), vec![], settings());
        let mut last = 0;
        for (after, count) in parts {
            let upto = after + count;
            let notice = |number| Notice { number, age: 0, text: number.to_string().into() };
            let notices = (after + 1..=upto).map(notice).collect();
            let batch = Batch { name: "other".into(), generation: 1, after, upto, notices };
            let lines = vec![forged("other", 1, upto)];
            replica.receive(address(2), &Body { kind: Kind::Push, lines, batches: vec![batch] }, now);
            if after <= last {
                last = last.max(upto);
            }
        }
        prop_assert_eq!(replica.members()["other"].last, last);
        let wrote: Vec<u32> = replica.events().iter().filter_map(|event| match event {
            Event::Wrote(_, text) => text.parse().ok(),
            _ => None,
        }).collect();
        prop_assert_eq!(wrote, (1..=last).collect::<Vec<_>>());
    }
}
