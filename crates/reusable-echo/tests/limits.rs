//! What this server promises whatever it does with a question: true in every copy.

use netcore::promises;
use netcore::testing::{Setup, Suite};
use reusable_echo::{Echo, server};

/// What the server answers, and always in the same way.
fn question() -> Vec<u8> {
    b"hello".into()
}

fn answer() -> Vec<u8> {
    let mut answer = question();
    Setup::default().service::<Echo>(&[]).reply(&mut answer);
    answer
}

fn suite() -> Suite {
    Suite::new(question(), answer(), |listener, setup, _| {
        server::serve(listener, &setup.service(&[]))
    })
}

promises! { suite() =>
    one_question_after_another_is_answered,
    the_next_client_is_served_when_one_has_gone,
    a_client_that_half_closes_gets_its_answer_and_then_the_end,
    a_client_that_half_closes_before_its_turn_gets_its_answer_and_then_the_end,
    a_client_that_says_nothing_and_leaves_gets_nothing,
    a_client_that_resets_midway_does_not_stop_the_server,
    a_client_that_does_not_wait_for_its_answer_does_not_stop_the_server,
    a_crowd_that_leaves_at_once_does_not_stop_the_server,
}
