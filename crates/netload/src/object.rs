//! Typed values, as `object-exchange` has them: each must come back as it is.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use clap::Args;
use netcore::codec::{Codec, DEPTH, Value};
use netcore::{Error, cli};

use crate::args::{RunArgs, address};
use crate::conversation::{Conversation, Reply};
use crate::drive::{Drive, Plan};
use crate::meter::Meter;
use crate::open::open_wires;
use crate::pattern::Pattern;
use crate::report::Report;
use crate::stop::Stop;

/// The server's own limit on a message, unless it is told otherwise.
const LONGEST: usize = 64 << 10;

/// The protocol of `object-exchange`, as far as it is spoken here: its version, and the
/// place of an echo among the requests and among the replies. With the real server, the
/// suites in `tests/` see that they are still these.
const VERSION: u8 = 1;
const ECHO: u8 = 2;

/// Values that differ. A reply to the wrong request is seen unless so many were in
/// between.
const VARIETY: usize = 61;

/// What the scenario can be told.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// The server, as in 127.0.0.1:9091
    #[arg(value_name = "ADDR", value_parser = address)]
    pub address: SocketAddr,
    /// Connections at a time
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..), default_value_t = 1)]
    pub connections: u16,
    /// Bytes in each value, beside its numbers and text
    #[arg(long, value_name = "SIZE", value_parser = value_size, default_value = "64")]
    pub size: usize,
    /// Send the same frames to a server that echoes bytes, to compare
    #[arg(long)]
    pub raw: bool,
    /// Give a connection up when a reply takes longer than this
    #[arg(long, value_name = "DURATION", value_parser = cli::duration, default_value = "10s")]
    pub timeout: Duration,
    /// How long the run lasts.
    #[command(flatten)]
    pub run: RunArgs,
}

fn value_size(text: &str) -> Result<usize, String> {
    match cli::size(text)? {
        // Room for the numbers, the text and the frame.
        size if size > LONGEST - 256 => Err("a message has at most 64k in all".into()),
        size => Ok(size),
    }
}

/// Opens all connections, and then measures.
///
/// # Errors
/// When a connection cannot be opened. What goes wrong later is in the report.
pub fn run(options: &Options, stop: &Stop) -> Result<Report, Error> {
    let Options { address, size, timeout, .. } = *options;
    let connections = usize::from(options.connections);
    let plan = Plan { address: address.into(), in_flight: 1, timeout, tls: None, stop };
    let mut meter = Meter::new()?;
    meter.opened = options.connections.into();
    let script = Rc::new(Script::new(size, options.raw)?);
    let mut drive = Drive::new(&plan, options.run.bound(), meter)?;
    let streams = open_wires(&address.into(), connections, None)?;
    for (number, stream) in streams.into_iter().enumerate() {
        drive.add_open(stream, Objects::new(&script, number))?;
    }
    let (meter, _) = drive.run()?;
    let report = Report::new("object", address, meter);
    Ok(Report { connections, size, interrupted: stop.is_told(), ..report })
}

/// What is sent and what must come back, as bytes: a value has one form only, so that
/// it need not be read to be checked.
#[derive(Debug)]
struct Script {
    greeting: Vec<u8>,
    /// A request and its reply are the same bytes.
    exchanges: Vec<Vec<u8>>,
}

impl Script {
    fn new(size: usize, raw: bool) -> Result<Script, Error> {
        let codec = Codec::new(VERSION, LONGEST, DEPTH);
        let pattern = Pattern::new(size);
        let greeting = BTreeMap::from([(1_u32, "hi"), (2, "there")]);
        let greeting = if raw { Vec::new() } else { frame(&codec, &greeting)? };
        let exchange = |number: usize| {
            let value = value(number, pattern.at(pattern.start(number), size));
            frame(&codec, &(ECHO, value))
        };
        let exchanges = (0..VARIETY).map(exchange).collect::<Result<_, Error>>()?;
        Ok(Script { greeting, exchanges })
    }
}

/// One of each kind there is.
fn value(number: usize, bytes: &[u8]) -> Value {
    Value::List(vec![
        Value::Integer(number as i64),
        Value::Float(number as f64 / 7.0),
        Value::Text(format!("value {number}")),
        Value::Bytes(bytes.to_vec()),
        Value::Optional(Some(Box::new(Value::Integer(-1)))),
    ])
}

fn frame(codec: &Codec, value: &impl serde::Serialize) -> Result<Vec<u8>, Error> {
    let (mut message, mut framed) = (Vec::new(), Vec::new());
    let written = codec.encode(value, &mut message).map_err(std::io::Error::from);
    written
        .and_then(|()| codec.write(&mut framed, &message).map_err(std::io::Error::from))
        .map_err(Error::failed("write a value"))?;
    Ok(framed)
}

#[derive(Debug)]
struct Objects {
    script: Rc<Script>,
    greeted: usize,
    next: usize,
    awaited: usize,
    come: usize,
}

impl Objects {
    fn new(script: &Rc<Script>, number: usize) -> Objects {
        let first = number % VARIETY;
        Objects { script: script.clone(), greeted: 0, next: first, awaited: first, come: 0 }
    }
}

impl Conversation for Objects {
    fn request(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.script.exchanges[self.next]);
        self.next = (self.next + 1) % VARIETY;
    }

    fn reply(&mut self, bytes: &[u8]) -> Result<Reply, String> {
        let greeting = same(bytes, &self.script.greeting, self.greeted, "greeting")?;
        self.greeted += greeting;
        let expected = &self.script.exchanges[self.awaited];
        let n = same(&bytes[greeting..], expected, self.come, "reply")?;
        self.come += n;
        if self.come < expected.len() {
            return Ok(Reply::Part);
        }
        self.come = 0;
        self.awaited = (self.awaited + 1) % VARIETY;
        Ok(Reply::Whole(greeting + n))
    }
}

/// How many of `bytes` belong to what is expected from `come` on, which they must be
/// the same as.
fn same(bytes: &[u8], expected: &[u8], come: usize, what: &str) -> Result<usize, String> {
    let n = bytes.len().min(expected.len() - come);
    let (got, expected) = (&bytes[..n], &expected[come..come + n]);
    if got == expected {
        return Ok(n);
    }
    let i = got.iter().zip(expected).position(|(got, expected)| got != expected).unwrap_or(0);
    let (byte, got, expected) = (come + i, got[i], expected[i]);
    Err(format!("byte {byte} of a {what} is {got:#04x} and should be {expected:#04x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_right_in_whatever_parts_it_comes() {
        let script = Rc::new(Script::new(64, false).unwrap());
        let all = [script.greeting.as_slice(), &script.exchanges[5]].concat();
        for cut in 1..all.len() {
            let mut objects = Objects::new(&script, 5);
            objects.request(&mut Vec::new());
            assert_eq!(objects.reply(&all[..cut]), Ok(Reply::Part), "{cut}");
            assert_eq!(objects.reply(&all[cut..]), Ok(Reply::Whole(all.len() - cut)), "{cut}");
        }
    }

    #[test]
    fn an_exchange_is_one_of_version_one_and_asks_for_an_echo() {
        let script = Script::new(64, false).unwrap();
        assert!(script.greeting.ends_with(b"\x01\x02\x01\x02hi\x02\x05there"));
        assert!(script.exchanges.iter().all(|frame| frame[4..].starts_with(b"\x01\x02\x05\x05")));
    }

    #[test]
    fn another_value_is_wrong() {
        let script = Rc::new(Script::new(64, true).unwrap());
        let mut objects = Objects::new(&script, 5);
        let error = objects.reply(&script.exchanges[6]).unwrap_err();
        assert!(error.contains("of a reply is 0x"), "{error}");
    }
}
