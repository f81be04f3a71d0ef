//! What the rung promises of its limits is true of another path and another status as well:
//! some of it. A copy keeps the whole file, and changes `tests/suite/mod.rs`.

mod suite;

use suite::suite;

netcore::promises! { suite(&[]) =>
    one_question_after_another_is_answered,
    a_client_that_half_closes_gets_its_answer_and_then_the_end,
    work_in_hand_is_finished_after_a_stop,
    what_has_arrived_before_a_stop_is_answered,
    a_slow_reply_is_not_charged_to_its_client,
    a_question_that_is_split_at_any_byte_gets_one_answer,
    questions_that_arrive_together_are_answered_one_by_one_and_then_the_stream_ends,
    a_question_that_is_cut_at_any_byte_gets_no_answer,
}

netcore::promises! { suite(&[]), of httpcore::testing =>
    a_head_that_drips_is_dropped_at_the_total_limit,
    a_head_in_single_bytes_is_answered,
    a_field_that_is_no_text_is_no_reason_to_refuse,
    a_response_arrives_whatever_is_sent_behind_the_request,
}
