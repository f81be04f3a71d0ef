//! A fault that is let loose on the server that plays, and the verdict of a trial.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use ladder::{Ladder, Rung};
use netfault::{Fault, LIFETIME, Running};
use trial::{Cast, Expected, Faults, Outcome};

use crate::event::What;
use crate::feed::Teller;

/// Between two looks whether it is to end.
const LOOK: Duration = Duration::from_millis(200);

/// Keeps a fault that has taken hold, until what is returned is dropped, the server ends it,
/// or it has lasted long enough.
pub fn keep(fault: &'static Fault, running: Running, teller: &Teller) -> Sender<()> {
    let (here, leaves) = channel();
    let teller = teller.clone();
    thread::spawn(move || last(fault, &running, &leaves, &teller));
    here
}

fn last(fault: &Fault, running: &Running, leaves: &Receiver<()>, teller: &Teller) {
    let Fault { name, about, .. } = fault;
    teller.note(format!("{name}: {about}"));
    if !running.lasts() {
        let (Ok(seen) | Err(seen)) = running.verdict();
        teller.note(format!("{name}: the faulty client {seen}"));
    }
    let until = Instant::now() + LIFETIME;
    let mut is_held = running.lasts();
    while Instant::now() < until {
        if leaves.recv_timeout(LOOK) == Err(RecvTimeoutError::Disconnected) {
            return;
        }
        // A relay is ended by nobody but us, and what was over at once is over.
        if is_held && running.address().inet().is_ok() && running.wait_until_dropped(Duration::ZERO)
        {
            teller.note(format!("{name}: nothing of it is open any more"));
            is_held = false;
        }
    }
}

/// Held by the trial that goes on: one at a time, since each has processes of its own.
static TRIAL: Mutex<()> = Mutex::new(());

/// Plays `fault` once more with processes of its own, as `cargo xtask faults` does, and tells
/// how it has ended.
pub fn judge(ladder: &Arc<Ladder>, rung: &Rung, fault: &'static Fault, teller: &Teller) {
    let (ladder, name, teller) = (ladder.clone(), rung.name.clone(), teller.clone());
    thread::spawn(move || {
        let Ok(alone) = TRIAL.try_lock() else {
            return teller.trouble("another trial goes on; its end has to come first");
        };
        let Some(rung) = ladder.find(&name) else { return };
        let verdict = verdict(&ladder, rung, fault);
        // Whoever is told may begin another.
        drop(alone);
        teller.now(&verdict);
    });
}

fn verdict(ladder: &Ladder, rung: &Rung, fault: &'static Fault) -> What {
    let limit = rung.limit(fault.name);
    let expected = Expected::of(rung, fault);
    let args = rung.args_for(fault);
    let told = |survived, text| What::Verdict {
        fault: fault.name.into(),
        survived,
        expected: survived.is_none_or(|survived| survived == (expected == Expected::Survives)),
        text,
    };
    match trial::play(Cast { ladder, rung, args: &args }, fault, expected) {
        Ok(Outcome { survived, story, .. }) => {
            let lifted = limit.map(|limit| format!("; {} lifts it", limit.lifted_by));
            told(Some(survived), format!("{story}{}", lifted.unwrap_or_default()))
        }
        Err(failure) => told(None, failure.to_string()),
    }
}
