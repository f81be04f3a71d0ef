//! One file as a response: whole, in parts, or not at all because the client has it.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use httpcore::freshness::{self, Strength, Validators, Verdict, Wanted};
use httpcore::handler::Request;
use httpcore::head::Method;
use httpcore::reply::{Content, Part, Parts, Response, Stored, clock, types};
use httpcore::{Refusal, Status};

use super::cache::{self, Cache, Entry, Identity, Keeping, Kept, Location, Opened};
use super::file_system::FileSystem;
use super::resolve::Root;
use super::settings::{Precompressed, Settings};
use super::{coding, parts};

/// Header lines of every response that sends a file or parts of it.
const SENT: &str = "Accept-Ranges: bytes\r\nX-Content-Type-Options: nosniff\r\n";

/// How a file was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// The path of the request is its name, or that of its folder.
    ByName,
    /// It stands in for something better that is not there. That may come, and nothing
    /// about this file would change.
    SecondChoice,
}

/// What sends the files of one folder.
#[derive(Debug)]
pub struct Sender {
    /// Which files, and how.
    pub settings: Settings,
    /// Those that have been sent before.
    pub cache: Cache,
}

impl Sender {
    /// The short way to a file that has been sent before.
    pub fn kept(&self, request: &Request<'_>) -> Option<Result<Response, Refusal>> {
        if request.fields().get("range").is_some() || self.may_be_coded(request) {
            return None;
        }
        let entry = self.cache.get(request.target().path)?;
        Some(match self.precondition(request, &entry.validators) {
            Ok(None) => Ok(whole(&entry.content)),
            Ok(Some(not_modified)) => Ok(not_modified),
            Err(refusal) => Err(refusal),
        })
    }

    /// The answer that a file is, whichever parts of it are wanted.
    pub fn file(
        &self,
        request: &Request<'_>,
        root: &Root,
        path: &Path,
        way: Way,
    ) -> Result<Response, Refusal> {
        let coded =
            if self.may_be_coded(request) { coding::choose(path, request.fields()) } else { None };
        let (opened, coding) = match &coded {
            Some((sibling, coding)) => (sibling.as_path(), Some(coding.name)),
            None => (path, None),
        };
        let (mut file, system, metadata) = root.open(opened)?;
        if let Some(made) = self.made(path, &mut file, system, metadata.len())? {
            return Ok(made);
        }
        let now = SystemTime::now();
        let validators = Validators::of(&metadata, now);
        if let Some(not_modified) = self.precondition(request, &validators)? {
            return Ok(not_modified);
        }
        let media_type = match coding {
            None => types::of_file(path, &mut file)?,
            // Compressed bytes say nothing of the text in them.
            Some(_) => types::of_file(path, &mut root.open(path)?.0)?,
        };
        let mut fields = self.described(&validators);
        fields.extend_from_slice(SENT.as_bytes());
        if let Some(coding) = coding {
            fields.extend_from_slice(format!("Content-Encoding: {coding}\r\n").as_bytes());
        }
        match request.fields().only("range") {
            // Only GET has ranges (section 14.2).
            Some(range)
                if request.method() == Method::Get
                    && freshness::range_holds(request.fields(), &validators) =>
            {
                match freshness::wanted(range, metadata.len()) {
                    Wanted::Whole => {}
                    Wanted::Parts(parts) => {
                        return Ok(parts::some(file, metadata.len(), fields, &media_type, &parts));
                    }
                    Wanted::Nothing => return Ok(parts::not_satisfiable(metadata.len())),
                }
            }
            _ => {}
        }
        fields.extend_from_slice(format!("Content-Type: {media_type}\r\n").as_bytes());
        let keeping = Keeping::of(system, &metadata, now);
        let content = if metadata.len() > cache::FILE_LIMIT || keeping == Keeping::Open {
            Kept::Open(Arc::new(Opened { fields, file: Arc::new(file), length: metadata.len() }))
        } else {
            let bytes = read_small(&mut file, metadata.len())?;
            fields.extend_from_slice(format!("Content-Length: {}\r\n", bytes.len()).as_bytes());
            Kept::InMemory(Arc::new(Stored { fields, bytes }))
        };
        let response = whole(&content);
        // What is kept has its tag for as long as it is kept.
        let is_settled = keeping != Keeping::Nothing && validators.strength == Strength::Strong;
        if way == Way::ByName && coding.is_none() && is_settled {
            let location = Location::new(
                &self.settings.root,
                &root.renamed(path, &self.settings.root),
                self.settings.links,
            );
            self.keep(request, location, &metadata, validators, content);
        }
        Ok(response)
    }

    /// Content that is made while it is read, of a file whose length and date say nothing: it
    /// is sent to its end, has no version and no parts.
    fn made(
        &self,
        path: &Path,
        file: &mut File,
        system: FileSystem,
        length: u64,
    ) -> io::Result<Option<Response>> {
        let may_be = system == FileSystem::Made || (length == 0 && system != FileSystem::Disk);
        let start = if may_be { types::start(file)? } else { Vec::new() };
        if start.is_empty() {
            return Ok(None);
        }
        let fields = format!(
            "Cache-Control: {}\r\nX-Content-Type-Options: nosniff\r\nContent-Type: {}\r\n",
            self.settings.cache_control,
            types::of(path, &start),
        );
        let all = io::Cursor::new(start).chain(file.try_clone()?);
        let content = Content::Stream(Box::new(all));
        Ok(Some(Response::from_parts(Status::OK, fields.into_bytes(), content)))
    }

    /// Whether a compressed sibling may be sent instead of what is asked for.
    fn may_be_coded(&self, request: &Request<'_>) -> bool {
        self.settings.precompressed == Precompressed::Sent && coding::is_accepted(request.fields())
    }

    /// Keeps a file, unless it has changed while it was read.
    fn keep(
        &self,
        request: &Request<'_>,
        location: Location,
        before: &Metadata,
        validators: Validators,
        content: Kept,
    ) {
        let is_whole = match &content {
            Kept::InMemory(stored) => stored.bytes.len() as u64 == before.len(),
            Kept::Open(opened) => opened.length <= cache::OPEN_LIMIT,
        };
        // What the name stands for after the reading, so that a change meanwhile is seen.
        let identity = Identity::of(before);
        if is_whole && location.look().is_ok_and(|after| after == identity) {
            let entry = Entry { location, identity, validators, content };
            self.cache.put(request.target().path, entry);
        }
    }

    /// 304 where the client has this version; nothing where it is to be sent.
    fn precondition(
        &self,
        request: &Request<'_>,
        validators: &Validators,
    ) -> Result<Option<Response>, Refusal> {
        match freshness::weigh(request.fields(), request.method(), validators) {
            Verdict::Serve => Ok(None),
            Verdict::NotModified => Ok(Some(Response::from_parts(
                Status::NOT_MODIFIED,
                self.described(validators),
                Content::Empty,
            ))),
            Verdict::Failed => {
                let why = "the file is another version than the request is about";
                Err(Refusal::by("RFC 9110 section 13.1", Status::PRECONDITION_FAILED, why))
            }
        }
    }

    /// The header lines that a 304 has too.
    fn described(&self, validators: &Validators) -> Vec<u8> {
        let vary = match self.settings.precompressed {
            Precompressed::Sent => "Vary: Accept-Encoding\r\n",
            Precompressed::Ignored => "",
        };
        format!(
            "ETag: {}\r\nLast-Modified: {}\r\nCache-Control: {}\r\n{vary}",
            validators.etag(),
            clock::date(validators.last_modified),
            self.settings.cache_control,
        )
        .into_bytes()
    }
}

/// The whole of a file.
fn whole(content: &Kept) -> Response {
    match content {
        Kept::InMemory(stored) => {
            Response::from_parts(Status::OK, Vec::new(), Content::Stored(stored.clone()))
        }
        Kept::Open(opened) => {
            let parts =
                Parts { file: opened.file.clone(), list: vec![Part::Slice(0..opened.length)] };
            Response::from_parts(Status::OK, opened.fields.clone(), Content::File(parts))
        }
    }
}

/// Small enough to be read at once; what it has grown by meanwhile is another
/// version's.
fn read_small(file: &mut File, length: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes)?;
    Ok(bytes)
}
