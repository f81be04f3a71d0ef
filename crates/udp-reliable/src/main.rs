//! The command line of `udp-reliable`.

use std::process::ExitCode;

use clap::Parser;
use netcore::Error;
use netcore::cli::{self, ClientArgs, ServerArgs};
use netcore::request::Session;
use netcore::shutdown::{DRAIN, Shutdown};
use udp_reliable::server::Echo;
use udp_reliable::timer::Timer;
use udp_reliable::{PORT, Patience, client, server};

/// UDP server that runs each request at most once, and its client
#[derive(Parser)]
#[command(
    version,
    after_help = "Example:\n  udp-reliable server &\n  udp-reliable client 'Hello UDP!'"
)]
enum Role {
    /// Answer requests until told to stop
    #[command(after_help = "Example:\n  udp-reliable server --port 0 -v")]
    Server {
        #[command(flatten)]
        args: ServerArgs<PORT>,
        #[command(flatten)]
        echo: Echo,
    },
    /// Send each message until it is answered, and print its reply
    #[command(after_help = "Example:\n  udp-reliable client 'Hello UDP!'")]
    Client {
        #[command(flatten)]
        args: ClientArgs<PORT>,
        #[command(flatten)]
        patience: Patience,
    },
}

fn main() -> ExitCode {
    cli::finish(match Role::parse() {
        Role::Server { args, echo } => run_server(&args, &echo),
        Role::Client { args, patience } => run_client(&args, &patience),
    })
}

fn run_server(args: &ServerArgs<PORT>, echo: &Echo) -> Result<(), Error> {
    let shutdown = Shutdown::on_signals(DRAIN)?;
    let socket = args.listen_udp()?;
    server::serve(socket, echo, &shutdown).map_err(Error::failed("receive datagrams"))
}

fn run_client(args: &ClientArgs<PORT>, patience: &Patience) -> Result<(), Error> {
    let mut sockets = args.connect_udp()?;
    let mut session = Session::new();
    let mut timer = Timer::new(patience);
    for message in cli::messages(&args.messages) {
        let message = message?;
        // One number for all tries, those of --wait as well.
        let request = session.request(&message);
        match args.exchange(|| client::exchange(&mut sockets, request, &mut timer)) {
            Ok(reply) => cli::print_bytes(&reply)?,
            // There is no connection that could have broken: the next message may fare better.
            Err(error) if args.at_prompt() => cli::complain(&error),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
