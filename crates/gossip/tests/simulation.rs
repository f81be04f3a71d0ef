//! Whole networks on a virtual clock, by seeds: every trap that is not about sockets.

use std::ops::Range;
use std::time::Duration;

use gossip::replica::{Replica, generation};
use gossip::simulation::{Simulation, Weather, address};
use gossip::table::{Event, NOTICES};
use gossip::{LEAST_PATIENCE, Settings};

const SEEDS: Range<u64> = 0..8;

fn settings() -> Settings {
    Settings::default()
}

fn acquainted(nodes: usize, seed: u64) -> Simulation {
    Simulation::acquainted(nodes, seed, &settings())
}

/// log2, rounded up.
fn doublings(nodes: usize) -> u64 {
    u64::from(nodes.next_power_of_two().ilog2())
}

fn told(simulation: &Simulation, number: usize, wanted: &Event) -> usize {
    simulation.told[number].iter().filter(|event| *event == wanted).count()
}

#[test]
fn what_one_says_all_know_after_a_number_of_rounds_that_grows_as_the_logarithm() {
    for (nodes, seeds) in [(2, SEEDS), (5, SEEDS), (50, 0..2), (120, 0..1)] {
        for seed in seeds {
            let mut simulation = acquainted(nodes, seed);
            simulation.say(nodes / 2, "hello");
            let most = doublings(nodes) + 3;
            let took = simulation.rounds_until(most, |it| it.is_agreed(1));
            assert!(took.is_some(), "{nodes} nodes, seed {seed}: more than {most} rounds");
        }
    }
}

#[test]
fn also_where_each_has_room_for_a_part_of_the_others_only() {
    let settings = Settings { max_nodes: 60, ..settings() };
    for seed in SEEDS {
        let mut simulation = Simulation::settled(600, 7, seed, &settings);
        simulation.say(7, "hello");
        let most = doublings(600) + 3;
        let took = simulation.rounds_until(most, |it| it.is_agreed(1));
        assert!(took.is_some(), "seed {seed}: more than {most} rounds");
        assert!((0..600).all(|number| simulation.knows(number) <= 60));
    }
}

#[test]
fn whoever_dies_the_rest_go_on_and_call_it_away_also_the_seed_of_all() {
    for seed in SEEDS {
        for dead in 0..5 {
            let mut simulation = acquainted(5, seed);
            simulation.halt(dead);
            let others: Vec<usize> = (0..5).filter(|number| *number != dead).collect();
            simulation.say(others[0], "without it");
            assert!(simulation.rounds_until(12, |it| it.is_agreed(1)).is_some());
            simulation.rounds(20);
            for other in others {
                assert!(!simulation.sees(other, dead), "seed {seed}");
                assert_eq!(told(&simulation, other, &Event::Away(format!("n{dead}").into())), 1);
            }
        }
    }
}

#[test]
fn whoever_lives_is_never_called_away_however_many_nodes_there_are() {
    for (nodes, rounds) in [(5, 400), (50, 120), (80, 120)] {
        let mut simulation = acquainted(nodes, 7);
        simulation.rounds(rounds);
        let events = simulation.told.iter().flatten();
        let away = events.filter(|event| matches!(event, Event::Away(_))).count();
        assert_eq!(away, 0, "{nodes} nodes");
    }
}

#[test]
fn nor_by_the_least_patience_that_can_be_set() {
    let away_after = Settings::default().every * LEAST_PATIENCE;
    let settings = Settings { away_after, ..settings() };
    settings.check().unwrap();
    for seed in SEEDS {
        // One more, and all would be more patient.
        let mut simulation = Simulation::acquainted(24, seed, &settings);
        simulation.rounds(200);
        let events = simulation.told.iter().flatten();
        let away = events.filter(|event| matches!(event, Event::Away(_))).count();
        assert_eq!(away, 0, "seed {seed}");
    }
}

#[test]
fn who_comes_back_empty_catches_up_and_its_new_notices_win_over_its_old_ones() {
    for seed in SEEDS {
        let mut simulation = acquainted(5, seed);
        for number in 0..5 {
            for text in 0..NOTICES {
                simulation.say(number, &format!("{text} of {number} {}", "x".repeat(150)));
            }
        }
        assert!(simulation.rounds_until(40, |it| it.is_agreed(5)).is_some());
        simulation.halt(2);
        simulation.rounds(3);
        simulation.restart(2, 4);
        simulation.say(2, "new");
        let caught_up = |it: &Simulation| {
            it.is_agreed(5) && it.running().all(|number| it.board(number)["n2"] == ["new"])
        };
        assert!(simulation.rounds_until(40, caught_up).is_some(), "seed {seed}");
    }
}

#[test]
fn a_clock_that_was_ahead_in_a_former_life_does_not_hide_the_new_one() {
    let mut simulation = acquainted(5, 1);
    let hour = Duration::from_secs(3600);
    let life = generation(hour, 0);
    *simulation.node(2) =
        Replica::new("n2".into(), life, Some(address(2)), vec![address(0)], settings());
    simulation.say(2, "from the future");
    assert!(simulation.rounds_until(20, |it| it.is_agreed(1)).is_some());
    simulation.restart(2, 0);
    simulation.say(2, "from now");
    let newer = |it: &Simulation| it.running().all(|one| it.board(one)["n2"] == ["from now"]);
    assert!(simulation.rounds_until(20, newer).is_some());
    let same = simulation.told.iter().flatten().any(|event| matches!(event, Event::SameName(_)));
    assert!(!same, "its former life is nobody else");
}

#[test]
fn a_network_that_was_cut_in_two_is_equal_everywhere_once_it_is_healed() {
    for seed in SEEDS {
        for (nodes, cut) in [(5, 2), (5, 1), (20, 10)] {
            let mut simulation = acquainted(nodes, seed);
            simulation.cut = Some(cut);
            // Long enough for each half to call the other one away.
            simulation.rounds(40);
            simulation.say(0, "here");
            simulation.say(nodes - 1, "there");
            simulation.rounds(20);
            assert!(!simulation.is_agreed(2));
            assert!(!simulation.sees(0, nodes - 1) && !simulation.sees(nodes - 1, 0));
            simulation.cut = None;
            let healed = |it: &Simulation| it.is_agreed(2) && it.sees(0, nodes - 1);
            let took = simulation.rounds_until(40, healed);
            assert!(took.is_some(), "{nodes} nodes, seed {seed}");
        }
    }
}

#[test]
fn who_stood_still_was_away_comes_back_and_blames_nobody() {
    for seed in SEEDS {
        let mut simulation = acquainted(5, seed);
        simulation.halt(3);
        simulation.rounds(30);
        simulation.say(0, "meanwhile");
        simulation.rounds(10);
        assert!((0..5).filter(|number| *number != 3).all(|number| !simulation.sees(number, 3)));
        simulation.go_on(3);
        let back = |it: &Simulation| it.is_agreed(1) && (0..5).all(|number| it.sees(number, 3));
        assert!(simulation.rounds_until(20, back).is_some(), "seed {seed}");
        for number in [0, 1, 2, 4] {
            assert_eq!(told(&simulation, number, &Event::Back("n3".into())), 1);
        }
        let blamed = simulation.told[3].iter().any(|event| matches!(event, Event::Away(_)));
        assert!(!blamed, "it stood still itself");
    }
}

#[test]
fn with_a_third_lost_some_doubled_and_all_out_of_order_all_agree_in_a_bounded_time() {
    for nodes in [5, 50] {
        for seed in SEEDS {
            let mut simulation = acquainted(nodes, seed);
            simulation.weather = Weather { lost: 30, doubled: 30, jitter: 2_000 };
            for text in 0..4 {
                for number in 0..5 {
                    simulation.say(number, &format!("{text} of {number}"));
                }
                simulation.rounds(1);
            }
            let most = 12 * doublings(nodes);
            let took = simulation.rounds_until(most, |it| it.is_agreed(5));
            assert!(took.is_some(), "{nodes} nodes, seed {seed}");
            assert_eq!(simulation.board(0)["n3"], [0, 1, 2, 3].map(|it| format!("{it} of 3")));
            // Each of them once, however often it came.
            let wrote = Event::Wrote("n3".into(), "2 of 3".into());
            assert_eq!(told(&simulation, 1, &wrote), 1);
        }
    }
}

#[test]
fn a_node_that_has_lost_everybody_comes_back() {
    for seed in SEEDS {
        let mut simulation = acquainted(5, seed);
        // Only this one, which is nobody's seed.
        simulation.cut = Some(4);
        simulation.rounds(200);
        assert!((0..4).all(|other| !simulation.sees(4, other)));
        simulation.say(1, "missed");
        simulation.cut = None;
        let back = |it: &Simulation| it.is_agreed(1) && (0..5).all(|one| it.sees(one, 4));
        assert!(simulation.rounds_until(40, back).is_some(), "seed {seed}");
    }
}

#[test]
fn nodes_that_start_before_their_seed_find_it_when_it_comes() {
    let mut simulation = Simulation::new(5, 1, 3, &settings());
    simulation.halt(0);
    simulation.rounds(100);
    assert_eq!(simulation.knows(1), 1);
    simulation.restart(0, 0);
    let met = |it: &Simulation| (0..5).all(|number| it.knows(number) == 5);
    assert!(simulation.rounds_until(40, met).is_some());
}

#[test]
fn what_was_forgotten_stays_forgotten_also_by_who_stood_still_meanwhile() {
    let settings = Settings { keep: Duration::from_secs(60), ..settings() };
    for seed in SEEDS {
        let mut simulation = Simulation::new(5, 1, seed, &settings);
        simulation.rounds(20);
        simulation.say(1, "soon forgotten");
        simulation.say(4, "of one who dies");
        simulation.rounds(20);
        assert!(simulation.is_agreed(2));
        simulation.halt(4);
        // One stands still with both in its table.
        simulation.halt(3);
        simulation.rounds(130);
        assert!(simulation.is_agreed(0));
        simulation.go_on(3);
        simulation.rounds(60);
        assert!(simulation.is_agreed(0), "seed {seed}");
        assert!((0..4).all(|number| simulation.knows(number) == 4), "the dead one is forgotten");
        let wrote = Event::Wrote("n1".into(), "soon forgotten".into());
        assert_eq!(told(&simulation, 0, &wrote), 1);
    }
}

#[test]
fn who_hears_of_a_notice_late_forgets_it_when_all_do() {
    let settings = Settings { keep: Duration::from_secs(60), ..settings() };
    for seed in SEEDS {
        let mut simulation = Simulation::acquainted(5, seed, &settings);
        simulation.say(1, "soon forgotten");
        // Three quarters of its time.
        simulation.rounds(90);
        simulation.restart(3, 0);
        assert!(simulation.rounds_until(20, |it| it.is_agreed(1)).is_some(), "seed {seed}");
        simulation.rounds(32);
        assert!(simulation.is_agreed(0), "seed {seed}");
    }
}

#[test]
fn what_was_taken_back_goes_everywhere_also_where_it_comes_late() {
    for seed in SEEDS {
        let mut simulation = acquainted(5, seed);
        simulation.say(1, "regretted");
        simulation.rounds(15);
        assert!(simulation.is_agreed(1));
        simulation.halt(3);
        let now = simulation.now();
        simulation.node(1).take_back(now);
        simulation.say(1, "better");
        simulation.rounds(15);
        simulation.go_on(3);
        simulation.rounds(15);
        for number in 0..5 {
            assert_eq!(simulation.board(number)["n1"], ["better"], "seed {seed}");
        }
    }
}

#[test]
fn a_node_that_says_goodbye_has_left_and_is_not_missed() {
    let mut simulation = acquainted(5, 2);
    let now = simulation.now();
    for (to, body) in simulation.node(2).leave(now, 11) {
        simulation.deliver(address(2), to, body);
    }
    simulation.halt(2);
    simulation.rounds(40);
    for number in [0, 1, 3, 4] {
        assert_eq!(told(&simulation, number, &Event::Left("n2".into())), 1);
        assert_eq!(told(&simulation, number, &Event::Away("n2".into())), 0);
    }
}
