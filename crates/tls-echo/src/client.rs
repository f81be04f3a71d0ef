//! The client: makes sure of the server, sends each message, and says goodbye.

use netcore::Error;
use netcore::cli::{self, ClientArgs};
use netcore::client::exchange;
use netcore::connect::CONNECT_TIMEOUT;
use netcore::connection::Connection;
use netcore::deadline::Deadline;
use netcore::tls::{ClientTlsArgs, failed};

/// Sends each message of the command line over one connection, and prints its reply.
///
/// # Errors
/// As [`ClientArgs::connect`] and [`exchange`]; that the server is not the one that we
/// believe, or does not believe us.
pub fn run<const PORT: u16>(args: &ClientArgs<PORT>, tls: ClientTlsArgs) -> Result<(), Error> {
    let tls = tls.side()?;
    let socket = args.connect()?;
    let mut connection = Connection::of_client(socket).map_err(Error::failed("use the socket"))?;
    connection.set_deadline(Deadline::after(CONNECT_TIMEOUT));
    // The certificate has to be for the very name that was typed.
    let stream = tls.connect(&mut connection, &args.host);
    let mut stream = stream.map_err(failed("agree on TLS with the server"))?;
    for message in cli::messages(&args.messages) {
        let reply = exchange(&mut stream, &message?);
        cli::print_bytes(&reply.map_err(failed("get a reply"))?)?;
    }
    // A server that does not let us in says so only now, if we have read nothing before:
    // in TLS 1.3 a client's handshake ends before the server has seen its certificate.
    stream.finish().map_err(failed("end the conversation"))
}
