//! Bytes in one long stream: as many in flight as the two ends take.

use std::io::{ErrorKind, Read, Write};
use std::time::{Duration, Instant};

use clap::Args;
use mio::{Events, Interest, Poll, Token};
use netcore::{Error, cli};

use crate::args::{ServerArgs, bytes, message_size, seconds};
use crate::faults::Fault;
use crate::meter::Meter;
use crate::open::{open_wires, wait};
use crate::pattern::{LINE, Pattern, PatternArgs};
use crate::progress::Progress;
use crate::report::Report;
use crate::stop::Stop;
use crate::wire::{TlsArgs, Wire};

/// How often the loop looks at a stop and at the progress line while nothing happens.
const TICK: Duration = Duration::from_millis(100);

/// What the scenario can be told.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Where the server listens.
    #[command(flatten)]
    pub server: ServerArgs,
    /// Bytes to send, as in 512, 64k, 100m or 1g
    #[arg(long, value_name = "SIZE", value_parser = bytes, default_value = "1g")]
    pub bytes: u64,
    /// Bytes that one call writes or reads at most
    #[arg(long, value_name = "SIZE", value_parser = message_size, default_value = "64k")]
    pub buffer: usize,
    /// Send no more after this many seconds
    #[arg(long, value_name = "N", value_parser = seconds)]
    pub seconds: Option<Duration>,
    /// Give up when no byte comes back for this long
    #[arg(long, value_name = "DURATION", value_parser = cli::duration, default_value = "10s")]
    pub timeout: Duration,
    /// Whether it is encrypted.
    #[command(flatten)]
    pub tls: TlsArgs,
    /// What is said.
    #[command(flatten)]
    pub pattern: PatternArgs,
}

/// Sends the stream, ends it, and checks that all of it comes back and then its end.
///
/// # Errors
/// When the connection cannot be opened. What goes wrong later is in the report.
pub fn run(options: &Options, stop: &Stop) -> Result<Report, Error> {
    let address = options.server.address();
    let tls = options.tls.side()?;
    let stream = open_wires(&address, 1, tls.as_ref())?.remove(0);
    let mut meter = Meter::new()?;
    meter.opened = 1;
    if let Err(fault) = exchange(stream, options, stop, &mut meter) {
        meter.faults.count(0, &fault);
    }
    let report = Report::new("tcp-bulk", address, meter);
    Ok(Report { size: options.buffer, interrupted: stop.is_told(), ..report })
}

fn exchange(
    mut stream: Wire,
    options: &Options,
    stop: &Stop,
    meter: &mut Meter,
) -> Result<(), Fault> {
    let pattern = options.pattern.pattern(options.buffer, LINE);
    let mut buf = vec![0; options.buffer];
    let mut poll = Poll::new()?;
    poll.registry().register(stream.socket(), Token(0), Interest::READABLE | Interest::WRITABLE)?;
    let mut events = Events::with_capacity(1);
    let start = Instant::now();
    let until = options.seconds.and_then(|seconds| start.checked_add(seconds));
    meter.start(start);
    let mut progress = Progress::start(start);
    let (mut sent, mut total, mut ended) = (0, pattern.end(options.bytes), false);
    let mut last = start;
    loop {
        // In turns, so that neither direction fills up while the other is served.
        let mut stuck = true;
        while sent < total {
            let length = pattern.at(sent, next(options.buffer, total - sent));
            match stream.write(length) {
                Ok(n) => (sent, stuck) = (sent + n as u64, false),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(Fault::Io(error)),
            }
            break;
        }
        if sent >= total && !ended {
            // Few that encrypt for others go on after a goodbye: there it comes when all is back.
            match stream.is_encrypted() {
                true if meter.bytes == sent => return Ok(()),
                true => {}
                false => {
                    stream.half_close()?;
                    ended = true;
                }
            }
        }
        stream.push()?;
        match stream.read(&mut buf) {
            Ok(0) if ended && meter.bytes == sent => return Ok(()),
            Ok(0) => return Err(Fault::Closed),
            Ok(n) => {
                check(&pattern, &buf[..n], meter.bytes, sent)?;
                last = Instant::now();
                meter.bytes(n, last);
                stuck = false;
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => stuck = false,
            Err(error) => return Err(Fault::Io(error)),
        }
        let now = Instant::now();
        if stop.is_told() || until.is_some_and(|until| now >= until) {
            total = pattern.end(sent).min(total);
        }
        if now.saturating_duration_since(last) > options.timeout {
            return Err(Fault::TimedOut);
        }
        progress.show(meter, now);
        if stuck {
            wait(&mut poll, &mut events, TICK)?;
        }
    }
}

/// Bytes of the next write: a buffer, or what is left, which may be more than this machine
/// can address.
fn next(buffer: usize, left: u64) -> usize {
    usize::try_from(left).map_or(buffer, |left| left.min(buffer))
}

fn check(pattern: &Pattern, got: &[u8], position: u64, sent: u64) -> Result<(), Fault> {
    if position + got.len() as u64 > sent {
        return Err(Fault::Wrong("more bytes came back than were sent".into()));
    }
    match pattern.difference(position, got) {
        None => Ok(()),
        Some((offset, got, expected)) => {
            let byte = position + offset as u64;
            Err(Fault::Wrong(format!(
                "byte {byte} of the stream is {got:#04x} and should be {expected:#04x}"
            )))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_never_less_than_it_is() {
        let left = [0, 1, 4 << 10, 1 << 32, (1 << 32) + 1, u64::MAX];
        let wanted = [0, 1, 4 << 10, 64 << 10, 64 << 10, 64 << 10];
        assert_eq!(left.map(|left| next(64 << 10, left)), wanted);
    }
}
