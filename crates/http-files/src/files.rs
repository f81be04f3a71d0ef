//! A path becomes a file, a page of a folder, or a refusal.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::Arc;

use httpcore::head::{Method, Target, target};
use httpcore::reply::html::{escape, page};
use httpcore::reply::{Content, Part, Parts, Response};
use httpcore::{Refusal, Status};

use crate::Files;

/// What the ends of names stand for; everything else is bytes without a meaning.
const TYPES: [(&str, &str); 7] = [
    ("html", "text/html; charset=utf-8"),
    ("txt", "text/plain; charset=utf-8"),
    ("css", "text/css; charset=utf-8"),
    ("js", "text/javascript; charset=utf-8"),
    ("json", "application/json"),
    ("png", "image/png"),
    ("svg", "image/svg+xml"),
];

impl Files {
    /// The response to a request: the place for what a server of your own does.
    ///
    /// # Errors
    /// 404 for what is not there or lies outside of the folder, 501 for other methods.
    pub fn reply(&self, method: Method, target: &[u8]) -> Result<Response, Refusal> {
        if !matches!(method, Method::Get | Method::Head) {
            return Err(Refusal::new(Status::NOT_IMPLEMENTED, "only GET and HEAD are known here"));
        }
        // Decoded once, after it has been split: no name holds a slash or is `..`.
        let path = target::Path::parse(Target::parse(method, target)?.path)?;
        let root = fs::canonicalize(&self.root)?;
        let mut file = root.clone();
        for name in &path.names {
            // Other names than these no file has on Windows, where bytes are not names.
            file.push(str::from_utf8(name).map_err(|_| Refusal::not_found())?);
        }
        // Whatever links there are: what they lead to has to lie inside.
        let file = fs::canonicalize(file).ok().filter(|file| file.starts_with(&root));
        let file = file.ok_or_else(Refusal::not_found)?;
        match (file.is_dir(), path.folder) {
            (false, true) => Err(Refusal::not_found()),
            (false, false) => Ok(whole(&file)?),
            // Its links are relative to it, so that its address has to end with a slash.
            (true, false) => {
                let location = target::Path { folder: true, ..path }.encode();
                Ok(Response::new(Status::MOVED_PERMANENTLY).header("Location", &location))
            }
            (true, true) if file.join("index.html").is_file() => {
                Ok(whole(&file.join("index.html"))?)
            }
            (true, true) => Ok(Response::html(listing(&file, &path.encode())?)),
        }
    }
}

fn whole(path: &Path) -> io::Result<Response> {
    // A pipe or a device would be waited for.
    if !path.is_file() {
        return Err(io::ErrorKind::NotFound.into());
    }
    let file = File::open(path)?;
    let list = vec![Part::Slice(0..file.metadata()?.len())];
    let extension = path.extension().and_then(|extension| extension.to_str());
    let known = TYPES.iter().find(|(end, _)| Some(*end) == extension);
    let media_type = known.map_or("application/octet-stream", |(_, media_type)| media_type);
    let fields = format!("Content-Type: {media_type}\r\n").into_bytes();
    let content = Content::File(Parts { file: Arc::new(file), list });
    Ok(Response::from_parts(Status::OK, fields, content))
}

fn listing(folder: &Path, title: &str) -> io::Result<String> {
    let mut body = format!("<h1>{}</h1>\n<ul>\n", escape(title));
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let slash = if path.is_dir() { "/" } else { "" };
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        let link = target::encode(name.as_bytes());
        // The dot keeps a name with a colon from being read as a scheme.
        body += &format!("<li><a href=\"./{link}{slash}\">{}{slash}</a></li>\n", escape(name));
    }
    Ok(page(title, &(body + "</ul>\n")))
}
