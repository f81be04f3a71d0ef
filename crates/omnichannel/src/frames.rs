//! The channel of programs that stay: messages in frames over TCP, one answer for each, in
//! order; or, to who follows, one message after another.

use std::io::{self, BufReader, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;

use netcore::connection::Connection;
use netcore::deadline::Deadline;
use netcore::frame::FrameError;
use netcore::wait::has_left;

use crate::message::{ANY, Ask, Reply, Request, Why};
use crate::metrics::Channel;
use crate::service::Service;
use crate::tokens::REPLICA;

/// Bytes that one call reads at most.
const BUFFER: usize = 64 << 10;

/// Who follows is told so often that the server is there, and the server finds so soon who is
/// not.
pub const PULSE: Duration = Duration::from_secs(2);

/// Where who follows is, and what.
enum Following<'a> {
    /// One account, by revision.
    Account(&'a str, u64),
    /// All of them, by position.
    All(u64),
}

/// Answers the requests of one connection until one side ends it.
///
/// # Errors
/// Those of the connection; after a frame that is none, nobody knows where the next begins.
pub fn answer(stream: &mut Connection, peer: SocketAddr, service: &Service) -> io::Result<()> {
    let (codec, limits) = (service.codec(), &service.options.limits);
    let total = Deadline::after(limits.total);
    let mut message = Vec::new();
    let mut stream = BufReader::with_capacity(BUFFER, stream);
    loop {
        stream.get_mut().set_deadline(total.or_sooner(Deadline::after(limits.idle)));
        let request = match codec.read::<Request>(&mut stream, &mut message) {
            Ok(Some(request)) => request,
            Ok(None) => return Ok(()),
            Err(error) => {
                // Its client would take the end for an accident, and ask again.
                if let FrameError::TooLong { length, max } = error {
                    let why = Why::MessageTooLong { length, most: max as u64 };
                    let deadline = Deadline::after(limits.idle);
                    write(stream.get_mut(), &Reply::Refused(why), deadline)?;
                }
                return Err(error.into());
            }
        };
        let reply = match request {
            Err(error) => Reply::Refused(Why::NoRequest(error.into())),
            Ok(Request { token, key, ask }) => match service.prove(&token.0, Channel::Tcp) {
                Err(why) => Reply::Refused(why),
                Ok(account) => {
                    log::debug!("{peer} is {account}, over frames: {ask}");
                    match (ask, account) {
                        (Ask::Follow { since }, _) => match service.has_come_to(account, since) {
                            Err(why) => Reply::Refused(why),
                            Ok(()) => {
                                let following = Following::Account(account, since);
                                return follow(stream.get_mut(), service, following, total);
                            }
                        },
                        (Ask::Replicate { store, since }, REPLICA) => {
                            return replicate(stream.get_mut(), service, store, since, total);
                        }
                        (Ask::Chain, REPLICA) => Reply::Chain(service.chain.names()),
                        (ask, account) => service.answer(account, key, ask),
                    }
                }
            },
        };
        // However long the disk took.
        let deadline = total.or_sooner(Deadline::after(limits.idle));
        write(stream.get_mut(), &reply, deadline)?;
    }
}

fn write(stream: &mut Connection, reply: &Reply, deadline: Deadline) -> io::Result<()> {
    let mut message = Vec::new();
    stream.set_deadline(deadline);
    ANY.encode(reply, &mut message)?;
    Ok(ANY.write(stream, &message)?)
}

/// Sends what has changed and what changes, until the client has gone, a stop, or the total
/// limit: who follows comes again, with the last number that it has.
fn follow(
    stream: &mut Connection,
    service: &Service,
    mut following: Following<'_>,
    total: Deadline,
) -> io::Result<()> {
    let most = service.options.max_text;
    let news = service.writer.news();
    let _counted = service.metrics.counted(Channel::Tcp);
    loop {
        // Before the store is asked: what comes between the two is looked at next.
        let (seen, stopping) = (news.commits(), news.is_stopping());
        let reply = match following {
            Following::Account(account, since) => service.next(account, since, most),
            Following::All(since) => service.next_of_all(since, most),
        };
        let deadline = Deadline::after(service.options.limits.idle);
        match write(stream, &reply, deadline) {
            // Who has seen enough leaves, and may do so while something is on its way.
            Err(error)
                if matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset) =>
            {
                return Ok(());
            }
            written => written?,
        }
        match reply {
            Reply::Changes(changes) => {
                let Some(last) = changes.last() else { return Ok(()) };
                match &mut following {
                    Following::Account(_, since) => *since = last.draft.revision,
                    Following::All(since) => *since = last.position,
                }
                continue;
            }
            Reply::Nothing if !stopping => news.wait(seen, pulse(total)),
            _ => return Ok(()),
        }
        if total.has_passed() || has_left(stream.get_ref()) {
            return Ok(());
        }
    }
}

/// How long to wait for a change, where `until` ends it all.
pub fn pulse(until: Deadline) -> Duration {
    until.patience().map_or(PULSE, |left| left.min(PULSE))
}

/// As [`follow`], for a replica of this store that has not more of it than there is.
fn replicate(
    stream: &mut Connection,
    service: &Service,
    store: u64,
    since: u64,
    total: Deadline,
) -> io::Result<()> {
    let news = service.writer.news();
    let (name, position) = loop {
        let (seen, stopping) = (news.commits(), news.is_stopping());
        let (name, position) = service.store.standing()?;
        // A replica gets the name of the store that it follows with the first change.
        if position > 0 || service.options.follow.is_none() {
            break (name, position);
        }
        write(stream, &Reply::Nothing, Deadline::after(service.options.limits.idle))?;
        if stopping || total.has_passed() || has_left(stream.get_ref()) {
            return Ok(());
        }
        news.wait(seen, pulse(total));
    };
    let is_ours = since == 0 || store == name;
    let reply = match is_ours && since <= position {
        true => Reply::Store(name),
        // Another server of the same engine was asked before, and was further.
        false if is_ours && service.options.engine.is_some() => Reply::Refused(Why::Unavailable),
        false => Reply::Refused(Why::OtherStore),
    };
    write(stream, &reply, Deadline::after(service.options.limits.idle))?;
    match reply {
        // From what it has last, which shows whether it is the same there.
        Reply::Store(_) => follow(stream, service, Following::All(since.saturating_sub(1)), total),
        _ => Ok(()),
    }
}
