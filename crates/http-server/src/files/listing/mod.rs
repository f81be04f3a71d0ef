//! What a folder holds, as a page for people and as JSON for programs.

mod entry;

use std::fmt::Write as _;

use httpcore::head::target::encode;
use httpcore::reply::clock;
use httpcore::reply::html::{escape, json, page};

use self::entry::{Direction, Key};

pub use self::entry::{Entry, Kind, Order, sort};

/// Entries of one page.
pub const PAGE: usize = 10_000;

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
mod tests;
