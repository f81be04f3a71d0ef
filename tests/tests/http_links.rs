//! Symbolic links under `http-server`, where a person meets them: in listings, as an
//! index, and while files are moved.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::symlink;

use ladder_tests::http::HttpServer;
use ladder_tests::site::Site;

/// The size and the date of what lies outside are as private as its content.
#[test]
fn a_listing_leaves_out_links_that_lead_out_and_those_that_lead_nowhere() {
    let site = Site::new();
    fs::create_dir(site.outside().join("private")).unwrap();
    fs::write(site.path().join("real"), "x").unwrap();
    fs::create_dir(site.path().join("folder")).unwrap();
    for (target, name) in [
        ("real", "inside"),
        ("folder", "inside-folder"),
        ("../secret", "out"),
        ("../private", "out-folder"),
        ("nowhere", "dangling"),
        ("circle", "circle"),
    ] {
        symlink(target, site.path().join(name)).unwrap();
    }
    let names = |server: &HttpServer| {
        let list = server.get_with("/", "Accept: application/json\r\n").expect_status(200);
        let list: serde_json::Value = serde_json::from_slice(&list.body).unwrap();
        let name = |entry: &serde_json::Value| entry["name"].as_str().unwrap().to_string();
        list.as_array().unwrap().iter().map(name).collect::<Vec<_>>()
    };
    let server = site.start(&[]);
    assert_eq!(names(&server), ["folder", "inside-folder", "inside", "real"]);
    // Whatever is listed can be opened.
    for path in ["/folder/", "/inside-folder/", "/inside", "/real"] {
        server.get(path).expect_status(200);
    }
    let page = server.get("/");
    assert!(
        page.text().contains("inside-folder/") && !page.text().contains("out"),
        "{}",
        page.text()
    );
    let server = site.start(&["--follow-symlinks"]);
    assert_eq!(names(&server), ["folder", "inside-folder", "out-folder", "inside", "out", "real"]);
}

#[test]
fn an_index_that_leads_out_is_missing() {
    let site = Site::new();
    symlink("../secret", site.path().join("index.html")).unwrap();
    site.start(&[]).get("/").expect_status(404);
    site.start(&["--follow-symlinks"]).get("/").expect_status(200).expect_body("secret");
}

#[test]
fn a_folder_that_becomes_a_link_leading_out_is_missing_from_then_on() {
    let site = Site::new();
    fs::create_dir(site.outside().join("private")).unwrap();
    fs::create_dir(site.path().join("folder")).unwrap();
    let server = site.start(&[]);
    server.get("/folder/").expect_status(200);
    fs::remove_dir(site.path().join("folder")).unwrap();
    symlink("../private", site.path().join("folder")).unwrap();
    server.get("/folder/").expect_status(404);
    // Where it leads is not told either.
    server.get("/folder").expect_status(404);
}

/// The name on the command line may be a link itself.
#[test]
fn a_link_to_a_folder_can_be_served() {
    let site = Site::new();
    fs::write(site.path().join("a.txt"), "hello").unwrap();
    let link = site.outside().join("link");
    symlink("site", &link).unwrap();
    let server = HttpServer::start(&[link.to_str().unwrap()]);
    server.get("/a.txt").expect_status(200).expect_body("hello");
    server.get("/").expect_status(200);
}
