//! Workers for what may take its time: handlers, files that are not at hand, handshakes.
//! They answer in blocking code and give the connection back.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use mio::Waker;
use netcore::deadline::{Deadline, LONGEST};
use netcore::memory;
use netcore::shutdown::Shutdown;
use netcore::visit::caught;

use super::conversation::{Conversation, Next};
use super::exchange::Desk;
use super::service::Service;

/// The name of each worker's thread, for debuggers, lists of threads and the message of
/// a panic. Linux shows 15 bytes.
const WORKER: &str = "http-worker";

/// Requests that wait for a worker, for each worker that there may be. Beyond it they are
/// refused: they would wait for too long.
const QUEUE: usize = 16;

/// A connection on its way to a worker or back, with its number.
pub struct Job {
    /// The number.
    pub id: usize,
    /// The connection.
    pub conversation: Box<Conversation>,
}

/// A connection that a worker has given back, and how its turn ended.
pub struct Done {
    /// The connection.
    pub job: Job,
    /// How its turn ended.
    pub next: io::Result<Next>,
}

/// The workers. They end when this is dropped, after the work in hand, which is waited for until
/// the drain limit: nothing that a handler holds outlives the server then.
pub struct Pool {
    shared: Arc<Shared>,
    most: usize,
    service: Arc<Service>,
    shutdown: Shutdown,
}

struct Shared {
    state: Mutex<State>,
    wanted: Condvar,
    ended: Condvar,
    done: Mutex<Vec<Done>>,
    /// Tells the thread that all connections share.
    waker: Arc<Waker>,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    /// How many of them have a request.
    requests: usize,
    workers: usize,
    idle: usize,
    /// No further one could be started, which is told once.
    is_short: bool,
    over: bool,
}

impl Pool {
    /// A pool of one worker, which grows to `service.limits.workers`.
    ///
    /// # Errors
    /// When not even one can be started: nobody would ever answer.
    pub fn new(
        service: &Arc<Service>,
        shutdown: &Shutdown,
        waker: &Arc<Waker>,
    ) -> io::Result<Pool> {
        let state = Mutex::default();
        let (wanted, ended) = (Condvar::new(), Condvar::new());
        let (done, waker) = (Mutex::default(), waker.clone());
        let shared = Arc::new(Shared { state, wanted, ended, done, waker });
        let (service, shutdown) = (service.clone(), shutdown.clone());
        let pool = Pool { shared, most: service.limits.workers.max(1), service, shutdown };
        pool.start(&mut pool.shared.state())
            .map_err(|error| io::Error::other(format!("no worker can be started: {error}")))?;
        Ok(pool)
    }

    /// Hands a connection over. It comes back [done](Pool::done).
    ///
    /// # Errors
    /// The connection itself, where it has a request and too many wait already.
    pub fn submit(&self, job: Job) -> Result<(), Job> {
        let mut state = self.shared.state();
        // Whoever has a part of a response gets the rest of it, and a handshake is short.
        if job.conversation.has_request() {
            if state.requests >= self.most.saturating_mul(QUEUE) {
                return Err(job);
            }
            state.requests += 1;
        }
        state.jobs.push_back(job);
        if state.jobs.len() <= state.idle {
            self.shared.wanted.notify_one();
        } else if state.workers < self.most {
            let started = self.start(&mut state);
            // Those that are there go on, and this one waits for them.
            if let Err(error) = &started
                && !state.is_short
            {
                log::warn!("cannot start one more worker: {error}");
            }
            state.is_short = started.is_err();
        }
        Ok(())
    }

    /// Those that have been given back.
    pub fn done(&self) -> Vec<Done> {
        std::mem::take(&mut *self.shared.done.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn start(&self, state: &mut State) -> io::Result<()> {
        let (shared, desk) = (self.shared.clone(), Desk::new(&self.service, &self.shutdown, true));
        // Where there is room for the thread alone, it would end the process.
        memory::is_there_for_a_worker()?;
        let worker = thread::Builder::new().name(WORKER.into());
        worker.spawn(move || shared.work(desk))?;
        state.workers += 1;
        Ok(())
    }
}

impl Shared {
    fn work(&self, mut desk: Desk) {
        while let Some(mut job) = self.next_job() {
            let next = caught(|| job.conversation.turn(&mut desk));
            let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
            done.push(Done { job, next });
            let is_first = done.len() == 1;
            drop(done);
            // Whoever came before has told already.
            if is_first && let Err(error) = self.waker.wake() {
                log::error!("a response may be late: {error}");
            }
        }
        // With what the handlers hold.
        drop(desk);
        self.state().workers -= 1;
        self.ended.notify_one();
    }

    fn next_job(&self) -> Option<Job> {
        let mut state = self.state();
        loop {
            if let Some(job) = state.jobs.pop_front() {
                state.requests -= usize::from(job.conversation.has_request());
                return Some(job);
            }
            if state.over {
                return None;
            }
            state.idle += 1;
            state = self.wanted.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        state.over = true;
        self.shared.wanted.notify_all();
        let drain = Deadline::after(self.service.limits.drain);
        let limit = self.shutdown.drain_deadline().or_sooner(drain);
        while state.workers > 0
            && let Ok(left) = limit.remaining()
        {
            let waited = self.shared.ended.wait_timeout(state, left.unwrap_or(LONGEST));
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}
