//! What no client can do to the others: true in every copy, whatever is answered.

mod suite;

use suite::suite;

httpcore::http_promises! { suite() =>
    a_silent_client_is_dropped_at_the_idle_limit,
    a_head_that_drips_is_dropped_at_the_total_limit,
    a_client_that_hangs_up_midway_does_not_stop_the_server,
    a_head_in_single_bytes_is_answered,
    a_head_without_an_end_is_not_kept,
    an_idle_client_keeps_nobody_waiting,
    a_response_arrives_whatever_is_sent_behind_the_request,
    a_stop_ends_a_server_with_an_idle_client,
}

netcore::promises! { suite() =>
    a_stop_ends_the_server_while_it_waits_for_a_client,
    the_server_ends_when_nobody_comes_in_time,
}
