//! What is done to the process of a server: how it starts and stops, what it runs out
//! of. Most of it is not done by a peer; `cargo xtask faults` does it.

use std::io::{self, Write};

use netcore::error::reason;

use super::{ANY, ECHOES, LOCAL, TCP, crowd, crowded, datagrams, fault};
use crate::Proof::Process;
use crate::peer::{answered, connect, stay};
use crate::{Fault, Running, Target, Transport, Treatment};

/// Visits whose lines nobody reads.
const VISITS: usize = 900;

/// Clients that stay: far more than there are threads.
const SPEAKING: usize = 100;

pub const OUT_OF_DESCRIPTORS: Fault = crowded(
    fault(
        "out-of-descriptors",
        "more connections than the server may have open files",
        TCP,
        Process(Treatment::FewDescriptors),
        crowd::many_idle,
    ),
    crowd::MANY,
);

pub const NO_THREADS: Fault = crowded(
    fault(
        "no-threads",
        "100 clients of a server that may not have so many threads",
        TCP,
        Process(Treatment::FewThreads),
        speaking,
    ),
    SPEAKING,
);

/// Clients that have each said hello and stay. Nobody waits for the replies: not all of
/// them need come.
fn speaking(target: &Target) -> io::Result<Running> {
    let mut streams = Vec::new();
    for _ in 0..SPEAKING {
        match connect(target) {
            Ok(mut stream) => {
                // Whom the server has refused by now, it has told.
                let _ = stream.write_all(target.hello);
                streams.push(stream);
            }
            // A server that serves one client and ends has gone.
            Err(error) if streams.is_empty() => return Err(error),
            Err(_) => break,
        }
    }
    stay(target, streams)
}

/// The rung's own client sends it; nothing is done beside.
pub const BIG_MESSAGE: Fault = fault(
    "big-message",
    "36 MiB of messages, more than all the buffers on the way, from the rung's own client",
    ECHOES,
    Process(Treatment::BigMessage),
    nothing,
);

/// Each visit is a few lines in the log: together, far more than a pipe holds.
pub const DEAF_LOG: Fault = fault(
    "deaf-log",
    "900 visits, and nobody who reads the log; then a stop, and a second one",
    ANY,
    Process(Treatment::DeafLog),
    visits,
);

fn visits(target: &Target) -> io::Result<Running> {
    let mut verdict = Ok(format!("was served {VISITS} times"));
    for number in 0..VISITS {
        let served = match target.speaks.transport() {
            Transport::Tcp => answered(target).map(drop),
            Transport::Udp => datagrams::answered(target).map(drop),
        };
        if let Err(error) = served {
            let reason = reason(&error);
            verdict = Err(format!("was served {number} times and then no more: {reason}"));
            break;
        }
    }
    Ok(Running::judged(&target.address, Vec::new(), verdict))
}

pub const STOP_WHILE_BUSY: Fault = fault(
    "stop-while-busy",
    "a stop (SIGTERM) with clients connected, one of them in mid-message",
    TCP,
    Process(Treatment::Stop),
    in_conversation,
);

pub const STOP_WHILE_IDLE: Fault = fault(
    "stop-while-idle",
    "a stop (SIGTERM) while nobody is there",
    ANY,
    Process(Treatment::Stop),
    nothing,
);

pub const RESTART: Fault = fault(
    "restart",
    "a stop and a start at the same place at once",
    ANY,
    Process(Treatment::Restart),
    nothing,
);

pub const PORT_TAKEN: Fault = fault(
    "port-taken",
    "a port, or a file, that another server has",
    ANY,
    Process(Treatment::PortTaken),
    nothing,
);

pub const LOW_PORT: Fault = fault(
    "low-port",
    "a port, or a folder, that needs privileges",
    ANY,
    Process(Treatment::LowPort),
    nothing,
);

pub const BAD_HOST: Fault = fault(
    "bad-host",
    "an address to listen on that is none",
    ANY,
    Process(Treatment::BadHost),
    nothing,
);

pub const ANOTHER_USER: Fault = fault(
    "another-user",
    "a client of another user of the same machine",
    LOCAL,
    Process(Treatment::AnotherUser),
    nothing,
);

pub const KILLED: Fault = fault(
    "killed",
    "a server that is killed (SIGKILL) and leaves its file behind, and a start at the same place",
    LOCAL,
    Process(Treatment::Killed),
    nothing,
);

/// One client that has been answered and is silent, and one that has sent half a
/// message. The second one is not served by a server that has only one place.
fn in_conversation(target: &Target) -> io::Result<Running> {
    let first = answered(target)?;
    let mut second = connect(target)?;
    second.write_all(&target.hello[..target.hello.len() / 2])?;
    stay(target, vec![first, second])
}

fn nothing(target: &Target) -> io::Result<Running> {
    Ok(Running::nothing(&target.address))
}
