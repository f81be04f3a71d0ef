//! The server in the test's own process, and clients that log in.
#![allow(dead_code, reason = "each file of tests uses a part")]

use std::io::{self, Read, Write};

use login_echo::{EXPORTER, Echo, server};
use netcore::proof::{self, Members, Right};
use netcore::testing::{Greeting, Setup, Suite, Tls, TlsListener};
use tempfile::TempDir;

/// Who there is.
pub const SECRETS: &str = "ann 0123456789abcdef echo\nbob fedcba9876543210 echo upper\n";

/// Those of [`SECRETS`], or of another text.
pub fn members(text: &str) -> Members {
    let folder = folder(text);
    Members::read(file_in(&folder).as_ref()).unwrap()
}

/// A folder with a file of secrets.
fn folder(text: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let file = file_in(&folder);
    std::fs::write(&file, text).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    folder
}

fn file_in(folder: &TempDir) -> String {
    folder.path().join("secrets").to_str().unwrap().into()
}

/// The service with the limits of a test. A handshake may take as long as it likes.
pub fn service(setup: &Setup) -> Echo {
    let folder = folder(SECRETS);
    setup.service(&["--handshake=10m", "--secrets", &file_in(&folder)])
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

/// Logs in, and may echo.
#[derive(Debug, Clone)]
pub struct Ann;

impl Greeting for Ann {
    const LABEL: &'static [u8] = EXPORTER;

    fn greet(stream: &mut (impl Read + Write), session: [u8; 32]) -> io::Result<()> {
        log_in(stream, &members(SECRETS), "ann", Right::Echo, session)
    }
}

/// Logs in, and may have upper case.
#[derive(Debug, Clone)]
pub struct Bob;

impl Greeting for Bob {
    const LABEL: &'static [u8] = EXPORTER;

    fn greet(stream: &mut (impl Read + Write), session: [u8; 32]) -> io::Result<()> {
        log_in(stream, &members(SECRETS), "bob", Right::Upper, session)
    }
}

/// Over TLS, for [`Ann`] or [`Bob`], with a certificate that lives as long as the test.
pub fn suite<G: Greeting>(
    question: impl Into<Vec<u8>>,
    answer: impl Into<Vec<u8>>,
) -> Suite<Tls<G>> {
    Suite::new(question, answer, |listener: TlsListener, setup, shutdown| {
        server::serve(listener.socket, &service(&setup), &listener.side, shutdown)
    })
}
