//! The server in the test's own process, and clients that log in.
#![allow(dead_code, reason = "each file of tests uses a part")]

use std::io::{self, Read, Write};
use std::net::TcpStream;

use login_echo::{EXPORTER, Echo, server};
use netcore::client::exchange;
use netcore::connection::Connection;
use netcore::proof::{self, Members, Right, Tries};
use netcore::testing::{FAR, Setup, Suite, TlsWire};
use netcore::tls::{ClientSide, ServerSide, ServerTlsArgs};

/// Who there is.
pub const SECRETS: &str = "ann 0123456789abcdef echo\nbob fedcba9876543210 echo upper\n";

/// Those of [`SECRETS`], or of another text.
pub fn members(text: &str) -> Members {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secrets");
    std::fs::write(&file, text).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    Members::read(file.to_str().unwrap()).unwrap()
}

/// The service with the limits of a test. A handshake may take as long as it likes.
pub fn service(setup: &Setup) -> Echo {
    Echo {
        secrets: members(SECRETS),
        tries: Tries::default(),
        accept_timeout: setup.accept_timeout,
        limits: setup.limits.clone(),
        max_clients: setup.max_clients,
        tls: ServerTlsArgs { certs: None, mutual: false, handshake: FAR },
    }
}

/// As the client does.
pub fn log_in(
    stream: &mut (impl Read + Write),
    members: &Members,
    name: &str,
    wish: Right,
    session: [u8; 32],
) -> io::Result<()> {
    proof::log_in(stream, members.find(name).unwrap(), wish, session)
}

/// Over TLS, for ann or bob, with a certificate that lives as long as the test.
pub fn suite(question: &str, answer: &str, (name, wish): (&'static str, Right)) -> Suite {
    let side = ServerSide::made_now().unwrap();
    let client = ClientSide::knowing(side.fingerprint()).unwrap();
    let wire = client.clone();
    Suite::new(question, answer, move |listener, setup, shutdown| {
        server::serve(listener, &service(&setup), &side, shutdown)
    })
    .with_clients(
        move |socket: TcpStream| {
            let members = members(SECRETS);
            Box::new(TlsWire::greeting(
                wire.for_tests(),
                socket,
                EXPORTER,
                move |stream, session| log_in(stream, &members, name, wish, session),
            ))
        },
        move |socket, message| {
            let mut connection = Connection::of_client(socket)?;
            let mut stream = client.connect(&mut connection, "localhost")?;
            let session = stream.session().exporter(EXPORTER)?;
            log_in(&mut stream, &members(SECRETS), name, wish, session)?;
            let reply = exchange(&mut stream, message)?;
            stream.finish().map(|()| reply)
        },
    )
}
