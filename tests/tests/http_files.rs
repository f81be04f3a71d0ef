//! What `http-server` finds for a path, and what it says about a file. Sections of four
//! digits are of RFC 9110, others say where they are from.

use std::fs;
use std::io::{Read, Write};
#[cfg(unix)]
use std::thread;
#[cfg(unix)]
use std::time::Instant;
use std::time::{Duration, SystemTime};

use ladder_tests::http::{HttpServer, Response};
use ladder_tests::site::Site;

/// [`CHANGED`](ladder_tests::site::CHANGED) in the three forms.
const CHANGED_DATES: [&str; 3] =
    ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"];

/// More than the buffers between two ends can hold.
const LARGE: usize = 64 << 20;

fn tag(response: &Response) -> String {
    response.field("etag").unwrap().to_string()
}

/// RFC 9110 section 17.3.
#[test]
fn paths_are_decoded_once_and_stay_inside() {
    let site = Site::new();
    site.write("a b.txt", "space")
        .write("d/100%.txt", "percent")
        .write("%41", "not A")
        .write("d/x", "x");
    let server = site.start(&[]);
    for (path, content) in [
        ("/a%20b.txt", "space"),
        ("/d/100%25.txt", "percent"),
        ("/%2541", "not A"),
        ("/d/../a%20b.txt", "space"),
        ("/./d/./x", "x"),
        ("//d///x", "x"),
        ("/%64/%78", "x"),
        ("/../../d/x", "x"),
        ("/%2e%2e/%2e%2E/d/x", "x"),
        ("/d/x?query", "x"),
    ] {
        server.get(path).expect_status(200).expect_body(content);
    }
    for (path, status) in [
        ("/%", 400),
        ("/%4", 400),
        ("/%zz", 400),
        ("/a%00b", 400),
        ("/d%2fx", 404),
        ("/d%5cx", 404),
        ("/d\\x", 404),
        ("/..%2f..%2fsecret", 404),
        ("/../secret", 404),
        ("/%2e%2e/secret", 404),
        ("/d/../../secret", 404),
        ("/....//secret", 404),
        ("/d/x/", 404),
        ("/d/x/y", 404),
        ("/missing", 404),
    ] {
        assert_eq!(server.get(path).status, status, "{path}");
    }
    // Whatever is wanted of it, and whatever else is served.
    for args in [&[][..], &["--health"]] {
        let server = site.start(args);
        for method in ["GET", "OPTIONS", "DELETE"] {
            let request = format!("{method} /%zz HTTP/1.1\r\nHost: localhost\r\n\r\n");
            assert_eq!(server.ask(request).status, 400, "{method} {args:?}");
        }
    }
    server.get(&format!("/{}", "a".repeat(300))).expect_status(404);
    server.get(&format!("/{}", "a/".repeat(4000))).expect_status(404);
}

#[cfg(unix)]
#[test]
fn pipes_and_devices_are_missing_and_nobody_waits_for_them() {
    let site = Site::new();
    let pipe = site.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    std::os::unix::fs::symlink("/dev/zero", site.path().join("zero")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(site.path().join("socket")).unwrap();
    let server = site.start(&["--follow-symlinks"]);
    for path in ["/pipe", "/zero", "/socket"] {
        server.get(path).expect_status(404);
    }
    assert!(!server.get("/").text().contains("pipe"));
}

/// RFC 9110 section 15.5.4.
#[cfg(unix)]
#[test]
fn what_may_not_be_read_is_403() {
    use std::os::unix::fs::PermissionsExt;
    if rustix::process::geteuid().is_root() {
        eprintln!("skipped: root may read everything");
        return;
    }
    let site = Site::new();
    site.write("closed", "x");
    fs::set_permissions(site.path().join("closed"), fs::Permissions::from_mode(0o0)).unwrap();
    site.start(&[]).get("/closed").expect_status(403);
}

#[cfg(unix)]
#[test]
fn links_inside_are_served_and_those_leading_out_are_missing() {
    use std::os::unix::fs::symlink;
    let site = Site::new();
    site.write("real/a.txt", "inside");
    let root = site.path();
    symlink("real/a.txt", root.join("relative")).unwrap();
    symlink(root.join("real/a.txt"), root.join("absolute")).unwrap();
    symlink("real", root.join("folder")).unwrap();
    symlink("../secret", root.join("out")).unwrap();
    symlink("..", root.join("up")).unwrap();
    symlink("circle", root.join("circle")).unwrap();
    symlink("nowhere", root.join("dangling")).unwrap();
    let server = site.start(&[]);
    for path in ["/relative", "/absolute", "/folder/a.txt"] {
        server.get(path).expect_status(200).expect_body("inside");
    }
    for path in ["/out", "/up/", "/up", "/up/secret", "/circle", "/dangling"] {
        assert_eq!(server.get(path).status, 404, "{path}");
    }
    let server = site.start(&["--follow-symlinks"]);
    server.get("/out").expect_status(200).expect_body("secret");
    server.get("/up/secret").expect_status(200).expect_body("secret");
}

/// RFC 8615: `/.well-known/` is meant to be found.
#[test]
fn dot_files_are_hidden_but_the_well_known_ones() {
    let site = Site::new();
    site.write(".env", "x")
        .write(".git/config", "x")
        .write("d/.x", "x")
        .write(".well-known/a", "known");
    site.write(".well-known/.b", "x").write("seen", "x");
    let server = site.start(&[]);
    for path in ["/.env", "/.git/config", "/.git/", "/.git", "/d/.x", "/.well-known/.b", "/%2eenv"]
    {
        assert_eq!(server.get(path).status, 404, "{path}");
    }
    server.get("/.well-known/a").expect_status(200).expect_body("known");
    let listing = server.get("/");
    assert!(
        listing.text().contains("seen") && !listing.text().contains(".env"),
        "{}",
        listing.text()
    );
    let server = site.start(&["--hidden"]);
    server.get("/.env").expect_status(200);
    assert!(server.get("/").text().contains(".env"));
}

/// RFC 9110 section 15.4.2. The way is relative to what was asked for: a proxy may have
/// stripped something from the front of it.
#[test]
fn a_folder_without_its_slash_redirects_to_itself() {
    let site = Site::new();
    site.write("d/index.html", "index").write("d/deep/x", "x");
    site.write("п р/x", "x").write("evil.example/x", "x");
    let mut redirects = vec![
        ("/d", "./d/"),
        ("/d?a=b&c", "./d/?a=b&c"),
        ("/x/../d", "./d/"),
        ("/d/deep", "./deep/"),
        ("/%D0%BF%20%D1%80", "./%D0%BF%20%D1%80/"),
        ("//evil.example", "./evil.example/"),
        ("///evil.example?x", "./evil.example/?x"),
        ("/%2e/evil.example", "./evil.example/"),
        ("/evil.example", "./evil.example/"),
    ];
    // What is in a name stays in it. NTFS has no such names.
    if cfg!(unix) {
        site.write("line\r\nX-A: b/x", "x");
        redirects.push(("/line%0d%0aX-A:%20b", "./line%0D%0AX-A%3A%20b/"));
        site.write("http:/x", "x");
        redirects.push(("/http:", "./http%3A/"));
    }
    let server = site.start(&[]);
    for (path, location) in redirects {
        server.get(path).expect_status(301).expect_field("location", location).expect_body("");
    }
}

#[test]
fn a_folder_shows_its_index() {
    let site = Site::new();
    site.write("a/index.html", "html").write("a/index.htm", "htm").write("b/index.htm", "htm");
    let server = site.start(&[]);
    server
        .get("/a/")
        .expect_status(200)
        .expect_field("content-type", "text/html; charset=utf-8")
        .expect_body("html");
    server.get("/b/").expect_status(200).expect_body("htm");
    // A better index that comes later is the index, though the other one has been kept in
    // memory.
    server.get("/b/").expect_body("htm");
    site.write("b/index.html", "new");
    server.get("/b/").expect_body("new");
}

#[test]
fn a_listing_shows_folders_first_and_names_of_any_kind() {
    let site = Site::new();
    let mut names = vec!["a10.txt", "a9.txt", "B.txt", "100%.txt", "q#&.txt", "Привет мир.txt"];
    // NTFS has no such names.
    if cfg!(unix) {
        names.extend(["q?.txt", "<b>'\".txt"]);
    }
    for name in &names {
        site.write(name, "x");
    }
    site.write("folder/x", "x");
    let server = site.start(&[]);
    let page =
        server.get("/").expect_status(200).expect_field("content-type", "text/html; charset=utf-8");
    let page = page
        .expect_field("cache-control", "no-store")
        .expect_field("x-content-type-options", "nosniff");
    let policy = page.field("content-security-policy").unwrap().to_string();
    assert!(policy.starts_with("default-src 'none'; style-src 'nonce-"), "{policy}");
    let html = page.text();
    assert!(!html.contains("<script") && !html.contains("<b>"), "{html}");
    let at = |text: &str| html.find(text).unwrap_or_else(|| panic!("{text} is not in {html}"));
    assert!(
        at(">folder/<") < at(">100%.txt<")
            && at(">a9.txt<") < at(">a10.txt<")
            && at(">a10.txt<") < at(">B.txt<")
    );
    assert!(html.contains("1994-11-06 08:49:37"), "{html}");
    let links = || {
        html.split("href=\"./")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .filter(|link| !link.is_empty())
    };
    assert_eq!(links().count(), names.len() + 1);
    for link in links().filter(|link| !link.ends_with('/')) {
        server.get(&format!("/{link}")).expect_status(200).expect_body("x");
    }
    let sorted = server.get("/?sort=name&order=down");
    assert!(sorted.text().find(">B.txt<") < sorted.text().find(">a9.txt<"));
}

/// macOS and Windows have no such names.
#[cfg(target_os = "linux")]
#[test]
fn names_that_are_not_text_have_a_link_that_works() {
    use std::os::unix::ffi::OsStrExt;
    let site = Site::new();
    fs::write(site.path().join(std::ffi::OsStr::from_bytes(b"\xff\n\x01")), "odd").unwrap();
    let server = site.start(&[]);
    assert!(server.get("/").text().contains("href=\"./%FF%0A%01\""));
    server.get("/%FF%0A%01").expect_status(200).expect_body("odd");
}

#[test]
fn a_listing_as_json_is_for_programs() {
    let site = Site::new();
    // NTFS has no quotation marks in names.
    let (name, href) = match cfg!(unix) {
        true => ("a \"b\".txt", "a%20%22b%22.txt"),
        false => ("a b.txt", "a%20b.txt"),
    };
    site.write(name, "12345").write("d/x", "");
    let server = site.start(&[]);
    let list = server
        .get_with("/", "Accept: application/json\r\n")
        .expect_field("content-type", "application/json");
    let list: serde_json::Value =
        serde_json::from_slice(&list.expect_field("vary", "Accept").body).unwrap();
    assert_eq!(list[0]["name"], "d");
    assert_eq!(list[0]["type"], "folder");
    assert_eq!(list[1]["name"], name);
    assert_eq!(list[1]["size"], 5);
    assert_eq!(list[1]["modified"], "1994-11-06T08:49:37Z");
    assert_eq!(list[1]["href"], href);
}

#[test]
fn a_folder_of_twenty_thousand_files_is_paged() {
    let site = Site::new();
    for n in 0..20_000 {
        fs::write(site.path().join(format!("f{n}")), "").unwrap();
    }
    let server = site.start(&[]);
    let rows = |path: &str| server.get(path).expect_status(200).text().matches("<tr><td>").count();
    assert_eq!((rows("/"), rows("/?page=2"), rows("/?page=3")), (10_000, 10_000, 0));
    assert_eq!(rows("/?page=nonsense"), 10_000);
    // RFC 8288: a program follows this.
    let next = "<?sort=name&order=up&page=2>; rel=\"next\"";
    server.get_with("/", "Accept: application/json\r\n").expect_field("link", next);
    server.get("/?page=2").expect_no_field("link");
}

/// RFC 9110 section 8.3.
#[test]
fn types_come_from_the_name_or_else_from_the_content() {
    let site = Site::new();
    for (name, content, expected) in [
        ("a.html", "", "text/html; charset=utf-8"),
        ("a.css", "", "text/css; charset=utf-8"),
        ("a.js", "", "text/javascript; charset=utf-8"),
        ("a.json", "", "application/json"),
        ("a.png", "", "image/png"),
        ("a.svg", "", "image/svg+xml"),
        ("a.mp4", "", "video/mp4"),
        ("a.wasm", "", "application/wasm"),
        ("a.TXT", "", "text/plain; charset=utf-8"),
        ("a.ts", "", "video/mp2t"),
        ("a.rpm", "", "application/x-rpm"),
        ("a.woff", "", "font/woff"),
        ("a.otf", "", "font/otf"),
        ("a.mjs", "", "text/javascript; charset=utf-8"),
        ("README", "Привет", "text/plain; charset=utf-8"),
        ("binary", "\0\u{1}\u{2}", "application/octet-stream"),
    ] {
        site.write(name, content);
        let server = site.start(&[]);
        let response = server
            .get(&format!("/{name}"))
            .expect_status(200)
            .expect_field("content-type", expected);
        response.expect_field("x-content-type-options", "nosniff");
    }
}

/// RFC 9110 section 8.3.2. With a charset in the header, a browser does not look at what the
/// page says of itself.
#[test]
fn text_is_said_to_be_in_utf_8_only_where_it_is() {
    let site = Site::new();
    let mir = b"\xec\xe8\xf0";
    let cyrillic = [b"<meta charset=windows-1251>".as_slice(), mir].concat();
    let late = [b"<meta charset=windows-1251>".as_slice(), &[b' '; 2_000], mir].concat();
    site.write("a.html", &cyrillic).write("late.html", &late).write("a.txt", mir);
    site.write("utf-8.html", "<meta charset=utf-8>мир").write("large.html", vec![0xec; 200_000]);
    let server = site.start(&[]);
    for (path, expected) in [
        ("/a.html", "text/html"),
        ("/late.html", "text/html"),
        ("/large.html", "text/html"),
        ("/a.txt", "text/plain"),
        ("/utf-8.html", "text/html; charset=utf-8"),
    ] {
        server.get(path).expect_status(200).expect_field("content-type", expected);
        let part = server.get_with(path, "Range: bytes=1-2\r\n").expect_status(206);
        part.expect_field("content-type", expected);
    }
}

/// RFC 9110 section 8.8.
#[test]
fn a_settled_file_has_a_strong_tag_and_its_date() {
    let site = Site::new();
    site.write("a.txt", "hello");
    let server = site.start(&[]);
    let response =
        server.get("/a.txt").expect_status(200).expect_field("last-modified", CHANGED_DATES[0]);
    let response =
        response.expect_field("cache-control", "no-cache").expect_field("accept-ranges", "bytes");
    let tag = tag(&response);
    assert!(tag.starts_with('"') && tag.ends_with('"'), "{tag}");
    // The same from memory.
    assert_eq!(
        server.get("/a.txt").expect_field("etag", &tag).field("last-modified"),
        Some(CHANGED_DATES[0])
    );
}

/// RFC 9110 sections 8.8.1 and 8.8.2.1.
#[test]
fn a_young_file_has_a_weak_tag_and_a_date_that_is_over() {
    let site = Site::new();
    let server = site.start(&[]);
    fs::write(site.path().join("a.txt"), "hello").unwrap();
    // A date that lies ahead says nothing; that it has been set now does.
    let future = SystemTime::now() + Duration::from_secs(3600);
    fs::File::options()
        .write(true)
        .open(site.path().join("a.txt"))
        .unwrap()
        .set_modified(future)
        .unwrap();
    let response = server.get("/a.txt").expect_status(200);
    assert!(tag(&response).starts_with("W/\""), "{}", response.head);
    let date = |name: &str| {
        let text = response.field(name).unwrap();
        // The time of day is enough, but for the second before midnight.
        text.get(17..25).unwrap().to_string()
    };
    assert!(
        date("last-modified") <= date("date") || date("date").starts_with("00:00:0"),
        "{}",
        response.head
    );
}

/// RFC 9110 section 8.8.1. Archives and clocks that were wrong leave such dates. Windows tells
/// no date but this one.
#[cfg(unix)]
#[test]
fn a_file_from_the_future_is_resumed_and_not_sent_twice() {
    let site = Site::new();
    site.write("a.txt", "0123456789").write("large", vec![b'x'; 200_000]);
    // A date that has come when the file is asked for: it is younger than its change.
    site.write("soon.txt", "0123456789");
    let server = site.start(&[]);
    for (name, ahead) in [("a.txt", 120), ("large", 10 * 365 * 24 * 3600), ("soon.txt", 1)] {
        let date = SystemTime::now() + Duration::from_secs(ahead);
        let file = fs::File::options().write(true).open(site.path().join(name)).unwrap();
        file.set_modified(date).unwrap();
        let path = format!("/{name}");
        // It is two seconds old before its tag is a promise: no event tells that.
        let deadline = Instant::now() + Duration::from_secs(20);
        let tag = loop {
            let tag = tag(&server.get(&path).expect_status(200));
            if tag.starts_with('"') {
                break tag;
            }
            assert!(Instant::now() < deadline, "{name} has {tag} still");
            thread::sleep(Duration::from_millis(50));
        };
        server.get(&path).expect_field("etag", &tag);
        server.get_with(&path, &format!("If-None-Match: {tag}\r\n")).expect_status(304);
        server.get_with(&path, &format!("If-Match: {tag}\r\n")).expect_status(200);
        let rest = format!("Range: bytes=5-\r\nIf-Range: {tag}\r\n");
        server.get_with(&path, &rest).expect_status(206);
        // An edit is seen all the same, also where the date is set to what it was.
        fs::write(site.path().join(name), "9876543210").unwrap();
        file.set_modified(date).unwrap();
        let edited = server.get_with(&path, &format!("If-None-Match: {tag}\r\n"));
        edited.expect_status(200).expect_body("9876543210");
    }
}

/// RFC 9110 section 8.8.1: the promise that a validator makes.
#[test]
fn an_edit_of_the_same_length_is_never_answered_with_304() {
    let site = Site::new();
    let server = site.start(&[]);
    let path = site.path().join("a.txt");
    for round in 0..200 {
        fs::write(&path, format!("{:03}", round)).unwrap();
        let before = server.get("/a.txt").expect_status(200);
        fs::write(&path, format!("{:03}", round + 500)).unwrap();
        let (tag, date) = (tag(&before), before.field("last-modified").unwrap());
        let content = format!("{:03}", round + 500);
        server
            .get_with("/a.txt", &format!("If-None-Match: {tag}\r\n"))
            .expect_status(200)
            .expect_body(&content);
        server
            .get_with("/a.txt", &format!("If-Modified-Since: {date}\r\n"))
            .expect_status(200)
            .expect_body(&content);
    }
}

/// RFC 9110 section 8.8.1. Builds that can be repeated give every file one date, and
/// copying tools that of the original. Windows tells no date but the one that can be
/// set.
#[cfg(unix)]
#[test]
fn an_edit_whose_date_is_set_back_is_never_answered_with_304() {
    use std::os::unix::fs::MetadataExt;

    let site = Site::new();
    let path = site.path().join("a.txt");
    let server = site.start(&[]);
    let day = Duration::from_secs(24 * 60 * 60);
    let before_1970 = [SystemTime::UNIX_EPOCH - 2 * day, SystemTime::UNIX_EPOCH - day];
    for dates in [[SystemTime::UNIX_EPOCH + day; 2], before_1970] {
        let write = |content: &str, date: SystemTime| {
            fs::write(&path, content).unwrap();
            fs::File::options().write(true).open(&path).unwrap().set_modified(date).unwrap();
            let metadata = fs::metadata(&path).unwrap();
            (metadata.ctime(), metadata.ctime_nsec())
        };
        let written = write("hello", dates[0]);
        let tag = tag(&server.get("/a.txt").expect_status(200));
        // Within one tick of the clock of files, nothing tells the two; then the tag was none to
        // be given again.
        let _ = write("world", dates[1]) == written;
        let edited = server.get_with("/a.txt", &format!("If-None-Match: {tag}\r\n"));
        edited.expect_status(200).expect_body("world");
    }
}

/// Windows tells no date but the one that can be set.
#[test]
fn an_edit_of_the_same_length_and_date_is_seen() {
    let site = Site::new();
    site.write("small", "hello").write("large", vec![b'x'; 200_000]);
    let server = site.start(&[]);
    for path in ["/small", "/large"] {
        server.get(path).expect_status(200);
    }
    fs::remove_file(site.path().join("large")).unwrap();
    site.write("small", "world").write("large", vec![b'y'; 200_000]);
    server.get("/small").expect_body("world");
    server.get("/large").expect_body(vec![b'y'; 200_000]);
}

/// RFC 9110 section 13.
#[test]
fn preconditions() {
    let site = Site::new();
    site.write("a.txt", "hello");
    let server = site.start(&[]);
    let tag = tag(&server.get("/a.txt"));
    let status = |fields: &str| server.get_with("/a.txt", fields).status;
    let earlier = "Sun, 06 Nov 1994 08:49:36 GMT";
    for (fields, expected) in [
        (format!("If-None-Match: {tag}\r\n"), 304),
        (format!("If-None-Match: W/{tag}\r\n"), 304),
        (format!("If-None-Match: \"a,b\", {tag}\r\n"), 304),
        ("If-None-Match: *\r\n".into(), 304),
        ("If-None-Match: \"other\"\r\n".into(), 200),
        (format!("If-None-Match: \"other\"\r\nIf-Modified-Since: {}\r\n", CHANGED_DATES[0]), 200),
        (format!("If-Modified-Since: {earlier}\r\n"), 200),
        ("If-Modified-Since: yesterday\r\n".into(), 200),
        (format!("If-Match: {tag}\r\n"), 200),
        ("If-Match: *\r\n".into(), 200),
        (format!("If-Match: W/{tag}\r\n"), 412),
        ("If-Match: \"other\"\r\n".into(), 412),
        (format!("If-Match: \"other\"\r\nIf-None-Match: {tag}\r\n"), 412),
        (format!("If-Unmodified-Since: {earlier}\r\n"), 412),
        (format!("If-Match: {tag}\r\nIf-Unmodified-Since: {earlier}\r\n"), 200),
    ] {
        assert_eq!(status(&fields), expected, "{fields}");
    }
    for date in CHANGED_DATES {
        assert_eq!(status(&format!("If-Modified-Since: {date}\r\n")), 304, "{date}");
        assert_eq!(status(&format!("If-Unmodified-Since: {date}\r\n")), 200, "{date}");
    }
    // Section 15.4.5: what a cache needs to refresh what it has.
    let fresh = server.get_with("/a.txt", &format!("If-None-Match: {tag}\r\n")).expect_status(304);
    let fresh = fresh
        .expect_field("etag", &tag)
        .expect_field("cache-control", "no-cache")
        .expect_no_field("content-length");
    assert!(fresh.field("date").is_some());
    // The same when the file is too large to be kept in memory.
    site.write("large", vec![b'x'; 200_000]);
    let large = server.get("/large").field("etag").unwrap().to_string();
    server.get_with("/large", &format!("If-None-Match: {large}\r\n")).expect_status(304);
}

/// RFC 9110 section 14.
#[test]
fn single_ranges() {
    let site = Site::new();
    site.write("a.txt", "0123456789").write("empty", "");
    let server = site.start(&[]);
    for (range, part, content_range) in [
        ("bytes=0-3", "0123", "bytes 0-3/10"),
        ("bytes=7-", "789", "bytes 7-9/10"),
        ("bytes=-2", "89", "bytes 8-9/10"),
        ("bytes=5-99", "56789", "bytes 5-9/10"),
        ("bytes=-99", "0123456789", "bytes 0-9/10"),
        ("bytes=0-1,2-3", "0123", "bytes 0-3/10"),
        ("bytes=0-0,99-", "0", "bytes 0-0/10"),
    ] {
        let response = server.get_with("/a.txt", &format!("Range: {range}\r\n")).expect_status(206);
        let response = response.expect_field("content-range", content_range).expect_body(part);
        response
            .expect_field("content-type", "text/plain; charset=utf-8")
            .expect_field("cache-control", "no-cache");
    }
    for range in [
        "bytes=3-1",
        "bytes=a-b",
        "bytes=",
        "lines=0-1",
        "bytes",
        "bytes=--1",
        &format!("bytes={}", vec!["0-0"; 17].join(",")),
    ] {
        server
            .get_with("/a.txt", &format!("Range: {range}\r\n"))
            .expect_status(200)
            .expect_body("0123456789");
    }
    for range in ["bytes=10-", "bytes=99-100", "bytes=-0"] {
        let response = server.get_with("/a.txt", &format!("Range: {range}\r\n")).expect_status(416);
        response.expect_field("content-range", "bytes */10");
    }
    server
        .get_with("/empty", "Range: bytes=0-\r\n")
        .expect_status(416)
        .expect_field("content-range", "bytes */0");
    // Section 14.2: a range is for GET alone.
    server
        .ask("HEAD /a.txt HTTP/1.1\r\nHost: localhost\r\nRange: bytes=0-1\r\n\r\n")
        .expect_status(200);
}

/// RFC 9110 section 14.6.
#[test]
fn several_ranges_come_as_parts() {
    let site = Site::new();
    site.write("a.txt", "0123456789");
    let server = site.start(&[]);
    let response = server
        .get_with("/a.txt", "Range: bytes=7-8, 0-1, 4-4\r\n")
        .expect_status(206)
        .expect_no_field("content-range");
    let boundary = response
        .field("content-type")
        .unwrap()
        .strip_prefix("multipart/byteranges; boundary=")
        .unwrap();
    let part = |range: &str, content: &str| {
        format!(
            "\r\n--{boundary}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes {range}/10\r\n\r\n{content}"
        )
    };
    let body =
        [part("7-8", "78"), part("0-1", "01"), part("4-4", "4"), format!("\r\n--{boundary}--\r\n")]
            .concat();
    assert_eq!(response.text(), body);
}

/// RFC 9110 section 13.1.5.
#[test]
fn a_range_of_another_version_is_the_whole_file() {
    let site = Site::new();
    site.write("a.txt", "0123456789");
    let server = site.start(&[]);
    let tag = tag(&server.get("/a.txt"));
    let status = |value: &str| {
        server.get_with("/a.txt", &format!("Range: bytes=0-1\r\nIf-Range: {value}\r\n")).status
    };
    assert_eq!(status(&tag), 206);
    assert_eq!(status(CHANGED_DATES[0]), 206);
    for value in [&format!("W/{tag}"), "\"other\"", "Sun, 06 Nov 1994 08:49:38 GMT", "nonsense"] {
        assert_eq!(status(value), 200, "{value}");
    }
    // Of two fields, a proxy may have believed the other one.
    assert_eq!(status(&format!("{tag}\r\nIf-Range: \"other\"")), 200);
    assert_eq!(status(&format!("{tag}\r\nRange: bytes=2-3")), 200);
}

#[test]
fn large_files_come_whole_and_in_parts() {
    let site = Site::new();
    let content: Vec<u8> = (0..3_000_000u32).map(|n| (n / 7) as u8).collect();
    site.write("large", &content);
    let server = site.start(&[]);
    server.get("/large").expect_status(200).expect_body(&content);
    let part = server.get_with("/large", "Range: bytes=1000000-2999999\r\n").expect_status(206);
    part.expect_body(&content[1_000_000..]);
}

/// RFC 9111 section 5.2.2.
#[test]
fn cache_control() {
    let site = Site::new();
    site.write("a.txt", "x");
    let server = site.start(&["--cache", "3600"]);
    server.get("/a.txt").expect_field("cache-control", "max-age=3600");
    server.get("/missing").expect_field("cache-control", "no-store");
    server.get("/").expect_field("cache-control", "no-store");
}

/// Fetch standard, CORS protocol. A page that puts a file together from its parts has to see
/// which they are.
#[test]
fn cors_and_headers_of_ones_own() {
    let site = Site::new();
    site.write("a.txt", "x");
    let server = site.start(&["--cors", "--header", "X-Robots-Tag: none", "--header", "X-B:c"]);
    for path in ["/a.txt", "/missing"] {
        let response = server.get(path).expect_field("access-control-allow-origin", "*");
        let response = response.expect_field("x-robots-tag", "none").expect_field("x-b", "c");
        let exposed = response.field("access-control-expose-headers").unwrap();
        for name in ["Content-Range", "Accept-Ranges", "ETag"] {
            assert!(exposed.split(", ").any(|exposed| exposed == name), "{name}: {exposed}");
        }
    }
    let preflight = "OPTIONS /a.txt HTTP/1.1\r\nHost: localhost\r\nOrigin: http://x\r\nAccess-Control-Request-Method: GET\r\n\
                     Access-Control-Request-Headers: range\r\n\r\n";
    let response =
        server.ask(preflight).expect_status(204).expect_field("access-control-allow-origin", "*");
    response.expect_field("access-control-allow-headers", "range");
    let server = site.start(&[]);
    let response = server.get("/a.txt").expect_no_field("access-control-allow-origin");
    response.expect_no_field("access-control-expose-headers");
}

/// RFC 9110 section 8.6.
#[test]
fn a_file_that_shrinks_under_way_ends_the_connection_short_and_one_that_grows_keeps_its_promise() {
    let site = Site::new();
    for (name, change) in [("shrinks", 1 << 20), ("grows", LARGE as u64 + 12345)] {
        site.write(name, vec![b'x'; LARGE]);
        let server = site.start(&[]);
        let mut peer = server.connect();
        peer.send(format!("GET /{name} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes());
        peer.stream().read_exact(&mut [0; 100]).unwrap();
        fs::File::options()
            .write(true)
            .open(site.path().join(name))
            .unwrap()
            .set_len(change)
            .unwrap();
        if name == "grows" {
            // Pipelined, so that the end of the first response is seen by the begin of the second.
            peer.send(b"GET /missing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        }
        let mut rest = Vec::new();
        peer.stream().read_to_end(&mut rest).unwrap();
        match name {
            "shrinks" => assert!(rest.len() < LARGE, "{}", rest.len()),
            _ => {
                let next = rest.windows(12).position(|window| window == b"HTTP/1.1 404").unwrap();
                // The head of the first response is less than 1,000 bytes.
                assert!((LARGE - 100..LARGE + 1000).contains(&next), "{next}");
            }
        }
        server.get("/missing").expect_status(404);
    }
}

#[test]
fn one_file_can_be_served_alone() {
    let site = Site::new();
    site.write("a.txt", "alone").write("b.txt", "not this one");
    let server = HttpServer::start(&[site.path().join("a.txt").to_str().unwrap()]);
    server
        .get("/")
        .expect_status(200)
        .expect_body("alone")
        .expect_field("content-type", "text/plain; charset=utf-8");
    server.get("/a.txt").expect_status(200).expect_body("alone");
    server.get("/b.txt").expect_status(404);
    server.get("/a.txt/x").expect_status(404);
}

/// The name that was typed is the one that is told and served.
#[cfg(unix)]
#[test]
fn one_file_has_the_name_that_it_was_given() {
    let site = Site::new();
    site.write("r1.html", "one").write("r2.html", "two").write(".env", "hidden");
    let link = site.path().join("current.html");
    std::os::unix::fs::symlink("r1.html", &link).unwrap();
    let server = HttpServer::start(&[link.to_str().unwrap()]);
    assert!(server.stdout_so_far().contains("/site/current.html at http://"));
    for _ in 0..2 {
        server.get("/current.html").expect_status(200).expect_body("one");
        server.get("/").expect_status(200).expect_body("one");
    }
    server.get("/r1.html").expect_status(404);
    // Whatever it leads to, when it is asked for.
    std::os::unix::fs::symlink("r2.html", site.path().join("next")).unwrap();
    fs::rename(site.path().join("next"), &link).unwrap();
    server.get("/current.html").expect_status(200).expect_body("two");
    server.get("/").expect_status(200).expect_body("two");
    let server = HttpServer::start(&[site.path().join(".env").to_str().unwrap()]);
    server.get("/.env").expect_status(200).expect_body("hidden");
    server.get("/").expect_status(200).expect_body("hidden");
}

#[test]
fn an_edit_is_seen_at_once() {
    let site = Site::new();
    site.write("a.txt", "v000");
    let server = site.start(&[]);
    for round in 1..100 {
        server.get("/a.txt");
        let mut file = fs::File::options().write(true).open(site.path().join("a.txt")).unwrap();
        write!(file, "v{round:03}").unwrap();
        server.get("/a.txt").expect_body(format!("v{round:03}"));
    }
}
