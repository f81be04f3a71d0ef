//! Files of a folder: found inside the root, told apart by validators, sent whole or in parts.

use std::borrow::Cow;
use std::fs::{self, File, Metadata};
use std::io::{self, Read, Seek};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::clock;
use crate::conditional::{self, Verdict};
use crate::head::Method;
use crate::html;
use crate::listing::{Entry, Kind, Listing, Order, sort};
use crate::locate::{self, Found, Links};
use crate::range::{self, Wanted};
use crate::refusal::{Form, Refusal};
use crate::request::Request;
use crate::response::{Content, IntoResponse, Part, Parts, Response, Stored};
use crate::route::{Handler, other_method};
use crate::status::Status;
use crate::store::{self, Identity, Kept, KeptFile, Opened, Store};
use crate::target;
use crate::types;
use crate::validators::{Validators, is_unsettled};

/// What a folder shows for itself, if it is there.
const INDEXES: [&str; 2] = ["index.html", "index.htm"];

/// Header lines of every response that sends a file or parts of it.
const SENT: &str = "Accept-Ranges: bytes\r\nX-Content-Type-Options: nosniff\r\n";

/// Whether names that begin with a dot are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DotFiles {
    /// They are as good as missing, but for `/.well-known/` (RFC 8615).
    Hidden,
    /// They are as any others.
    Shown,
}

/// Serves a folder, or one file. A [`Handler`] to be mounted.
///
/// ```no_run
/// use http_server::{Files, Server};
///
/// Server::bind("127.0.0.1:8000")?.mount("/", Files::new("public")?).run()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Files {
    root: PathBuf,
    kind: Kind,
    links: Links,
    dot_files: DotFiles,
    cache_control: String,
    store: Store,
}

impl Files {
    /// Serves what is below `root`; where that is a file, this file alone.
    ///
    /// # Errors
    /// When there is nothing of that name, or it may not be read.
    pub fn new(root: impl AsRef<Path>) -> io::Result<Files> {
        let root = fs::canonicalize(root)?;
        let kind = match fs::metadata(&root)?.file_type() {
            kind if kind.is_dir() => {
                // Tells now what every request would be told.
                fs::read_dir(&root)?;
                Kind::Folder
            }
            kind if kind.is_file() => Kind::File,
            _ => return Err(io::Error::new(io::ErrorKind::InvalidInput, "neither a folder nor a file")),
        };
        let cache_control = "no-cache".to_string();
        Ok(Files {
            root,
            kind,
            links: Links::Inside,
            dot_files: DotFiles::Hidden,
            cache_control,
            store: Store::default(),
        })
    }

    /// What is served, as an absolute path.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where symbolic links may lead.
    pub fn links(self, links: Links) -> Files {
        Files { links, ..self }
    }

    /// Whether names that begin with a dot are served.
    pub fn dot_files(self, dot_files: DotFiles) -> Files {
        Files { dot_files, ..self }
    }

    /// Lets clients use a file for so long without asking again. Unless told so, they ask each time.
    pub fn cache(self, seconds: u32) -> Files {
        Files { cache_control: format!("max-age={seconds}"), ..self }
    }

    fn get(&self, request: &Request<'_>) -> Result<Response, Refusal> {
        let path = request.path()?;
        let names = &path.names[request.mount_depth()..];
        if self.hides(names) {
            return Err(Refusal::not_found());
        }
        match self.find(names)? {
            Found::File(..) if path.folder && !names.is_empty() => Err(Refusal::not_found()),
            Found::File(file, _) => self.file(request, &file),
            Found::Folder(folder) => {
                locate::check_inside(&self.root, &folder, self.links)?;
                if !path.folder {
                    return Ok(redirect_to_folder(request, path));
                }
                match index_of(&folder) {
                    Some(index) => self.file(request, &index),
                    None => self.listing(request, &path.names, &folder),
                }
            }
        }
    }

    fn hides(&self, names: &[Cow<'_, [u8]>]) -> bool {
        let well_known = names.first().is_some_and(|name| name.as_ref() == b".well-known");
        let names = if well_known { &names[1..] } else { names };
        self.dot_files == DotFiles::Hidden && names.iter().any(|name| name.starts_with(b"."))
    }

    fn find(&self, names: &[Cow<'_, [u8]>]) -> Result<Found, Refusal> {
        match (self.kind, names) {
            (Kind::Folder, _) => locate::find(&self.root, names),
            (Kind::File, []) => locate::find_at(self.root.clone()),
            // One file has its own name as well.
            (Kind::File, [name])
                if self.root.file_name().map(locate::name_bytes).as_deref() == Some(name.as_ref()) =>
            {
                locate::find_at(self.root.clone())
            }
            (Kind::File, _) => Err(Refusal::not_found()),
        }
    }

    /// The short way to a small file that has been sent before.
    fn kept(&self, request: &Request<'_>) -> Option<Result<Response, Refusal>> {
        if request.fields().get("range").is_some() {
            return None;
        }
        let entry = self.store.get(request.target().path)?;
        Some(match self.precondition(request, &entry.validators) {
            Ok(None) => Ok(whole(&entry.content)),
            Ok(Some(not_modified)) => Ok(not_modified),
            Err(refusal) => Err(refusal),
        })
    }

    fn file(&self, request: &Request<'_>, path: &Path) -> Result<Response, Refusal> {
        let (mut file, metadata) = locate::open(&self.root, path, self.links)?;
        let validators = Validators::of(&metadata, SystemTime::now());
        if let Some(not_modified) = self.precondition(request, &validators)? {
            return Ok(not_modified);
        }
        let media_type = media_type(path, &mut file)?;
        match request.fields().get("range") {
            // Only GET has ranges (section 14.2).
            Some(range)
                if request.method() == Method::Get
                    && conditional::range_holds(request.fields(), &validators) =>
            {
                match range::wanted(range, metadata.len()) {
                    Wanted::Whole => {}
                    Wanted::Parts(parts) => {
                        return Ok(self.parts(file, &metadata, &validators, &media_type, &parts));
                    }
                    Wanted::Nothing => return Ok(not_satisfiable(metadata.len())),
                }
            }
            _ => {}
        }
        let mut fields = self.described(&validators);
        fields.extend_from_slice(SENT.as_bytes());
        fields.extend_from_slice(format!("Content-Type: {media_type}\r\n").as_bytes());
        let content = if metadata.len() > store::FILE_LIMIT {
            Kept::Open(Arc::new(Opened { fields, file: Arc::new(file), length: metadata.len() }))
        } else {
            let bytes = read_small(&mut file)?;
            Kept::InMemory(Arc::new(Stored { fields, bytes }))
        };
        let response = whole(&content);
        self.keep(request, path, &metadata, validators, content);
        Ok(response)
    }

    /// Keeps a file, unless it may change, or has changed while it was read, without its metadata telling.
    fn keep(
        &self,
        request: &Request<'_>,
        path: &Path,
        before: &Metadata,
        validators: Validators,
        content: Kept,
    ) {
        let is_whole = match &content {
            Kept::InMemory(stored) => stored.bytes.len() as u64 == before.len(),
            Kept::Open(opened) => opened.length <= store::OPEN_LIMIT,
        };
        // Another index may appear and go before this one, and nothing about this one would change.
        let is_second_choice = path.ends_with(INDEXES[1]);
        if !is_whole || is_second_choice || is_unsettled(before, SystemTime::now()) {
            return;
        }
        // What the name stands for after the reading, so that a change meanwhile is seen.
        let identity = Identity::of(before);
        if fs::metadata(path).is_ok_and(|after| Identity::of(&after) == identity) {
            let entry = KeptFile { path: path.into(), identity, validators, content };
            self.store.put(request.target().path, entry);
        }
    }

    /// 304 where the client has this version; nothing where it is to be sent.
    fn precondition(
        &self,
        request: &Request<'_>,
        validators: &Validators,
    ) -> Result<Option<Response>, Refusal> {
        match conditional::weigh(request.fields(), request.method(), validators) {
            Verdict::Serve => Ok(None),
            Verdict::NotModified => Ok(Some(Response {
                fields: self.described(validators),
                ..Response::new(Status::NOT_MODIFIED)
            })),
            Verdict::Failed => {
                let why = "the file is another version than the request is about";
                Err(Refusal::by("RFC 9110 section 13.1", Status::PRECONDITION_FAILED, why))
            }
        }
    }

    /// The header lines that a 304 has too.
    fn described(&self, validators: &Validators) -> Vec<u8> {
        format!(
            "ETag: {}\r\nLast-Modified: {}\r\nCache-Control: {}\r\n",
            validators.etag(),
            clock::date(validators.last_modified),
            self.cache_control,
        )
        .into_bytes()
    }

    fn parts(
        &self,
        file: File,
        metadata: &Metadata,
        validators: &Validators,
        media_type: &str,
        parts: &[Range<u64>],
    ) -> Response {
        let length = metadata.len();
        let mut fields = self.described(validators);
        fields.extend_from_slice(SENT.as_bytes());
        let (lines, list) = match parts {
            [part] => {
                let lines = format!(
                    "Content-Type: {media_type}\r\nContent-Range: {}\r\n",
                    content_range(part, length)
                );
                (lines, vec![Part::Slice(part.clone())])
            }
            _ => {
                let boundary = html::nonce();
                let lines = format!("Content-Type: multipart/byteranges; boundary={boundary}\r\n");
                (lines, multipart(parts, length, media_type, &boundary))
            }
        };
        fields.extend_from_slice(lines.as_bytes());
        Response {
            status: Status::PARTIAL_CONTENT,
            fields,
            content: Content::File(Parts { file: Arc::new(file), list }),
        }
    }

    fn listing(
        &self,
        request: &Request<'_>,
        names: &[Cow<'_, [u8]>],
        folder: &Path,
    ) -> Result<Response, Refusal> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = locate::name_bytes(&entry.file_name());
            if self.dot_files == DotFiles::Hidden && name.starts_with(b".") {
                continue;
            }
            // Where it leads could not be opened, and what is there is nobody's business.
            if entry.file_type().is_ok_and(|kind| kind.is_symlink())
                && locate::check_inside(&self.root, &entry.path(), self.links).is_err()
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
        Ok(response
            .header("Cache-Control", "no-store")
            .header("Vary", "Accept")
            .header("X-Content-Type-Options", "nosniff"))
    }
}

impl Handler for Files {
    fn respond(&self, request: &mut Request<'_>) -> Response {
        match request.method() {
            Method::Get | Method::Head => {
                self.kept(request).unwrap_or_else(|| self.get(request)).into_response()
            }
            other => other_method(other, &[Method::Get]),
        }
    }
}

/// A folder's links are relative to it, so that its path has to end with a slash. The Location is a path only: with
/// two slashes at its front, it would lead to another host.
fn redirect_to_folder(request: &Request<'_>, path: target::Path<'_>) -> Response {
    let mut location = target::Path { folder: true, ..path }.encode();
    if let Some(query) = request.target().query {
        location.push('?');
        // A query is sent on as it came; what is not ASCII in it would not be a header value.
        location.push_str(&target::encode_query(query));
    }
    Response::new(Status::MOVED_PERMANENTLY).header("Location", &location).header("Cache-Control", "no-cache")
}

fn index_of(folder: &Path) -> Option<PathBuf> {
    INDEXES.iter().map(|name| folder.join(name)).find(|path| path.is_file())
}

/// The whole of a file.
fn whole(content: &Kept) -> Response {
    match content {
        Kept::InMemory(stored) => {
            Response { content: Content::Stored(stored.clone()), ..Response::new(Status::OK) }
        }
        Kept::Open(opened) => {
            let parts = Parts { file: opened.file.clone(), list: vec![Part::Slice(0..opened.length)] };
            Response { status: Status::OK, fields: opened.fields.clone(), content: Content::File(parts) }
        }
    }
}

fn media_type(path: &Path, file: &mut File) -> io::Result<String> {
    if let Some(known) = types::by_name(path) {
        return Ok(known);
    }
    let mut start = Vec::with_capacity(types::SNIFFED);
    file.take(types::SNIFFED as u64).read_to_end(&mut start)?;
    Ok(types::by_content(&start).to_string())
}

/// Small enough to be read at once; what it has grown by meanwhile is another request's.
fn read_small(file: &mut File) -> io::Result<Vec<u8>> {
    file.rewind()?;
    let mut bytes = Vec::new();
    file.take(store::FILE_LIMIT).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn not_satisfiable(length: u64) -> Response {
    let why = format!("the file has {length} bytes, and none of them was asked for");
    Refusal::by("RFC 9110 section 15.5.17", Status::RANGE_NOT_SATISFIABLE, why)
        .into_response()
        .header("Content-Range", &format!("bytes */{length}"))
}

fn content_range(part: &Range<u64>, length: u64) -> String {
    format!("bytes {}-{}/{length}", part.start, part.end - 1)
}

/// Each part under a head of its own (RFC 9110 section 14.6).
fn multipart(parts: &[Range<u64>], length: u64, media_type: &str, boundary: &str) -> Vec<Part> {
    let mut list = Vec::new();
    for part in parts {
        let range = content_range(part, length);
        let head =
            format!("\r\n--{boundary}\r\nContent-Type: {media_type}\r\nContent-Range: {range}\r\n\r\n");
        list.push(Part::Text(head.into_bytes()));
        list.push(Part::Slice(part.clone()));
    }
    list.push(Part::Text(format!("\r\n--{boundary}--\r\n").into_bytes()));
    list
}

fn listed(name: Vec<u8>, metadata: &Metadata) -> Option<Entry> {
    let kind = match metadata.file_type() {
        kind if kind.is_dir() => Kind::Folder,
        kind if kind.is_file() => Kind::File,
        _ => return None,
    };
    let modified = metadata.modified().unwrap_or(UNIX_EPOCH).duration_since(UNIX_EPOCH).unwrap_or_default();
    Some(Entry { name, kind, size: metadata.len(), modified: modified.as_secs() })
}
