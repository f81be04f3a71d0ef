//! A path becomes a file, a page of a folder, or a refusal.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::time::SystemTime;

use httpcore::freshness::{self, Validators, Verdict, Wanted};
use httpcore::head::{Head, Method, Target, target};
use httpcore::reply::{IntoResponse, Response, clock, html, other_method, types};
use httpcore::{Refusal, Status};

use crate::Site;

impl Site {
    /// The response to a request: the place for what a server of your own does.
    ///
    /// # Errors
    /// 404 for what is not there or lies outside of the folder, 412 for
    /// another version than the request is about.
    pub fn reply(&self, head: &Head<'_>) -> Result<Response, Refusal> {
        // Split and then decoded, once: no name holds a slash, and none is `..`.
        let target = Target::parse(head.method, head.target)?;
        let path = target::Path::parse(target.path)?;
        if !matches!(head.method, Method::Get | Method::Head) {
            return Ok(other_method(head.method, &[Method::Get]));
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
            (false, folder) if folder == is_index && file.is_file() => current(&file, head),
            (false, _) => Err(Refusal::not_found()),
        }
    }
}

/// The file, or as much of it as the client lacks.
fn current(path: &Path, head: &Head) -> Result<Response, Refusal> {
    let mut file = File::open(path)?;
    let metadata = file.metadata()?;
    let (version, length) = (Validators::of(&metadata, SystemTime::now()), metadata.len());
    let response = match freshness::weigh(&head.fields, head.method, &version) {
        Verdict::Serve => {
            let media_type = types::of_file(path, &mut file)?;
            wanted(file, length, head, &version)?.header("Content-Type", &media_type)
        }
        Verdict::NotModified => Response::new(Status::NOT_MODIFIED),
        Verdict::Failed => {
            let why = "the file is another version than the request is about";
            return Err(Refusal::new(Status::PRECONDITION_FAILED, why));
        }
    };
    // A client shows these next time, and asks each time: the file may change at any moment.
    Ok(response
        .header("ETag", &version.etag())
        .header("Last-Modified", &clock::date(version.last_modified))
        .header("Cache-Control", "no-cache"))
}

/// All of it, or the part that is asked for, if that is a part of this version.
fn wanted(file: File, length: u64, head: &Head, version: &Validators) -> io::Result<Response> {
    let holds = head.method == Method::Get && freshness::range_holds(&head.fields, version);
    let range = head.fields.only("range").filter(|_| holds);
    match range.map_or(Wanted::Whole, |range| freshness::wanted(range, length)) {
        Wanted::Parts(parts) if parts.len() == 1 => {
            Ok(Response::part_of_file(file, parts[0].clone(), length))
        }
        Wanted::Nothing => {
            let why = format!("the file has {length} bytes, and none of them was asked for");
            Ok(Refusal::new(Status::RANGE_NOT_SATISFIABLE, why)
                .into_response()
                .header("Content-Range", &format!("bytes */{length}")))
        }
        // Several parts would need a frame around each. To send the whole is never wrong.
        Wanted::Whole | Wanted::Parts(_) => Response::file(file),
    }
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
