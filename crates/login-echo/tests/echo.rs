//! What makes this server an echo: whoever makes another of it takes this file away.

use netcore::promises;

mod common;

promises! { common::suite::<common::Ann>("hello", "hello") =>
    each_message_comes_back,
    a_message_larger_than_every_buffer_on_the_way_comes_back_whole,
}

promises! { common::suite::<common::Bob>("hello", "hello") =>
    upper_case_leaves_everything_but_ascii_letters_as_it_was,
}
