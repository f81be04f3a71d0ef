//! A path becomes a file, a page of a folder, or a refusal.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use httpcore::head::{Method, Target, target};
use httpcore::reply::{Response, html, other_method, types};
use httpcore::{Refusal, Status};

use crate::Site;

impl Site {
    /// The response to a request: the place for what a server of your own does.
    ///
    /// # Errors
    /// 404 for what is not there or lies outside of the folder.
    pub fn reply(&self, method: Method, target: &[u8]) -> Result<Response, Refusal> {
        // Split and then decoded, once: no name holds a slash, and none is `..`.
        let target = Target::parse(method, target)?;
        let path = target::Path::parse(target.path)?;
        if !matches!(method, Method::Get | Method::Head) {
            return Ok(other_method(method, &[Method::Get]));
        }
        let root = fs::canonicalize(&self.root)?;
        let mut file = root.clone();
        for name in &path.names {
            file.push(str::from_utf8(name).map_err(|_| Refusal::not_found())?);
        }
        // What a folder shows for itself, if it is there.
        let index = file.join("index.html");
        let is_index = path.folder && index.is_file();
        // Wherever links lead, that of the index too: what is served lies inside.
        let file = fs::canonicalize(if is_index { index } else { file }).ok();
        let file = file.filter(|file| file.starts_with(&root)).ok_or_else(Refusal::not_found)?;
        match (file.is_dir(), path.folder) {
            (true, true) => Ok(listing(&file, &path.encode())?),
            // Its links are relative to it, so that its address has to end with a slash.
            (true, false) => Ok(Response::new(Status::MOVED_PERMANENTLY)
                .header("Location", &path.as_folder(target.query))),
            // Not a pipe or a device, which would be waited for.
            (false, folder) if folder == is_index && file.is_file() => Ok(whole(&file)?),
            (false, _) => Err(Refusal::not_found()),
        }
    }
}

fn whole(path: &Path) -> io::Result<Response> {
    let mut file = File::open(path)?;
    let media_type = types::of_file(path, &mut file)?;
    Ok(Response::file(file)?.header("Content-Type", &media_type))
}

fn listing(folder: &Path, title: &str) -> io::Result<Response> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let slash = if entry.path().is_dir() { "/" } else { "" };
        // A name that is no text has no link here.
        names.extend(entry.file_name().into_string().map(|name| name + slash));
    }
    Ok(Response::html(html::index(title, &names)))
}
