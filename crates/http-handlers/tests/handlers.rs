//! Values that are returned.

mod suite;

use httpcore::testing::{ask, assert_answered, get};
use netcore::promises;
use netcore::testing::Setup;
use suite::suite;

promises! { suite, of httpcore::testing::files =>
    a_path_is_a_file_with_its_type,
    head_gets_the_head_alone,
    a_method_that_a_file_does_not_have_is_told_those_that_it_has,
    what_is_no_path_is_refused_whatever_is_wanted_of_it,
    no_path_leaves_the_folder,
    a_folder_is_its_index_or_a_list_and_ends_with_a_slash,
    only_text_in_utf_8_is_said_to_be_that,
}

#[cfg(unix)]
promises! { suite, of httpcore::testing::files =>
    no_link_leads_out_of_the_folder,
}

promises! { suite, of httpcore::testing::kept =>
    many_requests_are_answered_in_order_on_one_connection,
    an_empty_line_before_a_request_is_passed_over,
    a_client_of_1_0_is_not_kept_unless_it_asks,
    a_head_that_two_readers_could_take_differently_is_refused_and_the_connection_ends,
    head_gets_no_content_where_it_is_refused_either,
}

promises! { suite, of httpcore::testing::bodies =>
    a_body_comes_back_however_it_is_framed,
    a_request_behind_a_body_is_answered_too,
    an_empty_line_behind_a_body_is_no_request,
    a_client_that_waits_for_leave_is_given_it_and_then_the_answer,
    a_body_that_is_too_long_or_no_body_is_refused,
}

#[test]
fn what_follows_from_the_routes_need_not_be_written() {
    let server = suite("site").start(Setup::default());
    assert_answered(&get(&server, "/hello/%D0%BC%D0%B8%D1%80", ""), 200, "hi мир\n");
    let ask = |method: &str, path: &str| {
        ask(
            &server,
            format!("{method} {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").as_bytes(),
        )
    };
    assert_answered(&ask("HEAD", "/hello/a"), 200, "");
    let options = ask("OPTIONS", "/hello/a");
    assert!(
        options.starts_with("HTTP/1.1 204 ")
            && options.contains("\r\nAllow: GET, HEAD, OPTIONS\r\n")
    );
    assert!(ask("DELETE", "/echo").starts_with("HTTP/1.1 405 "));
    assert!(ask("DELETE", "/hello.txt").starts_with("HTTP/1.1 405 "));
}

#[test]
fn an_error_in_a_handler_is_a_status() {
    let server = suite("site").start(Setup::default());
    let start = "POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n";
    let request = [start.as_bytes(), b"Content-Length: 1\r\n\r\n\xff"].concat();
    assert!(ask(&server, &request).starts_with("HTTP/1.1 400 "));
}
