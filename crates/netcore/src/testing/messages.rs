//! Where one question ends and the next begins: for servers that read a question to its
//! end before they answer it.

use std::thread;

use super::{Client, Setup, Stream, Suite, Transport};

/// Clients that hang about while another one is served.
const CROWD: usize = 20;

/// Reads end where the network has it, and a question ends where it ends.
pub fn a_question_that_is_split_at_any_byte_gets_one_answer<T: Transport>(suite: &Suite<T>) {
    let server = suite.start(Setup::default());
    let mut client = server.connect();
    let question = client.question();
    for split in 0..=question.len() {
        // One write, so once the server has answered the first question it has this part of
        // the second as well.
        client.say(&[&question, &question[..split]].concat());
        client.assert_answered();
        client.say(&question[split..]);
        client.assert_answered();
    }
}

/// What is behind a question belongs to the next.
pub fn questions_that_arrive_together_are_answered_one_by_one_and_then_the_stream_ends<
    T: Transport,
>(
    suite: &Suite<T>,
) {
    let server = suite.start(Setup::default());
    let mut client = server.connect();
    client.say(&client.question().repeat(5));
    client.half_close();
    for _ in 0..5 {
        client.assert_answered();
    }
    client.assert_ends();
}

/// Half a question is none.
pub fn a_question_that_is_cut_at_any_byte_gets_no_answer<T: Transport>(suite: &Suite<T>) {
    let server = suite.start(Setup::default());
    for cut in 0..server.connect().question().len() {
        let mut client = server.connect();
        client.say(&client.question()[..cut]);
        client.half_close();
        client.assert_ends();
    }
    server.assert_serves();
}

/// The server's next read fails.
pub fn a_client_that_resets_in_the_middle_of_a_question_does_not_stop_the_server<T: Transport>(
    suite: &Suite<T>,
) {
    let server = suite.start(Setup::default());
    let mut rude = server.connect();
    say_half(&mut rude);
    rude.reset();
    server.assert_serves();
}

/// Half a question takes nothing from anybody, and can still become a whole one.
pub fn many_clients_are_served_while_others_are_silent_or_in_the_middle_of_a_question<
    T: Transport,
>(
    suite: &Suite<T>,
) {
    let server = suite.start(Setup::default().at_most(2 * CROWD));
    let mut others: Vec<Client<T::Stream>> = (0..CROWD).map(|_| server.connect()).collect();
    let (halfway, _silent) = others.split_at_mut(CROWD / 2);
    let rests: Vec<Vec<u8>> = halfway.iter_mut().map(say_half).collect();
    thread::scope(|scope| {
        for _ in 0..CROWD {
            scope.spawn(|| server.assert_serves());
        }
    });
    for (client, rest) in halfway.iter_mut().zip(rests) {
        client.say(&rest);
        client.assert_answered();
    }
}

/// read(2) would go on waiting for the rest.
pub fn a_stop_ends_the_server_while_it_waits_for_the_rest_of_a_question<T: Transport>(
    suite: &Suite<T>,
) {
    let server = suite.start(Setup::default());
    let mut client = server.connect();
    let question = client.question();
    // Once the first question is answered, the server is known to have the beginning of the
    // second.
    client.say(&[&question, &question[..question.len() / 2]].concat());
    client.assert_answered();
    server.stop();
    client.assert_ends();
    drop(client);
    server.assert_ends();
    server.assert_refuses();
}

/// Returns the other half.
fn say_half<S: Stream>(client: &mut Client<S>) -> Vec<u8> {
    let question = client.question();
    let (half, rest) = question.split_at(question.len() / 2);
    client.say(half);
    rest.to_vec()
}
