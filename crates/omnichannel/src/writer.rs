//! One thread that writes: what has come while it was busy goes into the next commit
//! together.
//!
//! A commit waits for the disk, however little is in it. So sixteen who write at once wait
//! for one commit and not for sixteen: **group commit**.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::metrics::Metrics;
use crate::store::{Applied, Effect, Outcome, Store};

/// Changes that wait for the next commit. Past it, connections wait, and a datagram is
/// dropped: its client asks again.
const QUEUE: usize = 1024;

/// Changes of one commit at most, so that none of them waits for all that ever come.
const BATCH: usize = 256;

/// What is called when a change is on the disk, or is not.
pub type Done = Box<dyn FnOnce(io::Result<Outcome>) + Send>;

/// The thread, and how it is told what to write.
#[derive(Debug)]
pub struct Writer {
    jobs: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
    news: Arc<News>,
}

/// What is to be written, and whom to tell.
pub(crate) struct Job {
    pub(crate) effect: Effect,
    pub(crate) done: Done,
}

/// Wakes who follows.
#[derive(Debug, Default)]
pub struct News {
    commits: Mutex<u64>,
    woken: Condvar,
    stopping: AtomicBool,
}

impl Writer {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system has no thread for it.
    pub fn start(store: Arc<Store>, metrics: Arc<Metrics>) -> io::Result<Writer> {
        Writer::begin(move |queue, news| commit_groups(&queue, &store, &metrics, &news))
    }

    /// Starts the thread with something else to do for each job of the queue.
    pub(crate) fn begin(
        write: impl FnOnce(Receiver<Job>, Arc<News>) + Send + 'static,
    ) -> io::Result<Writer> {
        let (jobs, queue) = sync_channel(QUEUE);
        let news = Arc::new(News::default());
        let told = Arc::clone(&news);
        let name = thread::Builder::new().name("writer".into());
        let thread = name.spawn(move || write(queue, told))?;
        Ok(Writer { jobs: Some(jobs), thread: Some(thread), news })
    }

    /// Waits until `effect` is on the disk, or is known not to be done.
    ///
    /// # Errors
    /// When the store fails: whether it is done is not known then.
    pub fn write(&self, effect: Effect) -> io::Result<Outcome> {
        let (done, outcome) = sync_channel(1);
        let done: Done = Box::new(move |outcome| drop(done.send(outcome)));
        let gone = || io::Error::other("nobody writes any more");
        let jobs = self.jobs.as_ref().ok_or_else(gone)?;
        jobs.send(Job { effect, done }).map_err(|_| gone())?;
        outcome.recv().map_err(|_| gone())?
    }

    /// Does not wait: `done` is called by the thread that writes, and must not wait either.
    /// Returns whether there was room in the queue.
    pub fn write_later(&self, effect: Effect, done: Done) -> bool {
        let Some(jobs) = &self.jobs else { return false };
        !matches!(jobs.try_send(Job { effect, done }), Err(TrySendError::Full(_)))
    }

    /// What tells of each commit.
    pub fn news(&self) -> &Arc<News> {
        &self.news
    }
}

impl Drop for Writer {
    /// What is in the queue is written, and the file closed in order.
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl News {
    /// How many commits there were so far: to be asked before the store is, so that no commit
    /// falls between the two.
    pub fn commits(&self) -> u64 {
        *self.commits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a commit after the first `seen`, for a stop, or for so long.
    pub fn wait(&self, seen: u64, most: Duration) {
        let commits = self.commits.lock().unwrap_or_else(PoisonError::into_inner);
        let waits = |commits: &mut u64| *commits == seen && !self.is_stopping();
        drop(self.woken.wait_timeout_while(commits, most, waits));
    }

    /// Ends every wait, now and later.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        self.tell(0);
    }

    /// Whether every wait has ended: to be asked before the store is as well, so that what was
    /// done before a stop is told.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// There are so many commits more.
    pub(crate) fn tell(&self, more: u64) {
        *self.commits.lock().unwrap_or_else(PoisonError::into_inner) += more;
        self.woken.notify_all();
    }
}

fn commit_groups(queue: &Receiver<Job>, store: &Store, metrics: &Metrics, news: &News) {
    while let Ok(first) = queue.recv() {
        let mut jobs = vec![first];
        // Those that came during the last commit; nobody is waited for.
        jobs.extend(queue.try_iter().take(BATCH - 1));
        let effects: Vec<&Effect> = jobs.iter().map(|job| &job.effect).collect();
        match store.apply(&effects) {
            Ok(Applied { outcomes, written }) => {
                metrics.answered(&outcomes);
                if written {
                    metrics.committed();
                    news.tell(1);
                }
                // Not before it is on the disk: from here on it is promised.
                jobs.into_iter().zip(outcomes).for_each(|(job, it)| (job.done)(Ok(it)));
            }
            Err(error) => {
                let error = || io::Error::new(error.kind(), error.to_string());
                jobs.into_iter().for_each(|job| (job.done)(Err(error())));
            }
        }
    }
}
