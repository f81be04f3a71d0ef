//! How fast it spreads
//!
//! The rung brings a whole network on a clock of its own: `Simulation`.
//! Let one node say something, and count the rounds until all know it.
//! Try it with 5, 50 and 100 nodes: it does not take ten times as long.
//!
//! Hint: `network.say(0, "hello")` is the news.
//!
//! Hint: `network.rounds_until(most, |network| network.is_agreed(1))` lets it run until every
//! board has the notices of one author, and returns the rounds; `None` after `most` of them.

use gossip::simulation::Simulation;

/// Rounds until all know what one has said, if they come to know it within `most`.
pub fn rounds(network: &mut Simulation, most: u64) -> Option<u64> {
    // Solution:
    network.say(0, "hello");
    network.rounds_until(most, |network| network.is_agreed(1))
    // End.
}

// The check. Nothing below is to be changed.
#[cfg(test)]
mod tests {
    use super::*;
    use gossip::Settings;

    fn network(nodes: usize) -> Simulation {
        Simulation::acquainted(nodes, 1, &Settings::default())
    }

    #[test]
    fn all_come_to_know_it_and_many_nodes_take_little_longer() {
        let few = rounds(&mut network(5), 20).expect("five nodes agree");
        let many = rounds(&mut network(50), 20).expect("fifty nodes agree");
        assert!(few >= 1, "it takes a round at least");
        assert!(many < 10 * few, "{few} rounds for 5 nodes and {many} for 50");
    }

    #[test]
    fn it_gives_up_where_the_rounds_are_not_enough() {
        assert_eq!(rounds(&mut network(50), 1), None);
    }
}
