//! What `http-server` keeps, in memory or open, between two requests for a file: it
//! must never show.

use std::fs;
use std::thread;
use std::time::Duration;

use ladder_tests::site::Site;

/// Files younger than two seconds are not kept, since they may change again without a
/// sign of it. The date of a file can be set, but not when that was done: so the wait
/// is for the age itself.
fn wait_until_files_are_old() {
    thread::sleep(Duration::from_millis(2_200));
}

/// The promise of RFC 9110 section 8.8.1.
#[test]
fn what_has_been_sent_before_is_seen_to_change() {
    let site = Site::new();
    let sizes = [("small", 1_000), ("large", 200_000)];
    for (name, size) in sizes {
        site.write(name, vec![b'a'; size]);
    }
    let server = site.start(&[]);
    wait_until_files_are_old();
    for (name, size) in sizes {
        let content = |byte: u8| vec![byte; size];
        let path = format!("/{name}");
        let tag = server.get(&path).expect_body(content(b'a')).field("etag").unwrap().to_string();
        for _ in 0..3 {
            server
                .get(&path)
                .expect_status(200)
                .expect_field("etag", &tag)
                .expect_body(content(b'a'));
        }
        server.get_with(&path, &format!("If-None-Match: {tag}\r\n")).expect_status(304);
        server.get_with(&path, "Range: bytes=1-3\r\n").expect_status(206).expect_body("aaa");
        // In place, with the length and the date that it had.
        site.write(name, content(b'b'));
        server.get(&path).expect_body(content(b'b'));
        // Another file under this name.
        site.write("other", content(b'c'));
        fs::rename(site.path().join("other"), site.path().join(name)).unwrap();
        server.get(&path).expect_body(content(b'c'));
        fs::remove_file(site.path().join(name)).unwrap();
        server.get(&path).expect_status(404);
    }
}

/// A name that becomes a link leading out is missing from then on.
#[cfg(unix)]
#[test]
fn what_a_name_stands_for_is_asked_each_time() {
    let site = Site::new();
    site.write("a.txt", "inside");
    let server = site.start(&[]);
    wait_until_files_are_old();
    for _ in 0..3 {
        server.get("/a.txt").expect_status(200).expect_body("inside");
    }
    fs::remove_file(site.path().join("a.txt")).unwrap();
    server.get("/a.txt").expect_status(404);
    std::os::unix::fs::symlink("../secret", site.path().join("a.txt")).unwrap();
    server.get("/a.txt").expect_status(404);
}

/// The same of a folder on the way: its files are still those that were read.
#[cfg(unix)]
#[test]
fn a_folder_that_becomes_a_link_leading_out_is_missing() {
    let site = Site::new();
    site.write("folder/a.txt", "inside");
    let server = site.start(&[]);
    wait_until_files_are_old();
    for _ in 0..3 {
        server.get("/folder/a.txt").expect_status(200).expect_body("inside");
    }
    fs::rename(site.path().join("folder"), site.outside().join("folder")).unwrap();
    std::os::unix::fs::symlink("../folder", site.path().join("folder")).unwrap();
    server.get("/folder/a.txt").expect_status(404);
}

/// A better index that comes later is the index from then on.
#[test]
fn an_index_of_second_choice_gives_way() {
    let site = Site::new();
    site.write("index.htm", "htm");
    let server = site.start(&[]);
    wait_until_files_are_old();
    for _ in 0..3 {
        server.get("/").expect_body("htm");
    }
    site.write("index.html", "html");
    server.get("/").expect_body("html");
}

/// Room on the disk would not come back otherwise, and descriptors would run out.
#[cfg(target_os = "linux")]
#[test]
fn few_files_are_kept_open_and_none_that_has_been_deleted() {
    let site = Site::new();
    let names: Vec<String> = (0..40).map(|n| format!("large{n}")).collect();
    for name in &names {
        site.write(name, vec![b'x'; 100_000]);
    }
    let server = site.start(&[]);
    wait_until_files_are_old();
    let open = || -> Vec<String> {
        let folder = fs::read_dir(format!("/proc/{}/fd", server.id())).unwrap();
        let target = |entry: std::io::Result<fs::DirEntry>| fs::read_link(entry.ok()?.path()).ok();
        let targets = folder.filter_map(target).map(|target| target.to_string_lossy().into_owned());
        targets.filter(|target| target.contains("large")).collect()
    };
    for name in &names {
        server.get(&format!("/{name}")).expect_status(200);
    }
    let kept = open();
    assert!(!kept.is_empty() && kept.len() <= 16, "{kept:?}");
    for name in &names {
        fs::remove_file(site.path().join(name)).unwrap();
        server.get(&format!("/{name}")).expect_status(404);
    }
    assert_eq!(open(), Vec::<String>::new());
}
