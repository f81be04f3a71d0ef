//! A new connection for each message.

use std::rc::Rc;
use std::time::Duration;

use clap::Args;
use netcore::{Error, cli};

use crate::args::{RunArgs, ServerArgs, message_size};
use crate::conversation::{Echo, Visit};
use crate::drive::{Drive, Plan};
use crate::meter::Meter;
use crate::pattern::PatternArgs;
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
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..), default_value_t = 4)]
    pub connections: u16,
    /// Bytes of a message
    #[arg(long, value_name = "SIZE", value_parser = message_size, default_value = "64")]
    pub size: usize,
    /// Give a connection up when a reply takes longer than this
    #[arg(long, value_name = "DURATION", value_parser = cli::duration, default_value = "10s")]
    pub timeout: Duration,
    /// Whether it is encrypted.
    #[command(flatten)]
    pub tls: TlsArgs,
    /// What is said.
    #[command(flatten)]
    pub pattern: PatternArgs,
    /// How long the run lasts.
    #[command(flatten)]
    pub run: RunArgs,
}

/// Connects, sends, checks the reply, closes, and does it again. The latency is that of
/// all four.
///
/// # Errors
/// When the system has no descriptors left. What goes wrong with a connection is in the
/// report.
pub fn run(options: &Options, stop: &Stop) -> Result<Report, Error> {
    let Options { size, timeout, .. } = *options;
    let address = options.server.address();
    let connections = usize::from(options.connections);
    let tls = options.tls.side()?;
    let plan = Plan { address: address.clone(), in_flight: 1, timeout, tls, stop };
    let pattern = Rc::new(options.pattern.pattern(size, size));
    let mut drive = Drive::new(&plan, options.run.bound(), Meter::new()?)?;
    for number in 0..connections {
        drive.add_new(Echo::new(&pattern, number, size, Visit::Once));
    }
    let (meter, _) = drive.run()?;
    let report = Report::new("tcp-connect", address, meter);
    Ok(Report { connections, size, interrupted: stop.is_told(), ..report })
}
