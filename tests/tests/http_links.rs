//! Symbolic links under `http-server`, where a person meets them: in listings, as an
//! index, and while files are moved.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

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

/// Between a look at a name and its use, the name may come to stand for something else. Only
/// Linux exchanges two names at one stroke.
#[cfg(target_os = "linux")]
#[test]
fn a_listing_never_shows_what_lies_outside_whatever_is_swapped_meanwhile() {
    use rustix::fs::{CWD, RenameFlags, renameat_with};

    let site = Site::new();
    let (inside, outside) = (site.path().join("shown"), site.outside().join("private"));
    let link = site.path().join("link");
    for (folder, names) in [(&inside, ["a", "b"]), (&outside, ["private-1", "private-2"])] {
        fs::create_dir(folder).unwrap();
        for name in names {
            fs::write(folder.join(name), "x").unwrap();
        }
    }
    symlink(&outside, &link).unwrap();
    // Another one, to what is inside a moment long: as an entry of a listing.
    let (decoy, leading_out) = (site.path().join("entry"), site.path().join("leading-out"));
    fs::write(site.path().join("small"), "x").unwrap();
    fs::write(site.outside().join("large"), vec![b'x'; 98_765]).unwrap();
    symlink("small", &decoy).unwrap();
    symlink("../large", &leading_out).unwrap();
    let server = site.start(&["--quiet"]);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for (one, other) in [(&inside, &link), (&decoy, &leading_out)] {
            let done = &done;
            scope.spawn(move || {
                while !done.load(Ordering::SeqCst) {
                    renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE).unwrap();
                }
            });
        }
        let mut listed = 0;
        let leaks: Vec<String> = (0..1_500)
            .flat_map(|_| ["/shown/", "/"])
            .map(|path| server.get_with(path, "Accept: application/json\r\n"))
            .filter(|response| response.status == 200)
            .map(|response| response.text().to_string())
            .inspect(|_| listed += 1)
            .filter(|list| list.contains("private-") || list.contains("98765"))
            .collect();
        done.store(true, Ordering::SeqCst);
        assert!(listed > 1_500, "{listed} were listed");
        assert!(leaks.is_empty(), "{} of {listed}: {}", leaks.len(), leaks[0]);
    });
}

/// Puts a link to `target` in the place of what `name` stands for, at one stroke.
fn point(name: &Path, target: &str) {
    let next = name.with_extension("next");
    symlink(target, &next).unwrap();
    fs::rename(next, name).unwrap();
}

/// How sites are put in place of others (Capistrano, `ln -s`, `mv -T`).
#[test]
fn another_folder_in_place_of_the_root_is_served_at_once_and_nothing_is_missing_meanwhile() {
    let site = Site::new();
    for release in ["r1", "r2"] {
        for name in ["index.html", "assets/a.js", "only-here"] {
            site.write(&format!("{release}/{name}"), format!("{release} {name}"));
        }
        site.write(&format!("{release}/{release}"), "");
        site.write(&format!("{release}/404.html"), format!("{release} has none"));
    }
    let current = site.path().join("current");
    symlink("r1", &current).unwrap();
    let server = HttpServer::start(&[current.to_str().unwrap()]);
    assert!(server.stdout_so_far().contains("/site/current at http://"));
    let expect = |release: &str, other: &str| {
        for (path, name) in [("/", "index.html"), ("/assets/a.js", "assets/a.js")] {
            server.get(path).expect_status(200).expect_body(format!("{release} {name}"));
        }
        assert!(server.get("/assets/").text().contains("a.js"));
        server.get(&format!("/{release}")).expect_status(200);
        server
            .get(&format!("/{other}"))
            .expect_status(404)
            .expect_body(format!("{release} has none"));
    };
    // Also from memory.
    expect("r1", "r2");
    thread::sleep(std::time::Duration::from_millis(2_200));
    expect("r1", "r2");
    expect("r1", "r2");
    point(&current, "r2");
    expect("r2", "r1");
    point(&current, "r1");
    expect("r1", "r2");
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for release in ["r2", "r1"].iter().cycle() {
                if done.load(Ordering::SeqCst) {
                    break;
                }
                point(&current, release);
            }
        });
        let answers: Vec<u16> = (0..1_000).map(|_| server.get("/assets/a.js").status).collect();
        done.store(true, Ordering::SeqCst);
        let missed = answers.iter().filter(|status| **status != 200).count();
        assert_eq!(missed, 0, "of {}", answers.len());
    });
    point(&current, "r2");
    fs::remove_dir_all(site.path().join("r1")).unwrap();
    expect("r2", "r1");
}
