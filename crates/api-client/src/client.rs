//! The client's command line: each message is a note that the third party keeps.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use netcore::Error;
use netcore::cli::{self, ClientArgs, count, duration};
use netcore::log::{harmless, harmless_json};
use netcore::secrets;
use serde_json::{Value, json};
use url::Url;

use crate::api::{Api, NoAnswer, Request, Secret, new_key};

/// What a client can be told beside where and what.
#[derive(Debug, Args)]
pub struct Options {
    /// Address of the API with its scheme, and a slash where names are appended; instead of
    /// --host and --port
    #[arg(long, value_name = "URL", value_parser = address,
        conflicts_with_all = ["host", "port", "wait"])]
    url: Option<Url>,
    /// Print what is at this path instead of sending anything
    #[arg(long, value_name = "PATH", conflicts_with = "messages")]
    get: Option<String>,
    /// Give a request so long in all: names, connections, answers, waits and repeats
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "30s")]
    within: Duration,
    /// Send at most so many requests a second
    #[arg(long, value_name = "N", value_parser = count::<u32>, default_value_t = 10)]
    rate: u32,
    /// Send no key, so that nothing is sent twice
    #[arg(long, conflicts_with = "get")]
    no_key: bool,
    /// File with the secret that says who we are
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Field that carries the secret
    #[arg(long, value_name = "NAME", default_value = "Authorization", requires = "token_file")]
    token_field: String,
}

/// Sends each message and prints the note that it has become.
///
/// # Errors
/// Those of reading and printing; what [`Api::ask`] says: exit code 1 where the third party
/// refuses, and 75 where it may take it later.
pub fn run<const PORT: u16>(args: &ClientArgs<PORT>, options: Options) -> Result<(), Error> {
    netcore::log::init(args.verbose);
    if options.url.is_none() {
        // Whether anybody is there is told at once, as by every client here; a try is for
        // who was there and has trouble.
        args.connect()?;
    }
    let address = format!("http://{}", netcore::listen::join(&args.host, args.port));
    let base = options.url.clone().map_or_else(|| Url::parse(&address), Ok);
    let base = base.map_err(|error| Error::Usage(format!("{address}: {error}")))?;
    let secret = options.secret()?;
    let mut api = Api::new(base, secret, options.within, options.rate);
    if let Some(path) = &options.get {
        let answer = api.ask(Request { path, body: None, key: None });
        let answer = answer.map_err(|why| told("get it", why))?;
        return cli::print(harmless_json(answer.to_string()));
    }
    for message in cli::messages(&args.messages) {
        let body = json!({ "text": String::from_utf8_lossy(&message?) });
        // Made once, before the first try: the same in all of them.
        let key = new_key().map_err(Error::failed("make a key"))?;
        let key = (!options.no_key).then_some(key.as_str());
        let answer = api.ask(Request { path: "notes", body: Some(&body), key });
        let note = answer.map_err(|why| told("send the note", why))?;
        match (note["number"].as_u64(), note["text"].as_str()) {
            // It is theirs to say, and some characters are commands to a terminal.
            (Some(number), Some(text)) => {
                cli::print(format_args!("note {number}: {}", harmless(text)))?
            }
            _ => return Err(told("send the note", no_note(&note))),
        }
    }
    Ok(())
}

impl Options {
    fn secret(&self) -> Result<Option<Secret>, Error> {
        let Some(file) = &self.token_file else { return Ok(None) };
        let attempted = format!("read {}", file.display());
        let token = secrets::open_given(file).and_then(io::read_to_string);
        let token = token.map_err(Error::failed(&attempted))?;
        let token = token.trim();
        if token.is_empty() {
            return Err(Error::failed(attempted)(io::Error::other("there is no secret in it")));
        }
        let value = match self.token_field.eq_ignore_ascii_case("authorization") {
            true => format!("Bearer {token}"),
            false => token.to_string(),
        };
        Ok(Some(Secret { field: self.token_field.clone(), value }))
    }
}

/// An address without a secret in it, which the log would show as well.
fn address(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("an API is asked over http:// or https://".into());
    }
    if url.username().is_empty() && url.password().is_none() {
        return Ok(url);
    }
    Err("every user of this machine can read a command line; --token-file has the secret".into())
}

fn no_note(answer: &Value) -> NoAnswer {
    NoAnswer::Refused(format!(
        "the answer is no note but {} bytes of JSON",
        answer.to_string().len()
    ))
}

fn told(attempted: &str, why: NoAnswer) -> Error {
    match why {
        NoAnswer::Refused(why) => Error::failed(attempted)(io::Error::other(why)),
        NoAnswer::GaveUp(why) => Error::Later { attempted: attempted.into(), why },
    }
}
