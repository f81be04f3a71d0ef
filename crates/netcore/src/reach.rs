//! How far an error of a socket reaches: one client, one datagram, or everybody.
//!
//! A server that ends at the first error ends because of one client. A server that
//! never ends at an error turns forever around a listener that is none. So each call
//! has a table here, and whoever makes the call decides by it.
//!
//! The tables are about the network and not about loopback, where hardly anything but a
//! refusal is ever seen. ICMP tells a connected socket of unreachable hosts, of filters
//! and of smaller packets on the way; [icmp(7)](https://man7.org/linux/man-pages/man7/icmp.7.html) and
//! [ip(7)](https://man7.org/linux/man-pages/man7/ip.7.html) have the errors of Linux.

use std::io::{self, ErrorKind};

use rustix::io::Errno;

/// How far an error reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Nobody: there was nothing to do after all, or a signal came. Call again.
    Nothing,
    /// One client or one datagram is lost, and the next can be taken or sent at once.
    One,
    /// Memory, descriptors or room in a buffer have run out, or a policy of the system
    /// forbids the call: the next would meet the same. Leave it alone for a moment.
    AllForNow,
    /// The socket is of no use any more.
    All,
}

/// Of [accept(2)](https://man7.org/linux/man-pages/man2/accept.2.html).
pub fn of_accept(error: &io::Error) -> Reach {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::Interrupted => return Reach::Nothing,
        // Linux hands out errors that are already pending on the new connection.
        ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::TimedOut => {
            return Reach::One;
        }
        // Whoever forbids it, such as SELinux, may do so before the client is taken off the
        // queue: then the same one would be announced again at once.
        ErrorKind::OutOfMemory | ErrorKind::PermissionDenied => return Reach::AllForNow,
        _ => {}
    }
    match Errno::from_io_error(error) {
        // Wine says NOTCONN of a client that has reset before it was accepted.
        Some(Errno::NOTCONN) if cfg!(windows) => Reach::One,
        Some(errno) if is_shortage(errno) => Reach::AllForNow,
        Some(errno) if is_network(errno) => Reach::One,
        Some(_) => Reach::All,
        // Not the system's: std says so of a client that macOS hands out without an address,
        // as it had reset before.
        None => Reach::One,
    }
}

/// Of receiving a datagram: [recvfrom(2)](https://man7.org/linux/man-pages/man2/recv.2.html).
///
/// Most errors are not of the receive: they tell that something which was sent before
/// did not arrive. Linux and macOS tell this to connected sockets, Windows to others as
/// well, whoever the next datagram is from.
pub fn of_receive(error: &io::Error) -> Reach {
    match error.kind() {
        // The timeout of the socket, by either name. Whether a deadline has come, the clock
        // says.
        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted => {
            return Reach::Nothing;
        }
        ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset => return Reach::One,
        // From ICMP, "prohibited" is one datagram's. From a policy of the system it comes again
        // at once, and calling again at once would turn in a circle.
        ErrorKind::OutOfMemory | ErrorKind::PermissionDenied => return Reach::AllForNow,
        _ => {}
    }
    match Errno::from_io_error(error) {
        // A packet was too long for the path; on Windows, a datagram for the buffer.
        Some(Errno::MSGSIZE) => Reach::One,
        Some(errno) if is_shortage(errno) => Reach::AllForNow,
        Some(errno) if is_network(errno) => Reach::One,
        _ => Reach::All,
    }
}

/// Of sending a datagram: [sendto(2)](https://man7.org/linux/man-pages/man2/send.2.html).
///
/// Too long for the path, no route at the moment, stopped by a filter, a peer that
/// cannot be an address: one datagram's bad luck, as the network may lose any. What is
/// not known is taken for this as well, since each send has a peer of its own.
pub fn of_send(error: &io::Error) -> Reach {
    match error.kind() {
        ErrorKind::Interrupted => return Reach::Nothing,
        // No room in the buffer of the socket: for this datagram, and for the next one.
        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::OutOfMemory => {
            return Reach::AllForNow;
        }
        _ => {}
    }
    match Errno::from_io_error(error) {
        Some(Errno::BADF | Errno::NOTSOCK) => Reach::All,
        Some(errno) if is_shortage(errno) => Reach::AllForNow,
        _ => Reach::One,
    }
}

/// Whether the system is short of something for a while.
fn is_shortage(errno: Errno) -> bool {
    #[cfg(unix)]
    if matches!(errno, Errno::NFILE | Errno::NOMEM) {
        return true;
    }
    matches!(errno, Errno::MFILE | Errno::NOBUFS)
}

/// Whether the network says this of one peer: what ICMP becomes, and a device that is
/// down.
fn is_network(errno: Errno) -> bool {
    #[cfg(unix)]
    if errno == Errno::PROTO {
        return true;
    }
    #[cfg(target_os = "linux")]
    if errno == Errno::NONET {
        return true;
    }
    matches!(
        errno,
        Errno::NETDOWN | Errno::NETUNREACH | Errno::NETRESET // Windows: a time to live ran out
            | Errno::HOSTDOWN | Errno::HOSTUNREACH
            | Errno::NOPROTOOPT | Errno::OPNOTSUPP
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each of these by each table.
    #[track_caller]
    fn assert_reach(table: fn(&io::Error) -> Reach, expected: Reach, errnos: &[Errno]) {
        for &errno in errnos {
            assert_eq!(table(&errno.into()), expected, "{errno:?}");
        }
    }

    const ICMP: [Errno; 5] = [
        Errno::NETUNREACH,
        Errno::HOSTUNREACH,
        Errno::NETDOWN,
        Errno::NOPROTOOPT,
        Errno::OPNOTSUPP,
    ];

    #[test]
    fn each_accept_error_of_the_manual_page_is_known() {
        assert_reach(of_accept, Reach::One, &ICMP);
        assert_reach(of_accept, Reach::One, &[Errno::CONNABORTED, Errno::HOSTDOWN]);
        assert_reach(of_accept, Reach::AllForNow, &[Errno::MFILE, Errno::NOBUFS, Errno::ACCESS]);
        assert_reach(of_accept, Reach::All, &[Errno::BADF, Errno::INVAL, Errno::NOTSOCK]);
        assert_eq!(of_accept(&ErrorKind::WouldBlock.into()), Reach::Nothing);
        assert_eq!(of_accept(&ErrorKind::Interrupted.into()), Reach::Nothing);
        assert_eq!(of_accept(&ErrorKind::InvalidInput.into()), Reach::One);
    }

    #[test]
    fn what_the_network_says_is_never_the_end_of_a_socket_for_datagrams() {
        for table in [of_receive, of_send] {
            assert_reach(table, Reach::One, &ICMP);
            assert_reach(table, Reach::One, &[Errno::MSGSIZE, Errno::CONNREFUSED]);
            assert_reach(table, Reach::One, &[Errno::CONNRESET, Errno::NETRESET]);
            assert_reach(table, Reach::AllForNow, &[Errno::NOBUFS]);
            assert_reach(table, Reach::All, &[Errno::BADF, Errno::NOTSOCK]);
            assert_eq!(table(&ErrorKind::Interrupted.into()), Reach::Nothing);
        }
        // Prohibited: by a filter on the way, or by a policy of this system.
        assert_reach(of_receive, Reach::AllForNow, &[Errno::ACCESS]);
        assert_reach(of_send, Reach::One, &[Errno::ACCESS, Errno::INVAL, Errno::ADDRNOTAVAIL]);
    }

    #[test]
    fn a_wait_that_is_over_is_no_error_of_receiving_and_a_lack_of_room_in_sending() {
        for kind in [ErrorKind::WouldBlock, ErrorKind::TimedOut] {
            assert_eq!(of_receive(&kind.into()), Reach::Nothing);
            assert_eq!(of_send(&kind.into()), Reach::AllForNow);
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_errors_that_only_linux_or_unix_has_are_known() {
        assert_reach(of_accept, Reach::One, &[Errno::PROTO, Errno::NONET]);
        assert_reach(of_receive, Reach::One, &[Errno::PROTO, Errno::NONET]);
        assert_reach(of_send, Reach::One, &[Errno::PROTO, Errno::NONET, Errno::PERM]);
        for table in [of_accept, of_receive] {
            assert_reach(table, Reach::AllForNow, &[Errno::PERM, Errno::NOMEM]);
        }
        assert_reach(of_accept, Reach::AllForNow, &[Errno::NFILE]);
    }
}
