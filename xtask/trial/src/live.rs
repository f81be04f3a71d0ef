//! A timeline that is shown while it happens.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use ladder::log_line::Time;
use ladder::{Failure, Screen};

use crate::timeline::{Happening, Timeline, in_order};

/// How long a line waits for one that was logged before it and is read after it.
const WINDOW: Duration = Duration::from_millis(40);

/// Shows what it is told in the order in which it happened, a moment later, and as slowly
/// as the screen wants it.
pub struct Live {
    sender: Sender<Option<Happening>>,
    thread: Option<JoinHandle<Result<(), Failure>>>,
}

/// Where a live timeline is told what happens. Once that has ended, nobody listens.
#[derive(Clone)]
pub struct Teller(Sender<Option<Happening>>);

impl Teller {
    pub fn tell(&self, happening: Happening) {
        let _ = self.0.send(Some(happening));
    }
}

impl Live {
    pub fn start(timeline: Timeline) -> Live {
        let (sender, receiver) = mpsc::channel();
        let thread = Some(thread::spawn(move || show(timeline, &receiver)));
        Live { sender, thread }
    }

    pub fn teller(&self) -> Teller {
        Teller(self.sender.clone())
    }

    /// Waits until everything that was told has been shown.
    pub fn finish(mut self) -> Result<(), Failure> {
        self.end()
    }

    fn end(&mut self) -> Result<(), Failure> {
        let _ = self.sender.send(None);
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(shown)) => shown,
            Some(Err(panic)) => std::panic::resume_unwind(panic),
            None => Ok(()),
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        if !thread::panicking() {
            // Whoever drops it has a failure to tell that comes first.
            let _ = self.end();
        }
    }
}

fn show(mut timeline: Timeline, told: &Receiver<Option<Happening>>) -> Result<(), Failure> {
    let screen = timeline.screen;
    let quick = Screen { pace: Duration::ZERO, ..screen };
    timeline.head().show(&screen)?;
    let (mut waiting, mut open) = (Vec::new(), true);
    while open || !waiting.is_empty() {
        if open {
            let next = if waiting.is_empty() { Duration::MAX } else { WINDOW / 4 };
            match told.recv_timeout(next) {
                Ok(Some(happening)) => waiting.push(happening),
                Err(RecvTimeoutError::Timeout) => {}
                Ok(None) | Err(RecvTimeoutError::Disconnected) => open = false,
            }
            waiting.extend(told.try_iter().map_while(|more| {
                open &= more.is_some();
                more
            }));
        }
        waiting = in_order(waiting);
        let now = Time::now();
        let is_due = |one: &&Happening| !open || now.since(one.at) >= WINDOW;
        let due = waiting.iter().take_while(is_due).count();
        for happening in waiting.drain(..due) {
            let rows = timeline.rows(&happening);
            let last = rows.len().saturating_sub(1);
            for (number, row) in rows.iter().enumerate() {
                // An eye takes the lines of one happening at once.
                let at_once = number < last && !row.flies();
                row.show(if at_once { &quick } else { &screen })?;
            }
        }
    }
    Ok(())
}
