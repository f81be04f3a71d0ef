//! What was said to be done is there at the next start.

use std::fs;

use key_value::Echo;
use netcore::testing::Setup;

fn open(file: &std::path::Path) -> Echo {
    let service: Echo = Setup::default().service(&["--file", file.to_str().expect("UTF-8")]);
    service.open().expect("it can be opened")
}

/// A file that is gone at the end of the test.
struct Place(std::path::PathBuf);

impl Place {
    fn new(name: &str) -> Place {
        let file = format!("key-value-{}-{name}", std::process::id());
        Place(std::env::temp_dir().join(file))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[test]
fn what_was_set_is_there_at_the_next_start_and_what_was_taken_is_not() {
    let place = Place::new("kept");
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
    let place = Place::new("cut");
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
    let place = Place::new("other");
    fs::write(&place.0, b"\0\0\0\x05hello").unwrap();
    let service: Echo = Setup::default().service(&["--file", place.0.to_str().expect("UTF-8")]);
    assert!(service.open().is_err());
    assert_eq!(fs::read(&place.0).unwrap(), b"\0\0\0\x05hello");
}

#[test]
fn the_file_does_not_grow_with_every_change() {
    let place = Place::new("small");
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
