use super::*;

fn file(name: &str, size: u64, modified: u64) -> Entry {
    Entry { name: name.into(), kind: Kind::File, size, modified }
}

fn listing<'a>(path: Vec<&'a [u8]>, entries: &'a [Entry], page: usize) -> Listing<'a> {
    Listing { path, entries, order: Order::parse(None, None), page }
}

#[test]
fn names_are_escaped_in_text_and_encoded_in_links() {
    let entries = [file("<b>\"&'#?%.txt", 0, 0), file("javascript:x", 0, 0), file("a\\b", 0, 0)];
    let html = listing(vec![], &entries, 1).html();
    assert!(
        html.contains(
            "href=\"./%3Cb%3E%22%26%27%23%3F%25.txt\">&lt;b&gt;&quot;&amp;&#39;#?%.txt</a>"
        ),
        "{html}"
    );
    assert!(html.contains("href=\"./javascript%3Ax\""));
    assert!(html.contains("<td>a\\b</td>"));
    let json = listing(vec![], &entries, 1).json();
    assert!(json.contains(r#"{"name":"<b>\"&'#?%.txt","type":"file","size":0,"#), "{json}");
    assert!(json.contains("\"href\":\"%3Cb%3E%22%26%27%23%3F%25.txt\"}"), "{json}");
    let no_link = r#"{"name":"a\\b","type":"file","size":0,"modified":"1970-01-01T00:00:00Z"}"#;
    assert!(json.contains(no_link), "{json}");
}

#[test]
fn names_of_any_bytes_have_an_exact_link() {
    let entries = [Entry { name: vec![0xff, b'\n', b'a'], kind: Kind::File, size: 0, modified: 0 }];
    assert!(listing(vec![], &entries, 1).html().contains("href=\"./%FF%0Aa\""));
}

#[test]
fn the_way_up_is_relative() {
    let html = listing(vec![b"a", b"b"], &[], 1).html();
    assert!(
        html.contains(
            "<h1><a href=\"../../\">/</a><a href=\"../\">a</a>/<a href=\"./\">b</a>/</h1>"
        ),
        "{html}"
    );
    assert!(html.contains("This folder is empty."));
}

#[test]
fn large_folders_are_paged() {
    let entries: Vec<Entry> = (0..PAGE as u64 + 5).map(|n| file(&format!("f{n}"), n, 0)).collect();
    let rows = |page| listing(vec![], &entries, page).html().matches("<tr><td>").count();
    assert_eq!((rows(1), rows(2), rows(3), rows(usize::MAX)), (PAGE, 5, 0, 0));
    let next = |page| listing(vec![], &entries, page).next();
    assert_eq!(next(1).as_deref(), Some("<?sort=name&order=up&page=2>; rel=\"next\""));
    assert_eq!((next(0), next(2), next(usize::MAX)), (None, None, None));
    assert!(
        listing(vec![], &entries, 2)
            .html()
            .contains("10005 entries. Page <a href=\"?sort=name&amp;order=up&amp;page=1\">1</a> 2")
    );
}

#[test]
fn sizes_and_times_are_for_people() {
    assert_eq!(
        (human(0), human(1023), human(1024)),
        ("0 B".into(), "1023 B".into(), "1.0 KiB".into())
    );
    assert_eq!((human(1_048_575), human(5 << 30)), ("1.0 MiB".into(), "5.0 GiB".into()));
    assert_eq!(iso(784_111_777), "1994-11-06T08:49:37Z");
}
