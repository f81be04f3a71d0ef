//! What to serve, and on which port: words in any order.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::words;

/// What the command line says about it.
#[derive(Debug)]
pub struct Asked<'a> {
    /// Folders, files and ports.
    pub words: &'a [OsString],
    /// What is to be served, where it is said to be that.
    pub directory: Option<&'a Path>,
    /// The port, where it is said to be that.
    pub port: Option<u16>,
    /// Whether nothing but a greeting is to be served.
    pub hello: bool,
}

/// Digits alone are a port, anything else is what to serve. Where they are the name of
/// something as well, and nothing else says which of the two is meant, that is for the
/// person to say.
///
/// # Errors
/// What makes no sense, in a sentence.
pub fn of(asked: &Asked<'_>) -> Result<(PathBuf, Option<u16>), String> {
    let mut path = asked.directory.map(Path::to_path_buf);
    let mut ports = Vec::new();
    for word in asked.words {
        let is_number = word.to_str().is_some_and(words::is_number);
        if is_number {
            ports.push(word);
        } else if asked.hello {
            return Err(format!(
                "--hello serves nothing else, and {} is not a port",
                word.display()
            ));
        } else if path.replace(word.into()).is_some() {
            return Err(format!("two things to serve are given, one of them {}", word.display()));
        }
    }
    let is_served = path.is_some() || asked.hello;
    let is_there = |word: &OsString| !is_served && Path::new(word).exists();
    // What can only be a port goes first, wherever it stands.
    ports.sort_by_key(|word| is_there(word));
    let mut port = asked.port;
    for word in ports {
        let text = word.display();
        let number = word.to_str().and_then(|word| word.parse().ok());
        let is_there = is_there(word);
        match (number, port) {
            (Some(number), None) if !is_there => port = Some(number),
            (Some(_), None) => {
                return Err(format!(
                    "{text} may be a port, and there is something of this name here: ./{text} serves it, --port {text} is the port"
                ));
            }
            _ if is_there && path.is_none() => path = Some(word.into()),
            (Some(_), Some(_)) => {
                return Err(format!("two ports are given, one of them {text}"));
            }
            (None, _) => return Err(format!("{text} is not a port below 65536")),
        }
    }
    Ok((path.unwrap_or_else(|| ".".into()), port))
}
