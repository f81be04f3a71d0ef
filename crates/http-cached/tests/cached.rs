//! What is sent, and what is not.

mod suite;

use httpcore::testing::{assert_answered, field, get};
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

#[test]
fn a_client_that_has_this_version_is_told_so() {
    let server = suite("site").start(Setup::default());
    let first = get(&server, "/hello.txt", "");
    for (name, asked) in [("ETag", "If-None-Match"), ("Last-Modified", "If-Modified-Since")] {
        let again = get(&server, "/hello.txt", &format!("{asked}: {}\r\n", field(&first, name)));
        assert_answered(&again, 304, "");
        assert_eq!(field(&again, name), field(&first, name));
    }
    let other = get(&server, "/hello.txt", "If-None-Match: \"other\"\r\n");
    assert_answered(&other, 200, "Привет, мир!\n");
    let failed = get(&server, "/hello.txt", "If-Match: \"other\"\r\n");
    assert!(failed.starts_with("HTTP/1.1 412 "), "{failed}");
}

#[test]
fn a_part_of_a_file_is_sent_alone() {
    let server = suite("site").start(Setup::default());
    for (range, part, told) in
        [("0-11", "Привет", "0-11"), ("14-", "мир!\n", "14-21"), ("-2", "!\n", "20-21")]
    {
        let response = get(&server, "/hello.txt", &format!("Range: bytes={range}\r\n"));
        assert_answered(&response, 206, part);
        assert_eq!(field(&response, "Content-Range"), format!("bytes {told}/22"));
    }
    let nothing = get(&server, "/hello.txt", "Range: bytes=22-\r\n");
    assert!(nothing.starts_with("HTTP/1.1 416 "), "{nothing}");
    assert_eq!(field(&nothing, "Content-Range"), "bytes */22");
    // It is no part of the page that was asked for, but text.
    let nothing = get(&server, "/index.html", "Range: bytes=999999-\r\n");
    assert!(nothing.starts_with("HTTP/1.1 416 "), "{nothing}");
    assert_eq!(field(&nothing, "Content-Type"), "text/plain; charset=utf-8");
    // Several parts, and what is no range, are answered with the whole.
    for range in ["0-1,4-5", "x"] {
        let response = get(&server, "/hello.txt", &format!("Range: bytes={range}\r\n"));
        assert_answered(&response, 200, "Привет, мир!\n");
    }
}

#[test]
fn a_part_of_another_version_is_not_mixed_with_this_one() {
    let server = suite("site").start(Setup::default());
    let fields = "Range: bytes=0-1\r\nIf-Range: \"other\"\r\n";
    assert_answered(&get(&server, "/hello.txt", fields), 200, "Привет, мир!\n");
}

/// Of two fields, a proxy may have believed the other one.
#[test]
fn what_is_said_twice_about_a_range_is_answered_with_the_whole() {
    let server = suite("site").start(Setup::default());
    let this = format!("If-Range: {}\r\n", field(&get(&server, "/hello.txt", ""), "ETag"));
    let one = format!("Range: bytes=0-1\r\n{this}");
    assert_answered(&get(&server, "/hello.txt", &one), 206, "П");
    for second in ["If-Range: \"other\"\r\n", "Range: bytes=2-3\r\n"] {
        let response = get(&server, "/hello.txt", &format!("{one}{second}"));
        assert_answered(&response, 200, "Привет, мир!\n");
    }
}
