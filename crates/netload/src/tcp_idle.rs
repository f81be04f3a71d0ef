//! A crowd that is open and silent, and others that are busy beside it.

use std::io::{ErrorKind, Read};
use std::rc::Rc;
use std::time::{Duration, Instant};

use clap::Args;
use netcore::{Error, cli};

use crate::args::{ServerArgs, seconds};
use crate::bound::Bound;
use crate::conversation::{Echo, Visit};
use crate::drive::{Drive, Plan};
use crate::faults::Fault;
use crate::meter::Meter;
use crate::open::open_wires;
use crate::pattern::Pattern;
use crate::report::{Crowd, Report};
use crate::stop::Stop;
use crate::wire::{TlsArgs, Wire};

/// Bytes of a message, of the crowd's and of the others'.
const SIZE: usize = 64;

/// What the scenario can be told.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Where the server listens.
    #[command(flatten)]
    pub server: ServerArgs,
    /// Connections of the crowd
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..), default_value_t = 5_000)]
    pub connections: u16,
    /// Connections that exchange messages beside the crowd
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub active: u16,
    /// Hold the crowd for this many seconds [default: until standard input ends or a
    /// signal comes]
    #[arg(long, value_name = "N", value_parser = seconds)]
    pub seconds: Option<Duration>,
    /// Give a connection up when a reply takes longer than this: where an accept queue
    /// is short, half a minute
    #[arg(long, value_name = "DURATION", value_parser = cli::duration, default_value = "60s")]
    pub timeout: Duration,
    /// Whether it is encrypted.
    #[command(flatten)]
    pub tls: TlsArgs,
}

/// Opens the crowd and has one message of each answered, so that the server is known to
/// have taken them all; tells `standing` of it; holds the crowd while the active
/// connections are measured; and checks that it is still there.
///
/// # Errors
/// When a connection cannot be opened, and what `standing` returns. What goes wrong
/// later is in the report.
pub fn run(
    options: &Options,
    stop: &Stop,
    standing: impl FnOnce(&Crowd) -> Result<(), Error>,
) -> Result<Report, Error> {
    let Options { timeout, seconds, .. } = *options;
    let address = options.server.address();
    let (connections, active) = (usize::from(options.connections), usize::from(options.active));
    let tls = options.tls.side()?;
    let plan = Plan { address: address.clone(), in_flight: 1, timeout, tls, stop };
    let tls = plan.tls.as_ref();

    let start = Instant::now();
    let crowd = open_wires(&address, connections, tls)?;
    let connected_seconds = start.elapsed().as_secs_f64();
    let once_each = Bound::new(None, Some(options.connections.into()));
    let (mut greeted, mut crowd) = exchange(&plan, once_each, crowd)?;
    if greeted.faults.total() > 0 {
        greeted.opened = options.connections.into();
        return Ok(Report { connections, size: SIZE, ..Report::new("tcp-idle", address, greeted) });
    }
    let answered_seconds = start.elapsed().as_secs_f64();
    let figures = Crowd { connections, connected_seconds, answered_seconds };
    standing(&figures)?;

    let mut meter = if active == 0 {
        stop.wait(seconds);
        Meter::new()?
    } else {
        exchange(&plan, Bound::new(seconds, None), open_wires(&address, active, tls)?)?.0
    };
    meter.opened = u64::from(options.connections) + u64::from(options.active);
    for (number, stream) in crowd.iter_mut().enumerate() {
        if let Err(fault) = silent_and_open(stream) {
            meter.faults.count(number, &fault);
        }
    }
    // Those that were closed as soon as they had been answered.
    for number in crowd.len()..connections {
        meter.faults.count(number, &Fault::Closed);
    }
    let report = Report::new("tcp-idle", address, meter);
    // Without a time of its own, a stop is how the run is meant to end.
    let interrupted = stop.is_told() && seconds.is_some();
    Ok(Report { connections: active, size: SIZE, crowd: Some(figures), interrupted, ..report })
}

fn exchange(plan: &Plan, bound: Bound, streams: Vec<Wire>) -> Result<(Meter, Vec<Wire>), Error> {
    let pattern = Rc::new(Pattern::new(SIZE));
    let mut drive = Drive::new(plan, bound, Meter::new()?)?;
    for (number, stream) in streams.into_iter().enumerate() {
        drive.add_open(stream, Echo::new(&pattern, number, SIZE, Visit::Stay))?;
    }
    drive.run()
}

/// A connection that stands has nothing to read, neither bytes nor an end.
fn silent_and_open(stream: &mut Wire) -> Result<(), Fault> {
    match stream.read(&mut [0; 1]) {
        Ok(0) => Err(Fault::Closed),
        Ok(_) => Err(Fault::Wrong("a byte came that nobody had asked for".into())),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
        Err(error) => Err(Fault::Io(error)),
    }
}
