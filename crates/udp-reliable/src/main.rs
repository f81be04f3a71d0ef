//! The command line of `udp-reliable`.

use std::process::ExitCode;

use clap::Parser;
use netcore::Error;
use netcore::cli::{self, ClientArgs, ServerArgs};
use netcore::shutdown::{DRAIN, Shutdown};
use udp_reliable::client::{self, Session};
use udp_reliable::{Options, PORT, Patience, server};

/// Requests over UDP that are sent again until they are answered, and run at most once
#[derive(Parser)]
#[command(
    version,
    after_help = "Example:\n  udp-reliable server &\n  udp-reliable client 'Hello UDP!'"
)]
enum Role {
    /// Number and answer requests until told to stop
    #[command(after_help = "Example:\n  udp-reliable server --port 0 -v")]
    Server {
        #[command(flatten)]
        args: ServerArgs<PORT>,
        #[command(flatten)]
        options: Options,
    },
    /// Send each message as a datagram and print its reply
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
        Role::Server { args, options } => run_server(&args, &options),
        Role::Client { args, patience } => run_client(&args, &patience),
    })
}

fn run_server(args: &ServerArgs<PORT>, options: &Options) -> Result<(), Error> {
    let shutdown = Shutdown::on_signals(DRAIN)?;
    let socket = args.listen_udp()?;
    server::serve(socket, options, &shutdown).map_err(Error::failed("receive datagrams"))
}

fn run_client(args: &ClientArgs<PORT>, patience: &Patience) -> Result<(), Error> {
    let mut sockets = args.connect_udp()?;
    let mut session = Session::new(patience);
    for message in cli::messages(&args.messages) {
        let message = message?;
        // Once for all attempts: a server that took the message although it seemed to be down
        // knows it again.
        let id = session.new_request();
        match args.exchange(|| client::exchange(&mut sockets, &mut session, id, &message, patience))
        {
            Ok(reply) => cli::print_bytes(&reply)?,
            // There is no connection that could have broken: the next message may fare better.
            Err(error) if args.at_prompt() => cli::complain(&error),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
