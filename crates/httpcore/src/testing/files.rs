//! A path and what it stands for.

use super::{Site, ask, assert_answered, field, get, start};

/// With its length and the set of its characters.
pub fn a_path_is_a_file_with_its_type(site: &Site) {
    let (server, _folder) = start(site);
    let response = get(&server, "/hello.txt", "");
    assert_answered(&response, 200, "Привет, мир!\n");
    assert!(response.contains("\r\nContent-Type: text/plain; charset=utf-8\r\n"), "{response}");
}

/// The length is that of the file all the same.
pub fn head_gets_the_head_alone(site: &Site) {
    let (server, _folder) = start(site);
    let request = b"HEAD /hello.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let response = ask(&server, request);
    assert_answered(&response, 200, "");
    assert!(response.contains("\r\nContent-Length: 22\r\n"), "{response}");
}

/// What is no method is another thing than one that a file does not have.
pub fn a_method_that_a_file_does_not_have_is_told_those_that_it_has(site: &Site) {
    let (server, _folder) = start(site);
    let ask = |method: &str| {
        let head = format!("{method} /hello.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        ask(&server, head.as_bytes())
    };
    for method in ["BREW", "get", "GETS"] {
        let response = ask(method);
        assert!(response.starts_with("HTTP/1.1 501 "), "{method}: {response}");
    }
    for method in ["DELETE", "PUT", "TRACE"] {
        let response = ask(method);
        assert!(response.starts_with("HTTP/1.1 405 "), "{method}: {response}");
        assert!(field(&response, "Allow").starts_with("GET, HEAD, "), "{method}: {response}");
    }
    let response = ask("OPTIONS");
    assert!(response.starts_with("HTTP/1.1 204 "), "{response}");
    assert!(field(&response, "Allow").starts_with("GET, HEAD, "), "{response}");
}

/// It is another thing than a file that is not there.
pub fn what_is_no_path_is_refused_whatever_is_wanted_of_it(site: &Site) {
    let (server, _folder) = start(site);
    for target in ["hello.txt", "/hello.txt#a", "/%zz", "/%00"] {
        for method in ["GET", "OPTIONS", "DELETE"] {
            let head =
                format!("{method} {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
            let response = ask(&server, head.as_bytes());
            assert!(response.starts_with("HTTP/1.1 400 "), "{method} {target}: {response}");
        }
    }
}

/// However it is written.
pub fn no_path_leaves_the_folder(site: &Site) {
    let (server, _folder) = start(site);
    for path in
        ["/../Cargo.toml", "/%2e%2e/Cargo.toml", "/..%2fCargo.toml", "/folder/../../Cargo.toml"]
    {
        assert!(get(&server, path, "").starts_with("HTTP/1.1 404 "), "{path}");
    }
}

/// Whatever a path is called: where it leads is judged.
#[cfg(unix)]
pub fn no_link_leads_out_of_the_folder(site: &Site) {
    let outside = tempfile::NamedTempFile::new().expect("a file can be made");
    let (server, folder) = start(site);
    // Whoever asks for a folder is given its index.
    std::fs::remove_file(folder.path().join("index.html")).expect("it can be removed");
    for (link, path) in [("link", "/link"), ("index.html", "/"), ("folder/index.html", "/folder/")]
    {
        let link = folder.path().join(link);
        std::os::unix::fs::symlink(outside.path(), link).expect("a link can be made");
        assert!(get(&server, path, "").starts_with("HTTP/1.1 404 "), "{path}");
    }
}

/// Without the slash, links in it would lead elsewhere.
pub fn a_folder_is_its_index_or_a_list_and_ends_with_a_slash(site: &Site) {
    let (server, _folder) = start(site);
    assert!(get(&server, "/", "").contains("<h1>Привет, мир!</h1>"));
    let list = get(&server, "/folder/", "");
    assert!(list.contains("<a href=\"./one.txt\">one.txt</a>"), "{list}");
    let redirect = get(&server, "/folder", "");
    assert!(redirect.starts_with("HTTP/1.1 301 "), "{redirect}");
    // Seen from itself: a proxy may have stripped something from the front.
    assert_eq!(field(&redirect, "Location"), "./folder/");
    let redirect = get(&server, "/folder?a=1&b=%2F", "");
    assert_eq!(field(&redirect, "Location"), "./folder/?a=1&b=%2F");
    assert_eq!(field(&get(&server, "/folder?", ""), "Location"), "./folder/?");
}

/// A browser believes the header, and shows a page that is something else broken.
pub fn only_text_in_utf_8_is_said_to_be_that(site: &Site) {
    let (server, folder) = start(site);
    let page = |name: &str, content: &[u8]| {
        std::fs::write(folder.path().join(name), content).expect("it can be written");
        get(&server, &format!("/{name}"), "")
    };
    let said = "\r\nContent-Type: text/html; charset=utf-8\r\n";
    assert!(page("utf-8.html", "Привет".as_bytes()).contains(said));
    let legacy = page("legacy.html", b"<meta charset=windows-1251>");
    assert!(legacy.contains("\r\nContent-Type: text/html\r\n"), "{legacy}");
}
