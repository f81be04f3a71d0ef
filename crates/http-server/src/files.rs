//! Files of a folder: which file, or which folder, a path stands for.

use std::borrow::Cow;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::file::Way;
use crate::listing::Kind;
use crate::locate::{self, Found, Links};
use crate::method::Method;
use crate::missing::Missing;
use crate::refusal::Refusal;
use crate::request::Request;
use crate::response::{IntoResponse, Response};
use crate::route::{Handler, other_method};
use crate::status::Status;
use crate::store::Store;
use crate::target;

/// What a folder shows for itself, if it is there.
const INDEXES: [&str; 2] = ["index.html", "index.htm"];

/// Whether names that begin with a dot are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DotFiles {
    /// They are as good as missing, but for `/.well-known/` (RFC 8615).
    Hidden,
    /// They are as any others.
    Shown,
}

/// Whether compressed siblings are sent to clients that take them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precompressed {
    /// They are files like any others.
    Ignored,
    /// `app.js.br`, `app.js.zst` or `app.js.gz` for `app.js`, unless it is older.
    Sent,
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
    pub(crate) root: PathBuf,
    pub(crate) kind: Kind,
    pub(crate) links: Links,
    pub(crate) dot_files: DotFiles,
    pub(crate) precompressed: Precompressed,
    pub(crate) missing: Missing,
    pub(crate) cache_control: String,
    pub(crate) store: Store,
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
            _ => {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidInput,
                    "neither a folder nor a file",
                ));
            }
        };
        let cache_control = "no-cache".to_string();
        Ok(Files {
            root,
            kind,
            links: Links::Inside,
            dot_files: DotFiles::Hidden,
            precompressed: Precompressed::Ignored,
            missing: Missing::NotFound,
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

    /// Whether compressed siblings are sent to clients that take them.
    pub fn precompressed(self, precompressed: Precompressed) -> Files {
        Files { precompressed, ..self }
    }

    /// What is answered where there is nothing.
    pub fn missing(self, missing: Missing) -> Files {
        Files { missing, ..self }
    }

    /// Lets clients use a file for so long without asking again. Unless told so, they
    /// ask each time.
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
            Found::File(_) if path.folder && !names.is_empty() => Err(Refusal::not_found()),
            Found::File(file) => self.file(request, &file, Way::ByName),
            Found::Folder(folder) => {
                locate::check_inside(&self.root, &folder, self.links)?;
                if !path.folder {
                    return Ok(redirect_to_folder(request, path));
                }
                match index_of(&folder) {
                    Some((index, way)) => self.file(request, &index, way),
                    None => self.listing(request, &path.names, &folder),
                }
            }
        }
    }

    /// Whether nothing of this path is to be served, be it there or not.
    pub(crate) fn hides(&self, names: &[Cow<'_, [u8]>]) -> bool {
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
                if self.root.file_name().map(locate::name_bytes).as_deref()
                    == Some(name.as_ref()) =>
            {
                locate::find_at(self.root.clone())
            }
            (Kind::File, _) => Err(Refusal::not_found()),
        }
    }
}

impl Handler for Files {
    fn respond(&self, request: &mut Request<'_>) -> Response {
        match request.method() {
            Method::Get | Method::Head => {
                match self.kept(request).unwrap_or_else(|| self.get(request)) {
                    Err(refusal) if refusal.status == Status::NOT_FOUND => {
                        self.instead(request, refusal)
                    }
                    found => found.into_response(),
                }
            }
            other => other_method(other, &[Method::Get]),
        }
    }
}

/// A folder's links are relative to it, so that its path has to end with a slash. The
/// Location is a path only: with two slashes at its front, it would lead to another
/// host.
fn redirect_to_folder(request: &Request<'_>, path: target::Path<'_>) -> Response {
    let mut location = target::Path { folder: true, ..path }.encode();
    if let Some(query) = request.target().query {
        location.push('?');
        // A query is sent on as it came; what is not ASCII in it would not be a header value.
        location.push_str(&target::encode_target(query));
    }
    Response::new(Status::MOVED_PERMANENTLY)
        .header("Location", &location)
        .header("Cache-Control", "no-cache")
}

fn index_of(folder: &Path) -> Option<(PathBuf, Way)> {
    let [first, second] = INDEXES.map(|name| folder.join(name));
    if first.is_file() {
        return Some((first, Way::ByName));
    }
    second.is_file().then_some((second, Way::SecondChoice))
}
