//! The corpus of the fuzz targets, replayed: what was found once is checked every time.
#![cfg(feature = "codec")]

use std::fs;
use std::path::Path;

mod checks;

fn replay(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut count = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        println!("{}", path.display());
        check(&fs::read(path).unwrap());
        count += 1;
    }
    assert!(count > 0, "{} is empty", folder.display());
}

#[test]
fn every_stream_of_frames_in_the_corpus_is_read_as_it_should_be() {
    replay("frame", checks::frames);
}

#[test]
fn every_message_in_the_corpus_is_decoded_as_it_should_be() {
    replay("codec", checks::values);
}
