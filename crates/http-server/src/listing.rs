//! What a folder holds, as a page for people and as JSON for programs.

use std::cmp::Ordering;
use std::fmt::Write as _;

use crate::clock;
use crate::html::{escape, json, page};
use crate::target::encode;

/// Entries of one page.
pub const PAGE: usize = 10_000;

/// One thing in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name, of whatever bytes.
    pub name: Vec<u8>,
    /// Whether it can be opened as a page of its own.
    pub kind: Kind,
    /// In bytes.
    pub size: u64,
    /// In seconds since 1970.
    pub modified: u64,
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It has a page of its own.
    Folder,
    /// It has content.
    File,
}

/// How a listing is ordered, as its links ask for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    /// By what.
    pub key: Key,
    /// Which end first.
    pub direction: Direction,
}

/// What a listing is ordered by. Folders go first in each case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "their names say what they are")]
pub enum Key {
    Name,
    Size,
    Time,
}

/// Which end goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "their names say what they are")]
pub enum Direction {
    Up,
    Down,
}

impl Key {
    const ALL: [(Key, &'static str, &'static str); 3] = [
        (Key::Name, "name", "Name"),
        (Key::Size, "size", "Size"),
        (Key::Time, "time", "Changed (UTC)"),
    ];
}

impl Order {
    /// What `?sort=` and `?order=` say; by name where they do not.
    pub fn parse(sort: Option<&str>, order: Option<&str>) -> Order {
        let key = Key::ALL
            .iter()
            .find(|(_, word, _)| sort == Some(word))
            .map_or(Key::Name, |(key, ..)| *key);
        let direction = if order == Some("down") { Direction::Down } else { Direction::Up };
        Order { key, direction }
    }

    fn query(self) -> String {
        let word =
            Key::ALL.iter().find(|(key, ..)| *key == self.key).map_or("name", |(_, word, _)| word);
        let direction = if self.direction == Direction::Up { "up" } else { "down" };
        format!("sort={word}&order={direction}")
    }
}

/// Folders first, then as asked for; equal ones by name.
pub fn sort(entries: &mut [Entry], order: Order) {
    let by_key = |a: &Entry, b: &Entry| match order.key {
        Key::Name => natural(&a.name, &b.name),
        Key::Size => a.size.cmp(&b.size),
        Key::Time => a.modified.cmp(&b.modified),
    };
    entries.sort_by(|a, b| {
        let folders_first = (a.kind == Kind::File).cmp(&(b.kind == Kind::File));
        let keyed = by_key(a, b);
        let keyed = if order.direction == Direction::Up { keyed } else { keyed.reverse() };
        folders_first.then(keyed).then_with(|| natural(&a.name, &b.name))
    });
}

/// Numbers inside names by their value, so that 9 goes before 10; letters without their
/// case.
fn natural(a: &[u8], b: &[u8]) -> Ordering {
    let (mut rest_a, mut rest_b) = (a, b);
    loop {
        let (digits_a, digits_b) = (digits(rest_a), digits(rest_b));
        if digits_a > 0 && digits_b > 0 {
            let (number_a, number_b) =
                (significant(&rest_a[..digits_a]), significant(&rest_b[..digits_b]));
            // The longer number is the larger one; equally long ones compare as text.
            let ordered = number_a.len().cmp(&number_b.len()).then_with(|| number_a.cmp(number_b));
            if ordered != Ordering::Equal {
                return ordered;
            }
            (rest_a, rest_b) = (&rest_a[digits_a..], &rest_b[digits_b..]);
            continue;
        }
        match (rest_a.split_first(), rest_b.split_first()) {
            (Some((x, after_a)), Some((y, after_b))) => {
                let ordered = x.to_ascii_lowercase().cmp(&y.to_ascii_lowercase());
                if ordered != Ordering::Equal {
                    return ordered;
                }
                (rest_a, rest_b) = (after_a, after_b);
            }
            // Equal but for case and leading zeros: the bytes decide.
            (None, None) => return a.cmp(b),
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
        }
    }
}

fn digits(text: &[u8]) -> usize {
    text.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

fn significant(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|&&digit| digit == b'0').count();
    &number[zeros..]
}

/// What there is to show.
#[derive(Debug)]
pub struct Listing<'a> {
    /// The names of the folder's path, decoded.
    pub path: Vec<&'a [u8]>,
    /// Sorted.
    pub entries: &'a [Entry],
    /// How they are sorted.
    pub order: Order,
    /// Which part of them is shown, from 1 on.
    pub page: usize,
}

impl Listing<'_> {
    /// A page for people. No script, and every name escaped.
    pub fn html(&self) -> String {
        let mut body = String::new();
        // Writing to a String cannot fail; so everywhere below.
        let _ = write!(
            body,
            "<h1>{}</h1>\n<table>\n<thead><tr>{}</tr></thead>\n<tbody>\n",
            self.crumbs(),
            self.headings()
        );
        if !self.path.is_empty() {
            body.push_str("<tr><td><a href=\"../\">../</a></td><td></td><td></td></tr>\n");
        }
        for entry in self.shown() {
            row(&mut body, entry);
        }
        body.push_str("</tbody>\n</table>\n");
        if self.entries.is_empty() {
            body.push_str("<p>This folder is empty.</p>\n");
        }
        self.pager(&mut body);
        let names: Vec<String> = self.path.iter().map(|name| format!("{}/", text(name))).collect();
        page(&format!("/{}", names.concat()), &body)
    }

    /// The same for programs. A name that is not UTF-8 is shown as well as can be; its
    /// link is exact. What no link can lead to has none.
    pub fn json(&self) -> String {
        let mut list = String::from("[");
        for (at, entry) in self.shown().iter().enumerate() {
            let kind = if entry.kind == Kind::Folder { "folder" } else { "file" };
            let _ = write!(
                list,
                "{}\n{{\"name\":{},\"type\":\"{kind}\",\"size\":{},\"modified\":{}",
                if at == 0 { "" } else { "," },
                json(&text(&entry.name)),
                entry.size,
                json(&iso(entry.modified)),
            );
            if let Some(link) = link(entry) {
                let _ = write!(list, ",\"href\":\"{link}\"");
            }
            list.push('}');
        }
        list.push_str("\n]\n");
        list
    }

    /// The value of a Link header (RFC 8288) that leads to the next page, where there
    /// is one: JSON has no other place for it.
    pub fn next(&self) -> Option<String> {
        let pages = self.entries.len().div_ceil(PAGE);
        let next = (1..pages).contains(&self.page).then(|| self.page + 1)?;
        Some(format!("<?{}&page={next}>; rel=\"next\"", self.order.query()))
    }

    fn shown(&self) -> &[Entry] {
        let start = self.page.saturating_sub(1).saturating_mul(PAGE).min(self.entries.len());
        &self.entries[start..self.entries.len().min(start + PAGE)]
    }

    /// The folders on the way, each a link.
    fn crumbs(&self) -> String {
        let mut crumbs = format!("<a href=\"{}\">/</a>", up(self.path.len()));
        for (at, name) in self.path.iter().enumerate() {
            let _ = write!(
                crumbs,
                "<a href=\"{}\">{}</a>/",
                up(self.path.len() - at - 1),
                escape(&text(name))
            );
        }
        crumbs
    }

    fn headings(&self) -> String {
        let mut headings = String::new();
        for (key, _, title) in Key::ALL {
            let (direction, mark) = match (self.order.key == key, self.order.direction) {
                (true, Direction::Up) => (Direction::Down, " \u{2191}"),
                (true, Direction::Down) => (Direction::Up, " \u{2193}"),
                (false, _) => (Direction::Up, ""),
            };
            let query = escape(&Order { key, direction }.query());
            let _ = write!(headings, "<th><a href=\"?{query}\">{title}{mark}</a></th>");
        }
        headings
    }

    fn pager(&self, body: &mut String) {
        let pages = self.entries.len().div_ceil(PAGE);
        if pages < 2 {
            return;
        }
        let _ = write!(body, "<p>{} entries. Page", self.entries.len());
        for page in 1..=pages {
            if page == self.page {
                let _ = write!(body, " {page}");
            } else {
                let query = escape(&format!("{}&page={page}", self.order.query()));
                let _ = write!(body, " <a href=\"?{query}\">{page}</a>");
            }
        }
        body.push_str("</p>\n");
    }
}

/// The way to a folder so many above.
fn up(folders: usize) -> String {
    if folders == 0 { "./".to_string() } else { "../".repeat(folders) }
}

/// The way to an entry of this folder. A backslash is never taken from a path, so that
/// no link can lead to a name with one.
fn link(entry: &Entry) -> Option<String> {
    let slash = if entry.kind == Kind::Folder { "/" } else { "" };
    (!entry.name.contains(&b'\\')).then(|| format!("{}{slash}", encode(&entry.name)))
}

fn row(body: &mut String, entry: &Entry) {
    let (slash, size) = match entry.kind {
        Kind::Folder => ("/", String::new()),
        Kind::File => ("", human(entry.size)),
    };
    let name = escape(&text(&entry.name));
    let shown = match link(entry) {
        // The dot keeps a name with a colon from being read as a scheme.
        Some(link) => format!("<a href=\"./{link}\">{name}{slash}</a>"),
        None => format!("{name}{slash}"),
    };
    let _ = writeln!(
        body,
        "<tr><td>{shown}</td><td>{size}</td><td>{}</td></tr>",
        iso(entry.modified).replace(['T', 'Z'], " ").trim()
    );
}

fn text(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}

/// A size that can be taken in at a glance.
fn human(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut size = bytes as f64 / 1024.0;
    let mut unit = 0;
    while size >= 1023.95 && unit + 1 < UNITS.len() {
        size /= 1024.0;
        unit += 1;
    }
    format!("{size:.1} {}", UNITS[unit])
}

/// `2026-11-22T11:33:39Z`, put together from the HTTP date, which knows the calendar.
fn iso(seconds: u64) -> String {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let date = clock::date(seconds);
    let part = |range: std::ops::Range<usize>| date.get(range).unwrap_or_default().to_string();
    let month = MONTHS.find(&part(8..11)).map_or(0, |at| at / 3 + 1);
    format!("{}-{month:02}-{}T{}Z", part(12..16), part(5..7), part(17..25))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, size: u64, modified: u64) -> Entry {
        Entry { name: name.into(), kind: Kind::File, size, modified }
    }

    fn folder(name: &str) -> Entry {
        Entry { name: name.into(), kind: Kind::Folder, size: 4096, modified: 9 }
    }

    fn sorted(mut entries: Vec<Entry>, sort_by: &str, order: &str) -> Vec<String> {
        sort(&mut entries, Order::parse(Some(sort_by), Some(order)));
        entries.iter().map(|entry| text(&entry.name)).collect()
    }

    fn listing<'a>(path: Vec<&'a [u8]>, entries: &'a [Entry], page: usize) -> Listing<'a> {
        Listing { path, entries, order: Order::parse(None, None), page }
    }

    #[test]
    fn folders_go_first_and_numbers_by_their_value() {
        let entries = || {
            vec![
                file("a10", 1, 3),
                file("a9", 2, 1),
                file("B", 3, 2),
                folder("z"),
                file("a010", 1, 1),
            ]
        };
        assert_eq!(sorted(entries(), "name", "up"), ["z", "a9", "a010", "a10", "B"]);
        assert_eq!(sorted(entries(), "name", "down"), ["z", "B", "a10", "a010", "a9"]);
        assert_eq!(sorted(entries(), "size", "down"), ["z", "B", "a9", "a010", "a10"]);
        assert_eq!(sorted(entries(), "time", "up"), ["z", "a9", "a010", "B", "a10"]);
        assert_eq!(sorted(entries(), "nonsense", ""), ["z", "a9", "a010", "a10", "B"]);
    }

    #[test]
    fn names_are_escaped_in_text_and_encoded_in_links() {
        let entries =
            [file("<b>\"&'#?%.txt", 0, 0), file("javascript:x", 0, 0), file("a\\b", 0, 0)];
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
        let entries =
            [Entry { name: vec![0xff, b'\n', b'a'], kind: Kind::File, size: 0, modified: 0 }];
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
        let entries: Vec<Entry> =
            (0..PAGE as u64 + 5).map(|n| file(&format!("f{n}"), n, 0)).collect();
        let rows = |page| listing(vec![], &entries, page).html().matches("<tr><td>").count();
        assert_eq!((rows(1), rows(2), rows(3), rows(usize::MAX)), (PAGE, 5, 0, 0));
        let next = |page| listing(vec![], &entries, page).next();
        assert_eq!(next(1).as_deref(), Some("<?sort=name&order=up&page=2>; rel=\"next\""));
        assert_eq!((next(0), next(2), next(usize::MAX)), (None, None, None));
        assert!(listing(vec![], &entries, 2).html().contains(
            "10005 entries. Page <a href=\"?sort=name&amp;order=up&amp;page=1\">1</a> 2"
        ));
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
}
