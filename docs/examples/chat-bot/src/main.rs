//! The command line of `chat-bot`.

use std::process::ExitCode;
use std::time::Duration;

use chat_bot::{Bot, PORT, run};
use clap::Parser;
use netcore::connect;

/// How long it tries to connect.
const PATIENCE: Duration = Duration::from_secs(10);

/// A member of a room of `chat` that answers
#[derive(Parser)]
#[command(after_help = "Example:\n  chat-bot --name robo")]
struct Command {
    /// Where the room is
    #[arg(long, default_value = "127.0.0.1")]
    host: String,
    /// Its port
    #[arg(short, long, default_value_t = PORT)]
    port: u16,
    /// What it is called there
    #[arg(long, default_value = "bot")]
    name: String,
}

fn main() -> ExitCode {
    let command = Command::parse();
    let done = connect::tcp_when_up(&command.host, command.port, PATIENCE)
        .map_err(|error| error.to_string())
        .and_then(|stream| {
            run(stream, &mut Bot::new(&command.name)).map_err(|error| error.to_string())
        });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::FAILURE
        }
    }
}
