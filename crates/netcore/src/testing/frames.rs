//! Messages behind a length: the limit on it, and what is no length. For a suite that is
//! made by [`of_messages`](Suite::of_messages).

use std::io::Write;
use std::thread;

use super::{SHORT, Setup, Stream, Suite, Transport};

/// A limit on messages that leaves room for one that drips.
const ROOMY: usize = 64 << 10;

/// Nothing is kept for what is too long, and a message of the limit itself is answered.
pub fn a_length_over_the_limit_is_refused_without_waiting_for_the_message<T: Transport>(
    suite: &Suite<T>,
) {
    let longest = suite.dialogue.longest_message();
    let server = suite.start(Setup { max_message: Some(longest), ..Setup::default() });
    for length in [longest as u32 + 1, u32::MAX] {
        let mut client = server.connect();
        client.say(&length.to_be_bytes());
        client.assert_ends();
    }
    server.assert_serves();
}

/// A browser that has lost its way.
pub fn a_client_of_another_protocol_is_refused<T: Transport>(suite: &Suite<T>) {
    let server = suite.start(Setup::default());
    let mut browser = server.connect();
    browser.say(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    browser.assert_ends();
    server.assert_serves();
}

/// Bytes that come now and then are no message, and do not renew the limit for one.
pub fn a_client_that_drips_one_message_is_dropped_at_the_idle_limit<T: Transport>(
    suite: &Suite<T>,
) {
    let server = suite.start(Setup { max_message: Some(ROOMY), ..Setup::idle(SHORT) });
    let mut client = server.connect();
    client.say(&(ROOMY as u32).to_be_bytes());
    let mut writer = client.stream().again().expect("a stream can be cloned");
    let dripping = thread::spawn(move || {
        while writer.write_all(b".").is_ok() {
            // The pause is the fault itself: a byte now and then.
            thread::sleep(SHORT / 10);
        }
    });
    client.assert_ends();
    client.end_both_ways();
    dripping.join().expect("the thread ends");
    server.assert_serves();
}
