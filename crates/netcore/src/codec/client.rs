//! The client of a server of typed values, whatever the values are.

use std::io::{self, BufReader, ErrorKind};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Codec, Messages};
use crate::Error;
use crate::cli::{self, ClientArgs};
use crate::client::{REPLY_TIMEOUT, nothing_more, nothing_unasked};
use crate::connection::Connection;
use crate::deadline::Deadline;
use crate::log::{harmless_json, payload};

/// Bytes that one call reads at most.
const BUFFER: usize = 64 << 10;

/// Receives a `Greeting`, sends each `Request` of the command line over one connection
/// and prints its `Reply`. A person writes and reads values as JSON, of which nothing is
/// on the wire.
///
/// # Errors
/// As [`ClientArgs::connect`], [`exchange`], [`receive`] and [`nothing_more`];
/// [`Error::Usage`] for what is no request, unless it is typed at a prompt.
pub fn run<Greeting, Request, Reply, const VERSION: u8, const PORT: u16>(
    args: &ClientArgs<PORT>,
    messages: Messages,
) -> Result<(), Error>
where
    Greeting: Serialize + DeserializeOwned,
    Request: Serialize + DeserializeOwned,
    Reply: Serialize + DeserializeOwned,
{
    let stream = Connection::of_client(args.connect()?).map_err(Error::failed("use the socket"))?;
    let (mut stream, codec) = (buffered(stream), messages.codec(VERSION));
    let greeting = receive::<Greeting>(&mut stream, &codec);
    print(&greeting.map_err(Error::failed("get a greeting"))?)?;
    for message in cli::messages(&args.messages) {
        let request: Request = match parse(&message?) {
            // Nothing has been sent, and the person can type it again.
            Err(error) if args.at_prompt() => {
                cli::complain(&error);
                continue;
            }
            parsed => parsed?,
        };
        let reply = exchange::<_, Reply>(&mut stream, &request, &codec);
        print(&reply.map_err(Error::failed("get a reply"))?)?;
    }
    nothing_more(&mut stream)
}

/// Puts the buffer of this connection around it: one for all messages, since what it has
/// read beyond one is the beginning of the next.
pub fn buffered(stream: Connection) -> BufReader<Connection> {
    BufReader::with_capacity(BUFFER, stream)
}

/// Sends `request` and returns the reply, within [`REPLY_TIMEOUT`] for each of the two.
///
/// # Errors
/// What write says; `InvalidData` for a request that is over the limit or cannot be
/// written, and where a reply has come before it; as [`receive`].
pub fn exchange<Q: Serialize, A: DeserializeOwned>(
    stream: &mut BufReader<Connection>,
    request: &Q,
    codec: &Codec,
) -> io::Result<A> {
    let peer = stream.get_ref().get_ref().peer_addr()?;
    let mut message = Vec::new();
    codec.encode(request, &mut message)?;
    log::debug!("{peer} sending {} bytes {}", message.len(), payload(&message));
    nothing_unasked(stream)?;
    stream.get_mut().set_deadline(Deadline::after(REPLY_TIMEOUT));
    codec.write(stream.get_mut(), &message)?;
    receive(stream, codec)
}

/// Returns what the server says next, which is a `T`, within [`REPLY_TIMEOUT`].
///
/// # Errors
/// What read says; `TimedOut`; `UnexpectedEof` when the server closes before the whole
/// message has come; `InvalidData` for one over the limit, and for one that is no `T`.
pub fn receive<T: DeserializeOwned>(
    stream: &mut BufReader<Connection>,
    codec: &Codec,
) -> io::Result<T> {
    let peer = stream.get_ref().get_ref().peer_addr()?;
    stream.get_mut().set_deadline(Deadline::after(REPLY_TIMEOUT));
    let mut message = Vec::new();
    let Some(value) = codec.read(stream, &mut message)? else {
        return Err(ErrorKind::UnexpectedEof.into());
    };
    log::debug!("{peer} received {} bytes {}", message.len(), payload(&message));
    Ok(value?)
}

fn parse<T: DeserializeOwned>(text: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(text).map_err(|error| {
        Error::Usage(format!(
            "a request is written as JSON, which {} is not: {error}",
            payload(text)
        ))
    })
}

fn print(value: &impl Serialize) -> Result<(), Error> {
    cli::print(shown(value).map_err(Error::failed("show what came as JSON"))?)
}

/// What a peer has sent, in JSON that is no command to a terminal.
fn shown(value: &impl Serialize) -> io::Result<String> {
    Ok(harmless_json(serde_json::to_string(value)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Value;

    #[test]
    fn what_a_peer_sends_is_shown_as_it_is_and_is_no_command() {
        let shown = |value| shown(&value).unwrap();
        assert_eq!(shown(Value::Text("\u{9b}2J\u{202e}я".into())), r#""\u009b2J\u202eя""#);
        let name = Value::Map([("\u{85}".into(), Value::Bool(true))].into());
        assert_eq!(shown(name), r#"{"\u0085":true}"#);
        // JSON has no such numbers, and null would be a value that is missing.
        let numbers = [1.0, f64::NAN, -f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
        let list = Value::List(numbers.map(Value::Float).into());
        assert_eq!(shown(list), r#"[1.0,"NaN","NaN","Infinity","-Infinity"]"#);
    }
}
