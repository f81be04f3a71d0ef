//! What makes this server an echo: whoever makes another of it takes this file away.
#![cfg(unix)]

use netcore::promises;
use netcore::testing::{Suite, Unix};
use unix_echo::{Echo, server};

fn suite(upper: bool) -> Suite<Unix> {
    Suite::new("hello", "hello", move |listener, setup, shutdown| {
        let service = Echo {
            upper,
            accept_timeout: setup.accept_timeout,
            limits: setup.limits,
            allow_uid: Vec::new(),
        };
        server::serve(listener, &service, shutdown)
    })
}

promises! { suite(false) =>
    each_message_comes_back,
    a_message_larger_than_every_buffer_on_the_way_comes_back_whole,
}

promises! { suite(true) =>
    upper_case_leaves_everything_but_ascii_letters_as_it_was,
}
