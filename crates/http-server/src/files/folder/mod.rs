//! A folder as a response: its entries are looked at, and those that could not be
//! opened left out.

use std::borrow::Cow;
use std::fs::Metadata;
use std::time::UNIX_EPOCH;

use httpcore::Refusal;
use httpcore::handler::Request;
use httpcore::reply::{Form, Response, html};

use super::listing::{Entry, Kind, Listing, Order, sort};
use super::resolve::{OpenFolder, Root};
use super::settings::{DotFiles, Settings};

#[cfg(not(unix))]
mod elsewhere;
#[cfg(unix)]
mod unix;

#[cfg(not(unix))]
use self::elsewhere::entries;
#[cfg(unix)]
use self::unix::entries;

/// The page of a folder, or its content as JSON.
pub fn listing(
    settings: &Settings,
    request: &Request<'_>,
    names: &[Cow<'_, [u8]>],
    root: &Root,
    folder: &OpenFolder,
) -> Result<Response, Refusal> {
    let is_shown = |name: &[u8]| settings.dot_files == DotFiles::Shown || !name.starts_with(b".");
    let mut entries = entries(root, folder, is_shown)?;
    let order = Order::parse(request.query("sort").as_deref(), request.query("order").as_deref());
    sort(&mut entries, order);
    let page = request.query("page").and_then(|page| page.parse().ok()).unwrap_or(1);
    let path = names.iter().map(Cow::as_ref).collect();
    let listing = Listing { path, entries: &entries, order, page };
    let response = match Form::preferred(request.fields()) {
        Form::Json => Response::json(listing.json()),
        Form::Text | Form::Html => {
            let html = listing.html();
            let policy = html::content_security_policy(&html);
            Response::html(html).header("Content-Security-Policy", &policy)
        }
    };
    let response = match listing.next() {
        Some(next) => response.header("Link", &next),
        None => response,
    };
    Ok(response
        .header("Cache-Control", "no-store")
        .header("Vary", "Accept")
        .header("X-Content-Type-Options", "nosniff"))
}

fn entry(name: Vec<u8>, metadata: &Metadata) -> Option<Entry> {
    let kind = match metadata.file_type() {
        kind if kind.is_dir() => Kind::Folder,
        kind if kind.is_file() => Kind::File,
        _ => return None,
    };
    let modified =
        metadata.modified().unwrap_or(UNIX_EPOCH).duration_since(UNIX_EPOCH).unwrap_or_default();
    Some(Entry { name, kind, size: metadata.len(), modified: modified.as_secs() })
}
