//! Files of a folder: which file, or which folder, a path stands for.

mod cache;
mod coding;
mod fallback;
mod file;
mod file_system;
mod folder;
mod listing;
mod open;
mod parts;
mod resolve;
mod settings;

use std::borrow::Cow;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use httpcore::handler::{Handler, Request};
use httpcore::head::{Method, target};
use httpcore::reply::{IntoResponse, Response, other_method};
use httpcore::{Refusal, Status};

use self::cache::Cache;
use self::file::{Sender, Way};
use self::listing::Kind;
use self::resolve::{Found, Root};
use self::settings::Settings;

pub use self::resolve::Links;
pub use self::settings::{DotFiles, Missing, Precompressed};

/// What a folder shows for itself, if it is there.
const INDEXES: [&str; 2] = ["index.html", "index.htm"];

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
    sender: Sender,
}

impl Files {
    /// Serves what is below `root`; where that is a file, this file alone. A link is
    /// followed at each request, so that another folder can be put in place of this one.
    ///
    /// # Errors
    /// When there is nothing of that name, or nothing of it may be read.
    pub fn new(root: impl AsRef<Path>) -> io::Result<Files> {
        let root = absolute(root.as_ref())?;
        let kind = match fs::metadata(&root)?.file_type() {
            kind if kind.is_dir() => Kind::Folder,
            kind if kind.is_file() => Kind::File,
            _ => {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidInput,
                    "neither a folder nor a file",
                ));
            }
        };
        check_readable(&root, kind)?;
        let cache_control = "no-cache".to_string();
        let settings = Settings {
            root,
            kind,
            links: Links::Inside,
            dot_files: DotFiles::Hidden,
            precompressed: Precompressed::Ignored,
            missing: Missing::NotFound,
            cache_control,
        };
        Ok(Files { sender: Sender { settings, cache: Cache::default() } })
    }

    /// What is served, as an absolute path. The links in it are not followed.
    pub fn root(&self) -> &Path {
        &self.settings().root
    }

    /// [`root`](Files::root) as a person writes it. Windows begins a path that it has
    /// resolved with `\\?\`.
    pub fn root_for_people(&self) -> String {
        for_people(self.root())
    }

    /// Where symbolic links may lead.
    pub fn links(mut self, links: Links) -> Files {
        self.sender.settings.links = links;
        self
    }

    /// Whether names that begin with a dot are served.
    pub fn dot_files(mut self, dot_files: DotFiles) -> Files {
        self.sender.settings.dot_files = dot_files;
        self
    }

    /// Whether compressed siblings are sent to clients that take them.
    pub fn precompressed(mut self, precompressed: Precompressed) -> Files {
        self.sender.settings.precompressed = precompressed;
        self
    }

    /// What is answered where there is nothing.
    pub fn missing(mut self, missing: Missing) -> Files {
        self.sender.settings.missing = missing;
        self
    }

    /// Lets clients use a file for so long without asking again. Unless told so, they
    /// ask each time.
    pub fn cache(mut self, seconds: u32) -> Files {
        self.sender.settings.cache_control = format!("max-age={seconds}");
        self
    }

    fn settings(&self) -> &Settings {
        &self.sender.settings
    }

    fn get(&self, request: &Request<'_>) -> Result<Response, Refusal> {
        let settings = self.settings();
        let path = request.path()?;
        let names = &path.names[request.mount_depth()..];
        if settings.hides(names) {
            return Err(Refusal::not_found());
        }
        let root = settings.now()?;
        match self.find(&root, names)? {
            Found::File(_) if path.folder && !names.is_empty() => Err(Refusal::not_found()),
            Found::File(file) => self.sender.file(request, &root, &file, Way::ByName),
            Found::Folder(folder) if !path.folder => {
                root.check_inside(&folder)?;
                Ok(redirect_to_folder(request, path))
            }
            Found::Folder(folder) => match index_of(&folder) {
                Some((index, way)) => self.sender.file(request, &root, &index, way),
                None => {
                    let folder = root.open_folder(&folder)?;
                    folder::listing(settings, request, &path.names, &root, &folder)
                }
            },
        }
    }

    fn find(&self, root: &Root, names: &[Cow<'_, [u8]>]) -> Result<Found, Refusal> {
        let settings = self.settings();
        match (settings.kind, names) {
            (Kind::Folder, _) | (Kind::File, []) => root.find(names),
            // One file has its own name as well.
            (Kind::File, [name])
                if settings.root.file_name().map(resolve::name_bytes).as_deref()
                    == Some(name.as_ref()) =>
            {
                root.find(&[])
            }
            (Kind::File, _) => Err(Refusal::not_found()),
        }
    }
}

impl Handler for Files {
    fn respond(&self, request: &mut Request<'_>) -> Response {
        match request.method() {
            Method::Get | Method::Head => {
                match self.sender.kept(request).unwrap_or_else(|| self.get(request)) {
                    Err(refusal) if refusal.status == Status::NOT_FOUND => {
                        fallback::instead(&self.sender, request, refusal)
                    }
                    found => found.into_response(),
                }
            }
            other => other_method(other, &[Method::Get]),
        }
    }

    /// A file that has been sent before, and is the same.
    fn at_once(&self, request: &mut Request<'_>) -> Option<Response> {
        match request.method() {
            Method::Get | Method::Head => {
                self.sender.kept(request).map(IntoResponse::into_response)
            }
            other => Some(other_method(other, &[Method::Get])),
        }
    }
}

/// The name as it was given, from the front. What has no name of its own, as `..`, stands for
/// the folder that it stands for now.
fn absolute(path: &Path) -> io::Result<PathBuf> {
    match path.file_name() {
        // Without a slash at the end.
        Some(_) => Ok(std::path::absolute(path)?.components().collect()),
        None => fs::canonicalize(path),
    }
}

/// Tells now what every request would be told.
fn check_readable(root: &Path, kind: Kind) -> io::Result<()> {
    match kind {
        Kind::File => open::file(root).map(drop),
        // A folder may be passed through though it may not be listed.
        Kind::Folder => match fs::read_dir(root) {
            Err(error) if index_of(root).is_none() => Err(error),
            Ok(_) | Err(_) => Ok(()),
        },
    }
}

fn for_people(path: &Path) -> String {
    let path = path.display().to_string();
    match path.strip_prefix(r"\\?\UNC\") {
        Some(share) => format!(r"\\{share}"),
        None => path.strip_prefix(r"\\?\").map(String::from).unwrap_or(path),
    }
}

/// A folder's links are relative to it, so that its path has to end with a slash.
fn redirect_to_folder(request: &Request<'_>, path: &target::Path<'_>) -> Response {
    Response::new(Status::MOVED_PERMANENTLY)
        .header("Location", &path.as_folder(request.target().query))
        .header("Cache-Control", "no-cache")
}

fn index_of(folder: &Path) -> Option<(PathBuf, Way)> {
    let [first, second] = INDEXES.map(|name| folder.join(name));
    if first.is_file() {
        return Some((first, Way::ByName));
    }
    second.is_file().then_some((second, Way::SecondChoice))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_told_as_a_person_writes_it() {
        for (resolved, told) in [
            ("/srv/site", "/srv/site"),
            (r"\\?\C:\site", r"C:\site"),
            (r"\\?\UNC\server\site", r"\\server\site"),
        ] {
            assert_eq!(for_people(Path::new(resolved)), told);
        }
    }
}
