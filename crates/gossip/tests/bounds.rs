//! What does not grow, whoever sends what: the memory of a node, and what it sends itself.

use std::collections::BTreeSet;
use std::sync::Arc;

use gossip::Settings;
use gossip::replica::Replica;
use gossip::simulation::{Simulation, address};
use gossip::table::{Event, NOTICES};
use gossip::wire::{Batch, Body, Kind, LONGEST_TEXT, Line, Notice};

fn settings() -> Settings {
    Settings::default()
}

/// A line about somebody, as whoever has the ear of a node can send it.
fn forged(name: &str, generation: u64, last: u32) -> Line {
    let (name, address) = (name.into(), Some(address(9_999)));
    Line { name, generation, heartbeat: 1, quiet: 0, first: 1, last, left: false, address }
}

#[test]
fn ten_thousand_forged_nodes_and_notices_leave_the_memory_flat_and_the_board_alone() {
    let settings = Settings { max_nodes: 200, ..settings() };
    let mut simulation = Simulation::acquainted(5, 4, &settings);
    simulation.say(1, "true");
    simulation.rounds(10);
    let (now, most) = (simulation.now(), settings.max_nodes);
    let mut refused = 0;
    for number in 0..10_000_u32 {
        let name = format!("forged-{number}");
        let text: Arc<str> = "x".repeat(LONGEST_TEXT).into();
        let notices = (1..=20).map(|number| Notice { number, age: 0, text: text.clone() });
        let (generation, notices) = (1, notices.collect());
        let batch = Batch { name: name.as_str().into(), generation, after: 0, upto: 20, notices };
        let lines = vec![forged(&name, 1, 20)];
        let body = Body { kind: Kind::Push, lines, batches: vec![batch] };
        simulation.node(0).receive(address(9_999), &body, now);
        let events = simulation.node(0).events();
        refused += events.iter().filter(|event| matches!(event, Event::Refused(..))).count();
    }
    let members = simulation.node(0).members();
    assert_eq!(members.len(), most);
    assert!(members.values().all(|member| member.notices().count() <= NOTICES));
    assert_eq!(refused, 10_000 - (most - 5));
    // The nodes that were there are still there, and talk.
    simulation.say(2, "still true");
    let hears = |it: &Simulation| it.board(0).contains_key("n2");
    assert!(simulation.rounds_until(30, hears).is_some());
    assert_eq!(simulation.board(0)["n1"], ["true"]);
    // When they have been silent for long enough, there is room for others.
    simulation.rounds(120);
    let now = simulation.now();
    let body = Body { kind: Kind::Push, lines: vec![forged("late", 1, 0)], batches: Vec::new() };
    simulation.node(0).receive(address(9_998), &body, now);
    assert!(simulation.node(0).members().contains_key("late"));
}

#[test]
fn ten_thousand_who_take_the_name_of_a_node_change_it_a_few_times_and_no_more() {
    let mut simulation = Simulation::acquainted(5, 4, &settings());
    let (now, mut lives) = (simulation.now(), BTreeSet::new());
    let generation = |node: &Replica| node.members()["n0"].generation;
    let began = generation(simulation.node(0));
    for number in 0..10_000 {
        let line = Line {
            address: Some(address(10_000 + number)),
            ..forged("n0", generation(simulation.node(0)) + 1, 0)
        };
        let body = Body { kind: Kind::Push, lines: vec![line], batches: Vec::new() };
        simulation.node(0).receive(address(9_999), &body, now);
        simulation.node(0).events();
        lives.insert(generation(simulation.node(0)));
    }
    // One or two are another life, or another node of that name. Each further one would be looked
    // after as well, for ever.
    assert!((2..20).contains(&lives.len()), "{} lives, from {began} on", lives.len());
}

#[test]
fn who_only_visits_makes_room_for_the_next_and_pushes_no_node_out() {
    let settings = Settings { max_nodes: 20, ..settings() };
    let mut simulation = Simulation::acquainted(5, 4, &settings);
    let now = simulation.now();
    for number in 0..100 {
        let visitor = Line { address: None, ..forged(&format!("visitor-{number}"), 1, 0) };
        let body = Body { kind: Kind::Push, lines: vec![visitor], batches: Vec::new() };
        simulation.node(0).receive(address(9_999), &body, now);
        assert!(simulation.node(0).members().contains_key(format!("visitor-{number}").as_str()));
    }
    assert_eq!(simulation.knows(0), 20);
    assert!((1..5).all(|number| simulation.sees(0, number)));
}

#[test]
fn idle_traffic_of_a_node_does_not_grow_with_the_number_of_nodes() {
    let mut rates = Vec::new();
    for nodes in [50, 100, 150] {
        let mut simulation = Simulation::new(nodes, 1, 6, &settings());
        simulation.rounds(40);
        let before: u64 = simulation.sent.iter().sum();
        simulation.rounds(20);
        let sent: u64 = simulation.sent.iter().sum::<u64>() - before;
        rates.push(sent / nodes as u64 / 20);
    }
    // A question and an answer in each round.
    assert!(rates.iter().all(|bytes| *bytes <= 2 * 1_200), "{rates:?}");
    assert!(rates[2] <= rates[0] * 11 / 10, "{rates:?}");
}
