//! Problem 10: files with all their versions. Lines and counted bytes take turns on one
//! connection, and a name is looked at before it is believed.

use std::collections::BTreeMap;
use std::io::{self, BufReader, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use netcore::connection::Connection;

use crate::server::next_line;

/// Bytes of a file at most, and of all versions of all files: the bound on memory.
const MOST: (usize, usize) = (1 << 20, 64 << 20);

/// Bytes that a version takes beside its own and its name's, roughly: versions of one byte
/// would otherwise take many times the bound.
const BESIDE: usize = 64;

/// All files, and their versions in order.
#[derive(Debug, Default)]
pub struct Storage(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    files: BTreeMap<String, Vec<Vec<u8>>>,
    bytes: usize,
}

impl Storage {
    /// One client.
    ///
    /// # Errors
    /// What the connection says.
    pub fn talk(&self, stream: &mut Connection, _: SocketAddr) -> io::Result<()> {
        let (mut reader, mut line) = (BufReader::new(stream), Vec::new());
        loop {
            reader.get_mut().write_all(b"READY\n")?;
            if !next_line(&mut reader, &mut line)? {
                return Ok(());
            }
            let line = String::from_utf8_lossy(&line).into_owned();
            let mut words = line.split_ascii_whitespace();
            let method = words.next().unwrap_or_default().to_ascii_uppercase();
            let words: Vec<&str> = words.collect();
            let reply = match (method.as_str(), words.as_slice()) {
                ("HELP", _) => text("OK usage: HELP|GET|PUT|LIST"),
                ("GET", [file]) => self.get(file, None),
                ("GET", [file, version]) => self.get(file, Some(version)),
                ("GET", _) => text("ERR usage: GET file [revision]"),
                ("PUT", [file, length]) => {
                    // What cannot be kept is not read: nobody knows where the next request begins.
                    let length = length.parse().ok().filter(|length| *length <= MOST.0);
                    let Some(length) = length else {
                        let most = format!("ERR a file has 0 to {} bytes\n", MOST.0);
                        return reader.get_mut().write_all(most.as_bytes());
                    };
                    // Memory is taken for what has come, and not for what was announced.
                    let mut bytes = Vec::new();
                    if reader.by_ref().take(length as u64).read_to_end(&mut bytes)? < length {
                        return Err(ErrorKind::UnexpectedEof.into());
                    }
                    self.put(file, bytes)
                }
                ("PUT", _) => text("ERR usage: PUT file length newline data"),
                ("LIST", [folder]) => self.list(folder),
                ("LIST", _) => text("ERR usage: LIST dir"),
                _ => {
                    let why = format!("ERR illegal method: {method}\n");
                    return reader.get_mut().write_all(why.as_bytes());
                }
            };
            reader.get_mut().write_all(&reply)?;
        }
    }

    fn get(&self, name: &str, version: Option<&str>) -> Vec<u8> {
        if !is_file(name) {
            return text("ERR illegal file name");
        }
        let state = self.state();
        let Some(versions) = state.files.get(name) else { return text("ERR no such file") };
        let number = match version {
            Some(version) => version.strip_prefix('r').unwrap_or(version).parse().unwrap_or(0),
            None => versions.len(),
        };
        match number.checked_sub(1).and_then(|at| versions.get(at)) {
            Some(bytes) => [format!("OK {}\n", bytes.len()).as_bytes(), bytes].concat(),
            None => text("ERR no such revision"),
        }
    }

    fn put(&self, name: &str, bytes: Vec<u8>) -> Vec<u8> {
        if !is_file(name) {
            return text("ERR illegal file name");
        }
        if !bytes.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r')) {
            return text("ERR text files only");
        }
        let mut state = self.state();
        // The same once more is no new version.
        let is_new = state.files.get(name).and_then(|it| it.last()) != Some(&bytes);
        if is_new {
            let taken = state.bytes + name.len() + bytes.len() + BESIDE;
            if taken > MOST.1 {
                return text("ERR there is no room");
            }
            state.bytes = taken;
            state.files.entry(name.into()).or_default().push(bytes);
        }
        text(&format!("OK r{}", state.files.get(name).map_or(0, Vec::len)))
    }

    fn list(&self, folder: &str) -> Vec<u8> {
        let folder = format!("{}/", folder.strip_suffix('/').unwrap_or(folder));
        if folder != "/" && !is_file(&folder[..folder.len() - 1]) {
            return text("ERR illegal dir name");
        }
        let state = self.state();
        let mut entries = BTreeMap::new();
        for (name, versions) in state.files.range(folder.clone()..) {
            let Some(rest) = name.strip_prefix(&folder) else { break };
            match rest.split_once('/') {
                // A file and a folder may have one name; the file is told.
                Some((below, _)) => {
                    entries.entry(below).or_insert_with(|| format!("{below}/ DIR"));
                }
                None => drop(entries.insert(rest, format!("{rest} r{}", versions.len()))),
            }
        }
        let lines = entries.values().map(|entry| format!("{entry}\n"));
        format!("OK {}\n{}", entries.len(), lines.collect::<String>()).into_bytes()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// From the root on, of names that are not empty. Nothing is looked up on a disk, so `..` is a
/// name as any other.
fn is_file(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    name.strip_prefix('/').is_some_and(|rest| {
        rest.split('/').all(|part| !part.is_empty() && part.chars().all(is_plain))
    })
}

fn text(line: &str) -> Vec<u8> {
    format!("{line}\n").into_bytes()
}
