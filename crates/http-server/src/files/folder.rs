//! A folder as a response: its entries are looked at, and those that could not be
//! opened left out.

use std::borrow::Cow;
use std::fs::{self, Metadata};
use std::path::Path;
use std::time::UNIX_EPOCH;

use httpcore::Refusal;
use httpcore::handler::Request;
use httpcore::reply::{Form, Response, html};

use super::listing::{Entry, Kind, Listing, Order, sort};
use super::resolve;
use super::settings::{DotFiles, Settings};

/// The page of a folder, or its content as JSON.
pub fn listing(
    settings: &Settings,
    request: &Request<'_>,
    names: &[Cow<'_, [u8]>],
    folder: &Path,
) -> Result<Response, Refusal> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = resolve::name_bytes(&entry.file_name());
        if settings.dot_files == DotFiles::Hidden && name.starts_with(b".") {
            continue;
        }
        // Where it leads could not be opened, and what is there is nobody's business.
        if entry.file_type().is_ok_and(|kind| kind.is_symlink())
            && resolve::check_inside(&settings.root, &entry.path(), settings.links).is_err()
        {
            continue;
        }
        // What cannot be looked at could not be opened either: something just deleted.
        let Ok(metadata) = fs::metadata(entry.path()) else { continue };
        entries.extend(listed(name, &metadata));
    }
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

fn listed(name: Vec<u8>, metadata: &Metadata) -> Option<Entry> {
    let kind = match metadata.file_type() {
        kind if kind.is_dir() => Kind::Folder,
        kind if kind.is_file() => Kind::File,
        _ => return None,
    };
    let modified =
        metadata.modified().unwrap_or(UNIX_EPOCH).duration_since(UNIX_EPOCH).unwrap_or_default();
    Some(Entry { name, kind, size: metadata.len(), modified: modified.as_secs() })
}
