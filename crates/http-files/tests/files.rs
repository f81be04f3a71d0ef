//! A path and what it stands for.

mod suite;

use httpcore::testing::{ask, assert_answered, get};
use netcore::testing::Setup;
use suite::suite;

#[test]
fn a_path_is_a_file_with_its_type() {
    let server = suite().start(Setup::default());
    let response = get(&server, "/hello.txt", "");
    assert_answered(&response, 200, "Привет, мир!\n");
    assert!(response.contains("\r\nContent-Type: text/plain; charset=utf-8\r\n"), "{response}");
}

#[test]
fn head_gets_the_head_alone() {
    let server = suite().start(Setup::default());
    let request = b"HEAD /hello.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let response = ask(&server, request);
    assert_answered(&response, 200, "");
    assert!(response.contains("\r\nContent-Length: 22\r\n"), "{response}");
}

#[test]
fn no_path_leaves_the_folder() {
    let server = suite().start(Setup::default());
    for path in
        ["/../Cargo.toml", "/%2e%2e/Cargo.toml", "/..%2fCargo.toml", "/folder/../../Cargo.toml"]
    {
        assert!(get(&server, path, "").starts_with("HTTP/1.1 404 "), "{path}");
    }
}

#[cfg(unix)]
#[test]
fn no_link_leads_out_of_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let (inside, outside) = (folder.path().join("inside"), folder.path().join("outside"));
    std::fs::create_dir(&inside).unwrap();
    std::fs::write(&outside, "secret").unwrap();
    std::os::unix::fs::symlink(&outside, inside.join("link")).unwrap();
    let linked = netcore::testing::Suite::new("", "", move |listener, setup, shutdown| {
        let service = http_files::Site {
            root: inside.clone(),
            accept_timeout: None,
            limits: setup.limits,
            max_clients: setup.max_clients,
        };
        http_files::server::serve(listener, &service, shutdown)
    });
    let server = linked.start(Setup::default());
    assert!(get(&server, "/link", "").starts_with("HTTP/1.1 404 "));
}

#[test]
fn a_folder_is_its_index_or_a_list_and_ends_with_a_slash() {
    let server = suite().start(Setup::default());
    assert!(get(&server, "/", "").contains("<h1>Привет, мир!</h1>"));
    let list = get(&server, "/folder/", "");
    assert!(list.contains("<a href=\"./one.txt\">one.txt</a>"), "{list}");
    let redirect = get(&server, "/folder", "");
    assert!(redirect.starts_with("HTTP/1.1 301 "), "{redirect}");
    assert!(redirect.contains("\r\nLocation: /folder/\r\n"), "{redirect}");
}
