//! Two nodes of one name, on a virtual clock, by seeds.

use gossip::Settings;
use gossip::replica::{Replica, generation};
use gossip::simulation::{Simulation, address};
use gossip::table::Event;

/// Four nodes, and two that are called "n4".
fn with_two_of_one_name(seed: u64) -> Simulation {
    let mut simulation = Simulation::new(6, 1, seed, &Settings::default());
    // Where nobody knows of anybody yet.
    simulation.halt(5);
    simulation.rounds(30);
    let life = generation(simulation.now(), 9);
    let (at, seeds) = (Some(address(5)), vec![address(0)]);
    *simulation.node(5) = Replica::new("n4".into(), life, at, seeds, Settings::default());
    simulation.go_on(5);
    simulation.rounds(60);
    simulation
}

#[test]
fn two_nodes_of_one_name_both_say_so_and_the_others_see_one_of_them() {
    for seed in 0..8 {
        let mut simulation = with_two_of_one_name(seed);
        for (number, other) in [(4, 5), (5, 4)] {
            let same = Event::SameName(address(other));
            assert!(simulation.told[number].contains(&same), "{number}, seed {seed}");
        }
        let seen = simulation.node(0).members()["n4"].generation;
        simulation.rounds(20);
        for number in 0..4 {
            assert_eq!(simulation.node(number).members()["n4"].generation, seen, "no war");
        }
    }
}

/// The one that the others see, with a goodbye or without.
#[test]
fn when_one_of_two_is_ended_the_other_has_the_name() {
    for seed in 0..8 {
        let mut simulation = with_two_of_one_name(seed);
        let seen = simulation.node(0).members()["n4"].address;
        let (ended, left) = if seen == Some(address(4)) { (4, 5) } else { (5, 4) };
        if seed % 2 == 0 {
            let now = simulation.now();
            for (to, body) in simulation.node(ended).leave(now, 7) {
                simulation.deliver(address(ended), to, body);
            }
        }
        simulation.halt(ended);
        simulation.rounds(40);
        simulation.say(left, "still here");
        simulation.rounds(10);
        for number in 0..4 {
            assert!(simulation.sees(number, 4), "{number}, seed {seed}");
            let notices = simulation.node(number).members()["n4"].notices().count();
            assert_eq!(notices, 1, "{number}, seed {seed}");
        }
    }
}
