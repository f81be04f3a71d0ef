//! What no client can do to the others: true in every copy, whatever is answered.

mod suite;

use suite::suite;

netcore::promises! { suite("site") =>
    one_question_after_another_is_answered,
    the_next_client_is_served_when_one_has_gone,
    a_client_that_half_closes_gets_its_answer_and_then_the_end,
    a_client_that_half_closes_before_its_turn_gets_its_answer_and_then_the_end,
    a_client_that_says_nothing_and_leaves_gets_nothing,
    a_client_that_resets_midway_does_not_stop_the_server,
    a_client_that_does_not_wait_for_its_answer_does_not_stop_the_server,
    a_crowd_that_leaves_at_once_does_not_stop_the_server,

    a_stop_ends_the_server_while_it_waits_for_a_client,
    a_stop_ends_the_server_while_it_waits_for_a_message,
    a_stop_ends_the_server_although_no_client_leaves,
    work_in_hand_is_finished_after_a_stop,
    what_has_arrived_before_a_stop_is_answered,
    a_client_that_goes_on_sending_reads_every_reply_and_then_the_end,
    a_client_that_begins_to_read_after_a_stop_reads_every_reply_and_then_the_end,
    a_stop_waits_for_the_work_in_hand_and_closes_it_at_the_drain_limit,
    a_client_that_never_stops_talking_delays_a_stop_to_the_drain_limit_and_no_longer,
    new_clients_are_refused_while_a_stop_waits_for_the_work_in_hand,
    a_panic_ends_one_visit_and_gives_its_permit_back,

    a_silent_client_is_dropped_and_the_next_one_served,
    a_client_that_asks_now_and_then_outlives_the_idle_limit,
    a_client_that_never_reads_is_dropped,
    the_longest_limits_are_as_good_as_none,
    a_slow_reply_is_not_charged_to_its_client,
    the_server_ends_when_nobody_comes_in_time,

    an_idle_client_keeps_nobody_waiting,
    a_client_that_never_reads_keeps_nobody_waiting,
    a_client_that_never_stops_talking_keeps_nobody_waiting,
    a_client_beyond_the_bound_is_served_when_another_leaves,
    a_slow_reply_is_not_charged_to_other_clients,

    a_question_that_is_split_at_any_byte_gets_one_answer,
    questions_that_arrive_together_are_answered_one_by_one_and_then_the_stream_ends,
    a_question_that_is_cut_at_any_byte_gets_no_answer,
    a_client_that_resets_in_the_middle_of_a_question_does_not_stop_the_server,
    many_clients_are_served_while_others_are_silent_or_in_the_middle_of_a_question,
    a_stop_ends_the_server_while_it_waits_for_the_rest_of_a_question,
}

netcore::promises! { suite("site"), of httpcore::testing =>
    a_head_that_drips_is_dropped_at_the_total_limit,
    a_head_in_single_bytes_is_answered,
    a_field_that_is_no_text_is_no_reason_to_refuse,
    a_head_without_an_end_is_not_kept,
    a_client_that_never_reads_is_dropped_at_the_total_limit,
    a_response_arrives_whatever_is_sent_behind_the_request,
    a_stop_ends_a_server_with_a_silent_client,
}
