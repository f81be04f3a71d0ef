//! What makes this server an echo: whoever makes another of it takes this file away.

use async_echo::{Echo, server};
use netcore::promises;
use netcore::testing::Suite;
use tokio::runtime::Runtime;

fn suite(upper: bool) -> Suite {
    Suite::new("hello", "hello", move |listener, setup, shutdown| {
        let service = Echo { upper, limits: setup.limits, max_clients: setup.max_clients };
        Runtime::new()?.block_on(server::serve(listener, service, shutdown))
    })
}

promises! { suite(false) =>
    each_message_comes_back,
    a_message_larger_than_every_buffer_on_the_way_comes_back_whole,
}

promises! { suite(true) =>
    upper_case_leaves_everything_but_ascii_letters_as_it_was,
}
