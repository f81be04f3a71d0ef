//! What sites that were built by a tool want of `http-server`: a page for 404, an app
//! of one page, compressed siblings. Sections of four digits are of RFC 9110, others
//! say where they are from.

use std::fs;
use std::time::{Duration, Instant};

use ladder_tests::http::HttpServer;
use ladder_tests::site::{CHANGED, Site, set_changed};

const HTML: &str = "Accept: text/html,*/*;q=0.8\r\n";

/// RFC 9110 section 15.5.5.
#[test]
fn a_site_has_a_page_of_its_own_for_404() {
    let site = Site::new();
    site.write("404.html", "<h1>lost</h1>").write("d/x", "x");
    let server = site.start(&[]);
    for (path, fields) in [
        ("/missing", HTML),
        ("/d/missing/", ""),
        ("/..%2fx", ""),
        ("/missing", "Range: bytes=0-1\r\n"),
    ] {
        let page = server.get_with(path, fields).expect_status(404).expect_body("<h1>lost</h1>");
        let page = page.expect_field("content-type", "text/html; charset=utf-8");
        let page = page.expect_field("cache-control", "no-store").expect_field("vary", "Accept");
        // It is no version of what was asked for.
        page.expect_no_field("etag").expect_no_field("last-modified");
    }
    let head = server.ask("HEAD /missing HTTP/1.1\r\nHost: localhost\r\n\r\n").expect_status(404);
    head.expect_field("content-length", "13").expect_body("");
    server
        .get_with("/missing", "If-None-Match: *\r\n")
        .expect_status(404)
        .expect_body("<h1>lost</h1>");
    let json = server.get_with("/missing", "Accept: application/json\r\n").expect_status(404);
    json.expect_field("content-type", "application/json");
    // Other errors are not about a page that is missing.
    server.get_with("/%zz", HTML).expect_status(400);
    server
        .ask("POST /missing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
        .expect_status(405);
    server.get("/404.html").expect_status(200);
}

/// RFC 9110 section 8.3.2.
#[test]
fn a_page_for_404_is_not_said_to_be_in_a_charset_that_it_is_not_in() {
    let site = Site::new();
    let page = b"<meta charset=windows-1251>\xed\xe5\xf2";
    site.write("404.html", page);
    let page = site.start(&[]).get("/missing").expect_status(404).expect_body(page);
    page.expect_field("content-type", "text/html");
}

/// The head of a file waits for its first bytes, for a fifth of a second on Linux. Here
/// none come.
#[test]
fn an_empty_page_is_not_held_back() {
    let site = Site::new();
    site.write("404.html", "");
    let server = site.start(&[]);
    let mut peer = server.connect();
    let started = Instant::now();
    for _ in 0..50 {
        peer.send(b"GET /missing HTTP/1.1\r\nHost: localhost\r\n\r\n");
        peer.response().expect_status(404).expect_body("");
    }
    assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
}

#[cfg(unix)]
#[test]
fn a_page_for_404_that_leads_out_is_not_shown() {
    let site = Site::new();
    std::os::unix::fs::symlink("../secret", site.path().join("404.html")).unwrap();
    site.start(&[])
        .get("/missing")
        .expect_status(404)
        .expect_body("404: there is nothing at this address\n");
}

#[test]
fn an_app_of_one_page_answers_addresses_that_it_makes_up() {
    let site = Site::new();
    site.write("index.html", "app")
        .write("404.html", "lost")
        .write("assets/a.js", "js")
        .write("about", "file");
    let server = site.start(&["--spa"]);
    for path in ["/users/7", "/users/7/", "/users?tab=1", "/assets/deep/er"] {
        for fields in [HTML, "", "Accept: */*\r\n"] {
            let page = server.get_with(path, fields).expect_status(200).expect_body("app");
            let page = page.expect_field("vary", "Accept");
            page.expect_field("content-type", "text/html; charset=utf-8");
        }
    }
    server.get("/assets/a.js").expect_status(200).expect_body("js");
    server.get("/about").expect_status(200).expect_body("file");
    // A browser asks for what stands in its bar as HTML, whatever it looks like.
    for accept in [HTML, "Accept: text/html\r\n", "Accept: text/*;q=0.1\r\n"] {
        for path in ["/users/john.doe", "/v1.2/notes", "/assets/b.js"] {
            server.get_with(path, accept).expect_status(200).expect_body("app");
        }
    }
    // A script, a picture or a style that is missing is no page, and neither is data.
    for fields in
        ["", "Accept: */*\r\n", "Accept: image/png,*/*;q=0.8\r\n", "Accept: text/css,*/*;q=0.1\r\n"]
    {
        server.get_with("/assets/b.js", fields).expect_status(404).expect_body("lost");
    }
    for fields in
        ["Accept: application/json\r\n", "Accept: text/html;q=0\r\n", "Accept: image/*\r\n"]
    {
        server.get_with("/api/users", fields).expect_status(404);
    }
    // A scanner that looks for what should not be there is not told that it is.
    for path in ["/.env", "/.git/config", "/users/.git/HEAD"] {
        server.get(path).expect_status(404);
    }
    server.get("/%zz").expect_status(400);
    server
        .ask("POST /users HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
        .expect_status(405);
    // A file that comes later goes before the app.
    server.get("/users").expect_body("app");
    site.write("users", "now a file");
    server.get("/users").expect_body("now a file");
    let tag = server.get("/elsewhere").field("etag").unwrap().to_string();
    let fresh =
        server.get_with("/elsewhere", &format!("If-None-Match: {tag}\r\n")).expect_status(304);
    fresh.expect_field("vary", "Accept");
}

#[test]
fn an_app_without_its_page_is_wrong_usage() {
    let site = Site::new();
    let finished = ladder_tests::rung("http-server")
        .run(&["--spa", site.path().to_str().unwrap()])
        .expect_code(2);
    assert!(
        finished.stderr.starts_with("error: --spa needs an index.html in "),
        "{}",
        finished.stderr
    );
}

fn compressed() -> Site {
    let site = Site::new();
    site.write("a.js", "plain")
        .write("a.js.br", "brotli!")
        .write("a.js.zst", "zstd")
        .write("a.js.gz", "gzip!!");
    site.write("only.css", "plain")
        .write("only.css.gz", "gz")
        .write("alone.js", "alone")
        .write("README", "plain");
    site.write("README.gz", "\x1f\u{8b}")
        .write("d/index.html", "index")
        .write("d/index.html.gz", "gz index");
    site
}

#[track_caller]
fn assert_coded(server: &HttpServer, path: &str, accept: &str, coding: Option<&str>, body: &str) {
    let response =
        server.get_with(path, &format!("Accept-Encoding: {accept}\r\n")).expect_status(200);
    assert_eq!(response.field("content-encoding"), coding, "{path} for {accept:?}");
    response.expect_body(body).expect_field("vary", "Accept-Encoding");
}

/// RFC 9110 sections 8.4, 12.5.3 and 12.5.5.
#[test]
fn compressed_siblings_are_sent_to_whoever_takes_them() {
    let site = compressed();
    let server = site.start(&["--precompressed"]);
    assert_coded(&server, "/a.js", "gzip, deflate, br, zstd", Some("br"), "brotli!");
    assert_coded(&server, "/a.js", "gzip;q=0.9, zstd;q=1, br;q=0.1", Some("zstd"), "zstd");
    assert_coded(&server, "/a.js", "br;q=0, gzip", Some("gzip"), "gzip!!");
    assert_coded(&server, "/a.js", "deflate", None, "plain");
    assert_coded(&server, "/a.js", "identity", None, "plain");
    assert_coded(&server, "/only.css", "br, gzip", Some("gzip"), "gz");
    assert_coded(&server, "/alone.js", "br, gzip", None, "alone");
    assert_coded(&server, "/d/", "gzip", Some("gzip"), "gz index");
    // Its type would be that of compressed bytes.
    assert_coded(&server, "/README", "gzip", None, "plain");
    // The type stays that of the content.
    let coded = server.get_with("/a.js", "Accept-Encoding: br\r\n");
    coded
        .expect_field("content-type", "text/javascript; charset=utf-8")
        .expect_field("content-length", "7");
    // By its own name it is a file like any other.
    server.get("/a.js.gz").expect_body("gzip!!").expect_no_field("content-encoding");
    // Who does not ask for it does not get it, whatever has been sent before.
    server.get("/a.js").expect_body("plain").expect_no_field("content-encoding");
    let off = site.start(&[]);
    let plain = off.get_with("/a.js", "Accept-Encoding: br\r\n").expect_body("plain");
    plain.expect_no_field("content-encoding").expect_no_field("vary");
}

/// RFC 9110 sections 8.8.3.3 and 15.4.5: each form is a version of its own.
#[test]
fn a_compressed_sibling_has_a_tag_and_ranges_of_its_own() {
    let site = compressed();
    let server = site.start(&["--precompressed"]);
    let tag = |accept: &str| {
        let response = server.get_with("/a.js", &format!("Accept-Encoding: {accept}\r\n"));
        response.field("etag").unwrap().to_string()
    };
    let (plain, brotli) = (tag("identity"), tag("br"));
    assert_ne!(plain, brotli);
    let again = |tag: &str| {
        server.get_with("/a.js", &format!("Accept-Encoding: br\r\nIf-None-Match: {tag}\r\n"))
    };
    again(&brotli)
        .expect_status(304)
        .expect_field("vary", "Accept-Encoding")
        .expect_field("etag", &brotli);
    again(&plain).expect_status(200).expect_body("brotli!");
    let part =
        server.get_with("/a.js", "Accept-Encoding: br\r\nRange: bytes=0-1\r\n").expect_status(206);
    let part = part.expect_body("br").expect_field("content-encoding", "br");
    part.expect_field("content-range", "bytes 0-1/7").expect_field("vary", "Accept-Encoding");
}

/// Whoever edits a file and forgets to compress it again sees the edit.
#[test]
fn a_sibling_of_an_older_version_is_not_sent() {
    let site = compressed();
    let server = site.start(&["--precompressed"]);
    assert_coded(&server, "/only.css", "gzip", Some("gzip"), "gz");
    fs::write(site.path().join("only.css"), "edited").unwrap();
    assert_coded(&server, "/only.css", "gzip", None, "edited");
    set_changed(&site.path().join("only.css.gz"), CHANGED - 1);
    site.write("only.css", "plain");
    assert_coded(&server, "/only.css", "gzip", None, "plain");
}

#[cfg(unix)]
#[test]
fn a_sibling_that_is_a_link_is_not_sent() {
    let site = Site::new();
    site.write("a.js", "plain");
    std::os::unix::fs::symlink("../secret", site.path().join("a.js.gz")).unwrap();
    assert_coded(&site.start(&["--precompressed"]), "/a.js", "gzip", None, "plain");
}
