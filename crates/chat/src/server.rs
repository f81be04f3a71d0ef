//! The server: accepts a client, leaves it to a thread of its own, and accepts the next,
//! until it is told to stop.

use std::io::{self, ErrorKind, Write};
use std::net::{SocketAddr, TcpListener};
use std::thread;

use netcore::accept::Acceptor;
use netcore::connection::Connection;
use netcore::deadline::Deadline;
use netcore::error::reason;
use netcore::lines::{Came, Lines};
use netcore::log::payload;
use netcore::outbox::Outbox;
use netcore::pulse::{self, Look, Pulse};
use netcore::shutdown::Shutdown;
use netcore::visit::{Ended, visit};
use netcore::wait::{Interest, is_ready};

use crate::room::{Member, missed};
use crate::{ALIVE, BUFFER, Chat, I_AM, LONGEST_LINE};

/// Serves clients, each in a thread of its own, until `shutdown` is told to stop or nobody
/// comes for `service.accept_timeout`. Returns when the last client has gone, which
/// a stop brings about within its drain limit.
///
/// # Errors
/// What accept says when no further client could be accepted. A client's error is logged
/// and ends that client only.
pub fn serve(listener: TcpListener, service: &Chat, shutdown: &Shutdown) -> io::Result<()> {
    let acceptor = Acceptor::new(listener, shutdown)?
        .give_up_after(service.accept_timeout)
        .at_most(service.max_clients);
    // The scope ends with its last thread: until then, they may borrow the service.
    thread::scope(|scope| {
        while let Some((stream, peer)) = acceptor.accept()? {
            let visit = move || visit(stream, peer, |stream| talk(stream, peer, service));
            if let Err(error) = thread::Builder::new().spawn_scoped(scope, visit) {
                log::warn!("{peer} dropped: no thread for it: {error}");
            }
        }
        Ok(())
    })
}

fn talk(stream: &mut Connection, peer: SocketAddr, service: &Chat) -> io::Result<()> {
    pulse::watch(stream.get_ref(), service.heartbeat)?;
    let mut lines = Lines::new(stream, BUFFER, LONGEST_LINE);
    let Some(member) = enter(&mut lines, peer, service)? else { return Ok(()) };
    let heard = listen(&mut lines, peer, &member, service);
    let stream = lines.connection();
    member.leave(match &heard {
        _ if stream.ended_by_stop() => Ok(Ended::ByStop),
        Ok(()) => Ok(Ended::ByPeer),
        Err(error) => Err(reason(error)),
    });
    // What was said before it left is still to hear, and from here on this thread waits, as
    // long as any of it is taken.
    stream.set_limits(Deadline::NEVER, service.heartbeat);
    heard.and(stream.write_all(&member.outbox.close()))
}

/// Waits for the first line, which is a name. `None`: there is no such member. What comes
/// behind a name that is refused was meant for the room, and is no further name.
fn enter<'a>(
    lines: &mut Lines,
    peer: SocketAddr,
    service: &'a Chat,
) -> io::Result<Option<Member<'a>>> {
    let name = match lines.next(Deadline::after(service.idle))? {
        Came::Line(name) => name.to_vec(),
        Came::Nothing => return Err(ErrorKind::TimedOut.into()),
        Came::End => return Ok(None),
    };
    log::debug!("{peer} received {} bytes {}", name.len(), payload(&name));
    let outbox = Outbox::new(lines.connection(), service.room.queue, missed)?;
    match service.room.join(&name, outbox) {
        Ok(member) => Ok(Some(member)),
        Err(refusal) => {
            log::info!("{peer} refused: {refusal}");
            lines.connection().write_all(format!("! {refusal}\n").as_bytes())?;
            Ok(None)
        }
    }
}

/// Hears everything that the member says, up to its end.
fn listen(lines: &mut Lines, peer: SocketAddr, member: &Member, service: &Chat) -> io::Result<()> {
    let gone = |how| Err(io::Error::new(ErrorKind::TimedOut, how));
    let mut pulse = Pulse::default();
    let mut next_look = Deadline::after(service.heartbeat / 2);
    loop {
        // Many lines that come together go out together.
        if !lines.has_more() {
            service.room.deliver();
        }
        if next_look.has_passed() {
            next_look = Deadline::after(service.heartbeat / 2);
            match pulse.look(member.outbox.progress()) {
                Look::Alive => {}
                Look::Ask => member.tell(ALIVE),
                // Where this server was halted itself, the answer waits to be read.
                Look::Silent if is_ready(lines.connection().get_ref(), Interest::Reading)? => {}
                Look::Silent => return gone("it does not answer"),
                Look::Stuck => return gone("it does not listen"),
            }
        }
        let came = lines.next(next_look)?;
        member.outbox.check()?;
        match came {
            Came::Line(line) => {
                pulse.heard();
                log::debug!("{peer} received {} bytes {}", line.len(), payload(line));
                match str::from_utf8(line) {
                    Ok(I_AM) => pulse.answers(),
                    Ok(text) => {
                        service.reply(&member.name, text).iter().for_each(|line| member.say(line))
                    }
                    Err(_) => member.tell("! that was not UTF-8, and nobody has heard it"),
                }
            }
            Came::Nothing => {}
            Came::End => return Ok(()),
        }
    }
}
