//! What makes this server an echo: whoever makes another of it takes this file away.

use netcore::promises;
use netcore::testing::Suite;
use self_update::{Echo, server};

fn suite() -> Suite {
    Suite::new("hello", "hello", |listener, setup, shutdown| {
        server::serve(listener, &setup.service::<Echo>(&[]), shutdown)
    })
}

promises! { suite() =>
    each_message_comes_back,
    a_message_larger_than_every_buffer_on_the_way_comes_back_whole,
}
