//! A path becomes a file, a page of a folder, or a refusal.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use httpcore::head::{Method, Target, target};
use httpcore::reply::html::{escape, page};
use httpcore::reply::{Response, types};
use httpcore::{Refusal, Status};

use crate::Files;

impl Files {
    /// The response to a request: the place for what a server of your own does.
    ///
    /// # Errors
    /// 404 for what is not there or lies outside of the folder, 501 for other methods.
    pub fn reply(&self, method: Method, target: &[u8]) -> Result<Response, Refusal> {
        if !matches!(method, Method::Get | Method::Head) {
            return Err(Refusal::new(Status::NOT_IMPLEMENTED, "only GET and HEAD are known here"));
        }
        // Split and then decoded, once: no name holds a slash, and none is `..`.
        let path = target::Path::parse(Target::parse(method, target)?.path)?;
        let root = fs::canonicalize(&self.root)?;
        let mut file = root.clone();
        for name in &path.names {
            file.push(str::from_utf8(name).map_err(|_| Refusal::not_found())?);
        }
        // Wherever links lead: what is served lies inside.
        let file = fs::canonicalize(file).ok().filter(|file| file.starts_with(&root));
        let file = file.ok_or_else(Refusal::not_found)?;
        let index = file.join("index.html");
        match (file.is_dir(), path.folder) {
            (false, true) => Err(Refusal::not_found()),
            (false, false) => Ok(whole(&file)?),
            (true, true) if index.is_file() => Ok(whole(&index)?),
            (true, true) => Ok(listing(&file, &path.encode())?),
            // Its links are relative to it, so that its address has to end with a slash.
            (true, false) => {
                let location = path.encode() + "/";
                Ok(Response::new(Status::MOVED_PERMANENTLY).header("Location", &location))
            }
        }
    }
}

fn whole(path: &Path) -> io::Result<Response> {
    // A pipe or a device would be waited for.
    if !path.is_file() {
        return Err(io::ErrorKind::NotFound.into());
    }
    let media_type = types::by_name(path).unwrap_or_else(|| "application/octet-stream".into());
    Ok(Response::file(File::open(path)?)?.header("Content-Type", &media_type))
}

fn listing(folder: &Path, title: &str) -> io::Result<Response> {
    let mut list = String::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let slash = if entry.path().is_dir() { "/" } else { "" };
        // A name that is no text has no link here.
        let Ok(name) = entry.file_name().into_string() else { continue };
        // The dot keeps a name with a colon from being read as the scheme of an address.
        let link = format!("./{}{slash}", target::encode(name.as_bytes()));
        list += &format!("<li><a href=\"{link}\">{}{slash}</a></li>\n", escape(&name));
    }
    Ok(Response::html(page(title, &format!("<h1>{}</h1>\n<ul>\n{list}</ul>\n", escape(title)))))
}
