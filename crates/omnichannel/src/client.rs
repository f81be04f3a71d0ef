//! The client: each message is one operation, over the channel that is asked for.
//!
//! `get`; `put TEXT`, where the draft is at the revision that was seen last; `put@N TEXT`,
//! where it is at revision N; `add TEXT`, at the end of what is there, whatever that is;
//! `delete`; `follow`, and `follow@N` for what comes after revision N.

use std::ffi::OsString;
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::thread::sleep;
use std::time::Duration;

use clap::{Args, ValueEnum};
use netcore::Error;
use netcore::cli::{self, ClientArgs};
use netcore::error::reason;
use netcore::log::{harmless, payload};

use crate::PORT;
use crate::message::{Ask, Change, Draft, Reply, Secret, Why};
use crate::tokens::Tokens;

mod over_http;
mod over_tcp;
mod over_udp;

/// How often an operation is tried when its answer is lost: always under the same key.
const TRIES: u32 = 6;

/// How long after the first of them; each time twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(100);

/// How often `add` looks again at what another has written meanwhile.
const LOOKS: u32 = 100;

/// What is told where nothing can have the key.
const KEY_IS_FOR: &str = "--key names put@N TEXT or delete@N";

/// What a client can be told beside where and what.
#[derive(Debug, Args)]
pub struct Options {
    /// The channel
    #[arg(long, value_enum, default_value_t = Over::Tcp)]
    over: Over,
    /// File with the token that says who we are
    #[arg(long, value_name = "FILE", default_value = "omnichannel.tokens")]
    tokens: PathBuf,
    /// Which account of that file we are [default: the first]
    #[arg(long = "as", value_name = "NAME")]
    account: Option<String>,
    /// The name of a put@N or delete@N: again with the same name has one effect [default: a
    /// new one]
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Follow until this revision [default: for ever]
    #[arg(long, value_name = "N")]
    until: Option<u64>,
}

/// A way to the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Over {
    /// Frames over TCP
    Tcp,
    /// Datagrams
    Udp,
    /// HTTP, as a browser does
    Http,
}

/// One channel, as a client has it.
pub trait Channel {
    /// Asks once, and says what is answered.
    ///
    /// # Errors
    /// When no answer came: whether the request took effect is not known.
    fn ask(&mut self, key: Option<&str>, ask: &Ask) -> io::Result<Reply>;

    /// Gives the changes after `since` to `each`, until that has seen enough, which it says
    /// by `false`, or the other side ends it.
    ///
    /// # Errors
    /// When the connection ends otherwise.
    fn follow(&mut self, since: u64, each: &mut dyn FnMut(&Change) -> bool) -> io::Result<()>;
}

/// Does each operation and prints what comes of it.
///
/// # Errors
/// Exit code 1 where the server refuses or has another revision, 75 where it does not answer.
pub fn run(args: &ClientArgs<PORT>, options: Options) -> Result<(), Error> {
    netcore::log::init(args.verbose);
    options.are_used_by(&args.messages)?;
    if args.wait.is_some() {
        // A server that is only starting may not have made the file yet.
        drop(args.connect()?);
    }
    let attempted = format!("use the tokens in {}", options.tokens.display());
    let tokens = Tokens::open(&options.tokens, &[]).map_err(Error::failed(attempted))?;
    let account = options.account.as_deref();
    let token = tokens.token(account).ok_or_else(|| {
        let name = account.unwrap_or("any account");
        Error::Usage(format!("{} has no token of {name}", options.tokens.display()))
    })?;
    let channel = options.channel(args, token)?;
    let mut client = Client { channel, options, seen: None };
    for message in cli::messages(&args.messages) {
        let message = String::from_utf8(message?)
            .map_err(|_| Error::Usage("a message is no text in UTF-8".into()))?;
        match client.perform(&message) {
            Err(error) if args.at_prompt() => cli::complain(&error),
            done => done?,
        }
    }
    Ok(())
}

struct Client {
    channel: Box<dyn Channel>,
    options: Options,
    /// What the draft was last, as far as is known.
    seen: Option<Draft>,
}

impl Client {
    fn perform(&mut self, message: &str) -> Result<(), Error> {
        let (verb, text) = message.split_once(' ').unwrap_or((message, ""));
        let (verb, number) = match verb.split_once('@') {
            None => (verb, None),
            Some((verb, number)) => {
                let wrong = |_| Error::Usage(format!("{number:?} is no revision"));
                (verb, Some(number.parse::<u64>().map_err(wrong)?))
            }
        };
        match (verb, number, text) {
            ("get", None, "") => {
                let draft = self.get()?;
                cli::print(shown(&draft))
            }
            ("put", number, text) => {
                let revision = self.known(number)?;
                self.change(Ask::Put { revision, text: text.into() })
            }
            ("delete", number, "") => {
                let revision = self.known(number)?;
                self.change(Ask::Delete { revision })
            }
            ("add", None, text) => {
                self.can_be_named(false)?;
                self.add(text)
            }
            ("follow", number, "") => self.follow(number.unwrap_or(0)),
            _ => Err(Error::Usage(format!(
                "{} is no operation: get, put[@N] TEXT, add TEXT, delete[@N], follow[@N]",
                payload(message.as_bytes())
            ))),
        }
    }

    fn get(&mut self) -> Result<Draft, Error> {
        match self.ask(&Ask::Get)? {
            Reply::Draft(draft) => {
                self.seen = Some(draft.clone());
                Ok(draft)
            }
            other => Err(unexpected("get the draft", &other)),
        }
    }

    /// The revision that is replaced where no other is named.
    fn known(&mut self, named: Option<u64>) -> Result<u64, Error> {
        self.can_be_named(named.is_some())?;
        match (named, &self.seen) {
            (Some(revision), _) => Ok(revision),
            (None, Some(seen)) => Ok(seen.revision),
            (None, None) => Ok(self.get()?.revision),
        }
    }

    /// What depends on the draft as it is then is another request when it comes again.
    fn can_be_named(&self, is_fixed: bool) -> Result<(), Error> {
        match is_fixed || self.options.key.is_none() {
            true => Ok(()),
            false => Err(Error::Usage(KEY_IS_FOR.into())),
        }
    }

    fn change(&mut self, ask: Ask) -> Result<(), Error> {
        match self.ask(&ask)? {
            Reply::Done(revision) => self.done(revision, &ask),
            Reply::Conflict(current) => {
                let why = format!("the draft is at another revision: {}", shown(&current));
                self.seen = Some(current);
                Err(Error::failed("change it")(io::Error::other(why)))
            }
            other => Err(unexpected("change it", &other)),
        }
    }

    fn add(&mut self, text: &str) -> Result<(), Error> {
        for _ in 0..LOOKS {
            let draft = self.get()?;
            let text = match draft.text.filter(|before| !before.is_empty()) {
                Some(before) => format!("{before} {text}"),
                None => text.into(),
            };
            let ask = Ask::Put { revision: draft.revision, text };
            match self.ask(&ask)? {
                Reply::Done(revision) => return self.done(revision, &ask),
                Reply::Conflict(_) => log::info!("another was faster: looking again"),
                other => return Err(unexpected("add to it", &other)),
            }
        }
        let why = "others change it all the time".into();
        Err(Error::Later { attempted: "add to it".into(), why })
    }

    fn done(&mut self, revision: u64, ask: &Ask) -> Result<(), Error> {
        let text = matches!(ask, Ask::Put { .. }).then(|| ask.text().to_string());
        let draft = Draft { revision, text };
        cli::print(shown(&draft))?;
        self.seen = Some(draft);
        Ok(())
    }

    /// Asks until there is an answer. A change has one key in all tries, so that it has one
    /// effect, whichever of them arrives.
    fn ask(&mut self, ask: &Ask) -> Result<Reply, Error> {
        let key = match (ask, &self.options.key) {
            (Ask::Put { .. } | Ask::Delete { .. }, Some(key)) => Some(key.clone()),
            (Ask::Put { .. } | Ask::Delete { .. }, None) => Some(new_key()?),
            _ => None,
        };
        let mut wait = FIRST_WAIT;
        let mut why = String::new();
        log::debug!("over {}: {ask}", format!("{:?}", self.options.over).to_lowercase());
        for attempt in 1..=TRIES {
            match self.channel.ask(key.as_deref(), ask) {
                Ok(Reply::Refused(refused @ Why::Unavailable)) => why = refused.to_string(),
                Ok(reply) => return Ok(reply),
                // Nobody there at the very first: nothing was asked.
                Err(error) if error.kind() == ErrorKind::ConnectionRefused && attempt == 1 => {
                    return Err(Error::failed("ask the server")(error));
                }
                Err(error) if error.kind() == ErrorKind::InvalidInput => {
                    return Err(Error::failed("ask the server")(error));
                }
                Err(error) => why = reason(&error),
            }
            log::warn!("no answer to try {attempt}: {why}");
            if attempt < TRIES {
                sleep(wait);
                wait *= 2;
            }
        }
        Err(Error::Later { attempted: "ask the server".into(), why })
    }

    /// For ever: also when the server was away, from the last revision on.
    fn follow(&mut self, mut since: u64) -> Result<(), Error> {
        let until = self.options.until.unwrap_or(u64::MAX);
        let mut printed = Ok(());
        while since < until && printed.is_ok() {
            let from = since;
            let mut each = |change: &Change| {
                since = change.draft.revision;
                printed = cli::print(shown(&change.draft));
                since < until && printed.is_ok()
            };
            match self.channel.follow(from, &mut each) {
                Ok(()) if since >= until || printed.is_err() => break,
                // The limit of a connection there.
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                    return Err(Error::failed("follow the draft")(error));
                }
                Err(error) => log::warn!("cannot follow for now: {}", reason(&error)),
            }
            // Whatever ends it at once is not asked all the time.
            sleep(FIRST_WAIT);
        }
        printed
    }
}

impl Options {
    /// What nothing of what is asked for has a use for was meant otherwise.
    fn are_used_by(&self, messages: &[OsString]) -> Result<(), Error> {
        // What a person types is not known yet.
        let is_there = |verbs: &[&str]| {
            let begins = |message: &OsString| {
                verbs.iter().any(|verb| message.to_string_lossy().starts_with(verb))
            };
            messages.is_empty() || messages.iter().any(begins)
        };
        if self.until.is_some() && !is_there(&["follow"]) {
            return Err(Error::Usage("--until says where follow ends".into()));
        }
        if self.key.is_some() && !is_there(&["put", "add", "delete"]) {
            return Err(Error::Usage(KEY_IS_FOR.into()));
        }
        Ok(())
    }

    fn channel(&self, args: &ClientArgs<PORT>, token: Secret) -> Result<Box<dyn Channel>, Error> {
        Ok(match self.over {
            Over::Tcp => Box::new(over_tcp::Frames::new(args, token)?),
            Over::Udp => Box::new(over_udp::Datagrams::new(args, token)?),
            Over::Http => Box::new(over_http::Http::new(args, token)?),
        })
    }
}

/// As it is printed. Others may have written it, so nothing in it can move the cursor.
fn shown(draft: &Draft) -> String {
    let shown = harmless(&draft.to_string()).to_string();
    log::debug!("{shown}");
    shown
}

fn unexpected(attempted: &str, reply: &Reply) -> Error {
    let why = match reply {
        Reply::Refused(why) => why.to_string(),
        _ => "the answer is one to another question".into(),
    };
    Error::failed(attempted)(io::Error::other(why))
}

fn new_key() -> Result<String, Error> {
    let number = getrandom::u64().and_then(|high| Ok((high, getrandom::u64()?)));
    let (high, low) = number.map_err(|error| Error::failed("make a key")(error.into()))?;
    Ok(format!("{high:016x}{low:016x}"))
}
