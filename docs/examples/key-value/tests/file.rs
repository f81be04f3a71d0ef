//! What was said to be done is there at the next start.

use std::fs;
use std::path::{Path, PathBuf};

use key_value::Echo;
use netcore::Error;
use netcore::testing::Setup;
use tempfile::TempDir;

fn try_to_open(file: &Path) -> Result<Echo, Error> {
    let service: Echo = Setup::default().service(&["--file", file.to_str().expect("UTF-8")]);
    service.open()
}

fn open(file: &Path) -> Echo {
    try_to_open(file).expect("it can be opened")
}

/// A file in a folder that is gone at the end of the test.
struct Place(PathBuf, #[allow(dead_code, reason = "it is dropped with this")] TempDir);

impl Place {
    fn new() -> Place {
        let folder = tempfile::tempdir().unwrap();
        Place(folder.path().join("texts"), folder)
    }
}

#[test]
fn what_was_set_is_there_at_the_next_start_and_what_was_taken_is_not() {
    let place = Place::new();
    let store = open(&place.0);
    for (ask, reply) in [("set a one", "ok"), ("set b two words", "ok"), ("take a", "one")] {
        assert_eq!(store.reply(ask), reply);
    }
    drop(store);
    let store = open(&place.0);
    assert_eq!(store.reply("names"), "b");
    assert_eq!(store.reply("get b"), "two words");
}

#[test]
fn a_change_that_a_crash_has_cut_is_left_out_and_those_before_it_are_not() {
    let place = Place::new();
    let store = open(&place.0);
    store.reply("set a one");
    store.reply("set b two");
    drop(store);
    let whole = fs::read(&place.0).unwrap();
    for cut in 1.."\0\0\0\0set b two".len() {
        fs::write(&place.0, &whole[..whole.len() - cut]).unwrap();
        let store = open(&place.0);
        assert_eq!(store.reply("names"), "a", "{cut} bytes short");
        assert_eq!(store.reply("set c three"), "ok");
        drop(store);
        assert_eq!(open(&place.0).reply("names"), "a c");
    }
}

#[test]
fn a_file_that_is_something_else_is_left_alone() {
    let place = Place::new();
    fs::write(&place.0, b"\0\0\0\x05hello").unwrap();
    assert!(try_to_open(&place.0).is_err());
    assert_eq!(fs::read(&place.0).unwrap(), b"\0\0\0\x05hello");
}

#[test]
fn the_file_does_not_grow_with_every_change() {
    let place = Place::new();
    let store = open(&place.0);
    store.reply("set a one");
    let small = fs::metadata(&place.0).unwrap().len();
    store.reply(&format!("set a {}", "x".repeat(10_000)));
    assert!(fs::metadata(&place.0).unwrap().len() > 10_000);
    store.reply("set a one");
    drop(store);
    drop(open(&place.0));
    assert_eq!(fs::metadata(&place.0).unwrap().len(), small);
}

#[test]
fn one_server_has_the_file_and_a_second_one_is_told_so() {
    let place = Place::new();
    let store = open(&place.0);
    let refused = try_to_open(&place.0).unwrap_err().to_string();
    assert!(refused.ends_with("another server has it"), "{refused}");
    assert_eq!(store.reply("set a one"), "ok");
    drop(store);
    assert_eq!(open(&place.0).reply("get a"), "one");
}

#[cfg(unix)]
#[test]
fn who_may_not_read_the_file_may_not_do_so_after_a_start_either() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    drop(open(&place.0));
    fs::set_permissions(&place.0, fs::Permissions::from_mode(0o600)).unwrap();
    drop(open(&place.0));
    assert_eq!(fs::metadata(&place.0).unwrap().permissions().mode() & 0o777, 0o600);
}
