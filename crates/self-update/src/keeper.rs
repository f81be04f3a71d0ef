//! Who has the socket, and sees to it that a worker serves on it: the old one, until the new
//! one is ready.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Instant;

use netcore::cli::{self, ServerArgs};
use netcore::error::reason;
use netcore::shutdown::Shutdown;
use netcore::visit::caught;
use netcore::{Error, listen};
use semver::Version;
use url::Url;

use crate::fetch::Releases;
use crate::manifest::is_key;
use crate::place::Place;
use crate::rules::Wanted;
use crate::unproven::Unproven;
use crate::update::{Outcome, Step, Updater};
use crate::worker::{HANDS_OVER, Worker, Workplace};
use crate::{Echo, Updates};

/// What wakes the keeper.
enum Event {
    /// A signal.
    Stop,
    /// The worker of this number has ended.
    Ended(u64),
    /// A look is over.
    Looked(io::Result<Outcome<Current>>),
}

/// A worker with its number: one that was let go of ends later, which is no news.
struct Current {
    worker: Worker,
    number: u64,
}

/// Serves until `shutdown` is told to stop or the worker ends by itself, and looks for
/// releases `from` there meanwhile.
///
/// # Errors
/// When nothing can be served. What is wrong with a release is logged.
pub fn keep<const PORT: u16>(
    args: &ServerArgs<PORT>,
    from: &Url,
    service: &Echo,
    shutdown: &Shutdown,
) -> Result<(), Error> {
    netcore::log::init(args.verbose);
    let own = Version::parse(service.release.version);
    let own =
        own.map_err(|error| Error::failed("read our own version")(io::Error::other(error)))?;
    let updater = Arc::new(updater(from, &service.updates)?);
    if updater.releases.are_in_the_open() {
        log::warn!("{from} is not encrypted: others can see and hold back what comes from there");
    }
    let listener = listen::tcp(&args.bind, args.port)?;
    let address = listener.local_addr().map_err(Error::failed("tell our own address"))?;
    let workplace = Arc::new(Workplace {
        listener: HANDS_OVER.then_some(listener),
        args: std::env::args_os().skip(1).collect(),
        patience: service.updates.ready_within,
        unproven: updater.unproven.clone(),
    });
    let (events, came) = channel();
    let stop = events.clone();
    shutdown.on_stop(move || drop(stop.send(Event::Stop)));
    let mut starter = Starter { workplace, events, number: 0 };
    let mut start = |program: &Path| starter.start(program, address);
    let started = updater.resume(&own, &mut start, &mut tell);
    let (running, current) = started.map_err(Error::failed("start what serves"))?;
    log::info!("{running} serves");
    cli::ready(Ok(address))?;
    let leaving = Vec::new();
    let keeper = Keeper { updater, starter, address, current, running, leaving, ended: None };
    keeper.keep(&came, &service.updates)
}

fn tell(step: Step) {
    log::info!("update: {step}");
}

fn updater(from: &Url, updates: &Updates) -> Result<Updater, Error> {
    let file = updates.key.as_deref().unwrap_or(Path::new(""));
    let attempted = format!("read the key in {}", file.display());
    let key = fs::read_to_string(file).map_err(Error::failed(&attempted))?;
    if !is_key(&key) {
        return Err(Error::failed(attempted)(io::Error::other("it is no public key of minisign")));
    }
    let wanted = Wanted {
        program: env!("CARGO_PKG_NAME").into(),
        target: target(),
        largest: updates.largest as u64,
        pre_releases: updates.pre_releases,
    };
    Ok(Updater {
        place: Place::of_this_program()?,
        releases: Releases::at(from),
        wanted,
        key,
        within: updates.within,
        patience: updates.ready_within,
        unproven: Unproven::default(),
    })
}

/// What this program runs on, as manifests have it.
pub fn target() -> String {
    format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS)
}

/// Starts workers, and numbers them.
#[derive(Clone)]
struct Starter {
    workplace: Arc<Workplace>,
    events: Sender<Event>,
    number: u64,
}

impl Starter {
    fn start(&mut self, program: &Path, address: SocketAddr) -> io::Result<Current> {
        self.number += 1;
        let (events, number) = (self.events.clone(), self.number);
        let ended = move || drop(events.send(Event::Ended(number)));
        Ok(Current { worker: self.workplace.start(program, address, ended)?, number })
    }
}

/// A panic in a look ends this look, as an error does: there are others.
fn in_a_thread(
    events: Sender<Event>,
    look: impl FnOnce() -> io::Result<Outcome<Current>> + Send + 'static,
) -> Result<(), Error> {
    let looks = move || drop(events.send(Event::Looked(caught(look))));
    let started = thread::Builder::new().name("update".into()).spawn(looks);
    started.map(drop).map_err(Error::failed("look for releases"))
}

struct Keeper {
    updater: Arc<Updater>,
    starter: Starter,
    address: SocketAddr,
    current: Current,
    running: Version,
    /// Those that serve out their last clients.
    leaving: Vec<Current>,
    /// The last one that has ended and is nobody's yet: its look is not over.
    ended: Option<u64>,
}

impl Keeper {
    fn keep(mut self, came: &Receiver<Event>, updates: &Updates) -> Result<(), Error> {
        // At the start, and then again and again; never two at once.
        let mut next = Some(Instant::now());
        loop {
            let event = match next {
                Some(next) => came.recv_timeout(next.saturating_duration_since(Instant::now())),
                None => came.recv().map_err(RecvTimeoutError::from),
            };
            match event {
                Ok(Event::Stop) => {
                    self.current.worker.let_go();
                    return self.end();
                }
                Ok(Event::Ended(number)) if number == self.current.number => return self.end(),
                Ok(Event::Ended(number)) => {
                    let one = self.leaving.iter().position(|leaving| leaving.number == number);
                    match one.map(|at| self.leaving.swap_remove(at)) {
                        Some(one) => {
                            one.worker.wait().map_err(Error::failed("wait for a worker"))?;
                        }
                        None => self.ended = Some(number),
                    }
                }
                Ok(Event::Looked(outcome)) => {
                    self.follow(outcome)?;
                    // Of one that was ready and no more, its end came before its beginning.
                    if self.ended == Some(self.current.number) {
                        return self.end();
                    }
                    next = Some(Instant::now() + updates.every);
                }
                Err(_) => {
                    self.look()?;
                    next = None;
                }
            }
        }
    }

    /// In a thread of its own: a stop does not wait for a download.
    fn look(&mut self) -> Result<(), Error> {
        let (updater, running) = (self.updater.clone(), self.running.clone());
        let mut starter = self.starter.clone();
        let mut address = self.address;
        if !HANDS_OVER {
            // The old worker is there: the trial is held beside it.
            address.set_port(0);
        }
        let events = starter.events.clone();
        in_a_thread(events, move || {
            let mut start = |program: &Path| starter.start(program, address);
            updater.look(&running, &mut start, &mut tell)
        })
    }

    fn follow(&mut self, outcome: io::Result<Outcome<Current>>) -> Result<(), Error> {
        // The numbers of those that were started in this look: one at most.
        self.starter.number += 1;
        match outcome {
            Ok(Outcome::Updated(version, new)) => {
                self.take_over(new).map_err(Error::failed("go on with the new worker"))?;
                log::info!("{version} serves from here on");
                self.running = version;
            }
            Ok(Outcome::PutBack(version)) => {
                log::error!("{version} is not tried again; {} serves on", self.running);
            }
            Ok(Outcome::Nothing(why)) => log::info!("no update: {why}"),
            Ok(Outcome::Busy) => log::info!("no update: another process is at it"),
            Err(error) => log::warn!("no update: {}", reason(&error)),
        }
        Ok(())
    }

    fn take_over(&mut self, new: Current) -> io::Result<()> {
        let mut old = std::mem::replace(&mut self.current, new);
        if HANDS_OVER {
            old.worker.leave();
            self.leaving.push(old);
            return Ok(());
        }
        old.worker.let_go();
        old.worker.wait()?;
        let mut trial = self.starter.start(self.updater.place.program(), self.address)?;
        std::mem::swap(&mut self.current, &mut trial);
        trial.worker.let_go();
        trial.worker.wait().map(drop)
    }

    /// Waits for all who serve out their clients.
    fn end(mut self) -> Result<(), Error> {
        // A look that is not over is left, and what it waits for could hang for ever.
        self.updater.unproven.end();
        self.leaving.iter_mut().for_each(|leaving| leaving.worker.let_go());
        let status = self.current.worker.wait().map_err(Error::failed("wait for the worker"))?;
        for leaving in self.leaving {
            leaving.worker.wait().map_err(Error::failed("wait for a worker"))?;
        }
        match status.success() {
            true => Ok(()),
            false => Err(Error::failed("serve")(io::Error::other(format!("the worker: {status}")))),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_look_that_panics_is_over() {
        let (events, came) = channel();
        in_a_thread(events, || panic!("this line in the output is expected")).unwrap();
        let event = came.recv_timeout(Duration::from_secs(30)).unwrap();
        assert!(matches!(event, Event::Looked(Err(_))));
    }
}
