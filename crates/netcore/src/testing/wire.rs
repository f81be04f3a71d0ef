//! What a client of a test needs of its stream, whatever it speaks.

use std::fmt::Debug;
use std::io::{self, Read, Write};
use std::net::{Shutdown as Side, TcpStream};

use socket2::SockRef;

/// One end of a stream that several threads may use at once, one to read and one to
/// write.
pub trait Wire: Read + Write + Debug + Send {
    /// The socket under it.
    fn socket(&self) -> SockRef<'_>;

    /// A second handle of the same end.
    fn again(&self) -> Box<dyn Wire>;

    /// Ends its sending.
    ///
    /// # Errors
    /// When the connection is gone.
    fn half_close(&mut self) -> io::Result<()>;
}

impl Wire for TcpStream {
    fn socket(&self) -> SockRef<'_> {
        SockRef::from(self)
    }

    fn again(&self) -> Box<dyn Wire> {
        Box::new(self.try_clone().expect("a stream can be cloned"))
    }

    fn half_close(&mut self) -> io::Result<()> {
        self.shutdown(Side::Write)
    }
}
