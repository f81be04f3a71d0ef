//! What makes this server an echo: whoever makes another of it takes this file away.
#![cfg(unix)]

use netcore::promises;
use netcore::testing::{Suite, Unix};
use unix_echo::server;

fn suite(options: &'static [&'static str]) -> Suite<Unix> {
    Suite::new("hello", "hello", move |listener, setup, shutdown| {
        server::serve(listener, &setup.service(options), shutdown)
    })
}

promises! { suite(&[]) =>
    each_message_comes_back,
    a_message_larger_than_every_buffer_on_the_way_comes_back_whole,
}

promises! { suite(&["--upper"]) =>
    upper_case_leaves_everything_but_ascii_letters_as_it_was,
}
