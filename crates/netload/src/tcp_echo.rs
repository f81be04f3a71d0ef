//! Replies on connections that stay open.

use std::rc::Rc;
use std::time::Duration;

use clap::Args;
use netcore::{Error, cli};

use crate::args::{RunArgs, ServerArgs, message_size};
use crate::conversation::{Echo, Visit};
use crate::drive::{Drive, Plan};
use crate::meter::Meter;
use crate::open::open_wires;
use crate::pattern::Pattern;
use crate::report::Report;
use crate::stop::Stop;
use crate::wire::TlsArgs;

/// What the scenario can be told.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Where the server listens.
    #[command(flatten)]
    pub server: ServerArgs,
    /// Connections at a time
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..), default_value_t = 64)]
    pub connections: u16,
    /// Bytes of a message
    #[arg(long, value_name = "SIZE", value_parser = message_size, default_value = "64")]
    pub size: usize,
    /// Messages that each connection sends before it waits for a reply
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..), default_value_t = 1)]
    pub in_flight: u16,
    /// Give a connection up when a reply takes longer than this
    #[arg(long, value_name = "DURATION", value_parser = cli::duration, default_value = "10s")]
    pub timeout: Duration,
    /// Whether it is encrypted.
    #[command(flatten)]
    pub tls: TlsArgs,
    /// How long the run lasts.
    #[command(flatten)]
    pub run: RunArgs,
}

/// Opens all connections, and then measures.
///
/// # Errors
/// When a connection cannot be opened. What goes wrong later is in the report.
pub fn run(options: &Options, stop: &Stop) -> Result<Report, Error> {
    let Options { size, timeout, .. } = *options;
    let address = options.server.address();
    let (connections, in_flight) =
        (usize::from(options.connections), usize::from(options.in_flight));
    let tls = options.tls.side()?;
    let plan = Plan { address: address.clone(), in_flight, timeout, tls, stop };
    let pattern = Rc::new(Pattern::new(size));
    let mut meter = Meter::new()?;
    meter.opened = options.connections.into();
    let mut drive = Drive::new(&plan, options.run.bound(), meter)?;
    let streams = open_wires(&address, connections, plan.tls.as_ref())?;
    for (number, stream) in streams.into_iter().enumerate() {
        drive.add_open(stream, Echo::new(&pattern, number, size, Visit::Stay))?;
    }
    let (meter, _) = drive.run()?;
    let report = Report::new("tcp-echo", address, meter);
    Ok(Report { connections, in_flight, size, interrupted: stop.is_told(), ..report })
}
