//! A client in TLS that is let in, and logs in where that is asked for. What goes wrong
//! comes later.

use std::io::{self, IoSlice, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use netcore::connection::Connection;
use netcore::deadline::Deadline;
use netcore::proof::{Right, log_in};
use netcore::tls::{ClientSide, Purpose, Session, Validity};

use super::handshakes::{HOST, folder};
use super::logins::{EXPORTER, NAME, members};
use crate::stream::Stream;
use crate::{Speaks, Target};

/// A stream that says nothing at its end.
pub(super) struct Inside {
    session: Session,
    connection: Connection,
}

impl Inside {
    /// Comes in over `stream`; whatever is said takes `within` at most, in all.
    pub(super) fn enter(target: &Target, stream: Stream, within: Duration) -> io::Result<Inside> {
        let folder = folder(target)?;
        let side = match target.speaks {
            Speaks::Login => ClientSide::from_folder(&folder),
            _ => {
                let authority = folder.authority()?;
                let own = authority.sign(&[NAME], Purpose::Client, Validity::from_now())?;
                ClientSide::showing(&folder, &own)
            }
        };
        let mut session = side.map_err(io::Error::other)?.session(HOST)?;
        let mut connection = Connection::of_client(TcpStream::from(stream))?;
        connection.set_deadline(Deadline::after(within));
        session.handshake(&mut connection)?;
        let keys = session.exporter(EXPORTER)?;
        let mut inside = Inside { session, connection };
        if target.speaks == Speaks::Login {
            let members = members(target)?;
            let member = members.find(NAME).ok_or(io::ErrorKind::NotFound)?;
            log_in(&mut inside, member, Right::Echo, keys)?;
        }
        Ok(inside)
    }

    /// Says goodbye.
    pub(super) fn end(&mut self) -> io::Result<()> {
        self.session.end(&mut self.connection)
    }
}

impl Read for Inside {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.session.read(&mut self.connection, buf)
    }
}

impl Write for Inside {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.session.write(&mut self.connection, &[IoSlice::new(buf)])
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
