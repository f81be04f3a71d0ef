//! Problem 9: queues of jobs, in lines of JSON. A client works on what it has taken until it
//! deletes it or gives it back; one that leaves gives back everything.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufReader, Write};
use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use netcore::connection::Connection;
use netcore::deadline::Deadline;
use netcore::shutdown::Shutdown;
use netcore::wait::has_left;
use serde_json::{Value, json};

use crate::server::{IDLE, next_line};

/// Jobs at most: with the longest line, the bound on memory.
const MOST: usize = 100_000;

/// How often it is looked whether a client that waits for a job is still there.
const LOOK: Duration = Duration::from_secs(1);

/// All queues.
#[derive(Debug, Clone)]
pub struct Jobs(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    /// A job has come, or the end.
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    last_id: u64,
    jobs: BTreeMap<u64, Job>,
    /// Those that nobody works on, by queue: the last has the highest priority.
    waiting: BTreeMap<String, BTreeSet<(u64, u64)>>,
    /// Who works on which.
    taken: BTreeMap<u64, SocketAddr>,
    is_stopping: bool,
}

#[derive(Debug, Clone)]
struct Job {
    queue: String,
    priority: u64,
    work: Value,
}

impl Jobs {
    /// Without any. Whoever waits for one is woken by a stop as well.
    pub fn new(shutdown: &Shutdown) -> Jobs {
        let jobs = Jobs(Arc::default());
        let woken = jobs.clone();
        shutdown.on_stop(move || {
            woken.state().is_stopping = true;
            woken.0.changed.notify_all();
        });
        jobs
    }

    /// One client.
    ///
    /// # Errors
    /// What the connection says.
    pub fn talk(&self, stream: &mut Connection, peer: SocketAddr) -> io::Result<()> {
        let (mut reader, mut line) = (BufReader::new(stream), Vec::new());
        let done = loop {
            match next_line(&mut reader, &mut line) {
                Ok(true) => {}
                Ok(false) => break Ok(()),
                Err(error) => break Err(error),
            }
            let why = |why: &str| json!({ "status": "error", "error": why });
            let reply = match serde_json::from_slice(&line) {
                Ok(request) => self
                    .reply(reader.get_ref(), peer, &request)
                    .unwrap_or_else(|| why("no such request")),
                Err(error) => why(&error.to_string()),
            };
            // It may have waited for the reply for longer than it may be silent.
            reader.get_mut().set_deadline(Deadline::after(IDLE));
            if let Err(error) = reader.get_mut().write_all(format!("{reply}\n").as_bytes()) {
                break Err(error);
            }
        };
        self.give_back(peer, |_| true);
        done
    }

    /// `None` where it is no request.
    fn reply(&self, stream: &Connection, peer: SocketAddr, request: &Value) -> Option<Value> {
        let no_job = || json!({ "status": "no-job" });
        let id = || request.get("id")?.as_u64();
        match request.get("request")?.as_str()? {
            "put" => {
                let queue = request.get("queue")?.as_str()?.to_string();
                let work = request.get("job").filter(|work| work.is_object())?.clone();
                let priority = request.get("pri")?.as_u64()?;
                let id = self.put(Job { queue, priority, work })?;
                Some(json!({ "status": "ok", "id": id }))
            }
            "get" => {
                let queues = request.get("queues")?.as_array()?;
                let queues: Option<Vec<&str>> = queues.iter().map(Value::as_str).collect();
                let waits = request.get("wait").is_some_and(|wait| *wait == Value::Bool(true));
                let waits = || waits && !has_left(stream.get_ref());
                let Some((id, job)) = self.take(peer, &queues?, waits) else {
                    return Some(no_job());
                };
                let Job { queue, priority, work } = job;
                Some(json!({
                    "status": "ok", "id": id, "job": work, "pri": priority, "queue": queue,
                }))
            }
            "delete" => Some(if self.delete(id()?) { json!({ "status": "ok" }) } else { no_job() }),
            "abort" => {
                let id = id()?;
                let given = self.give_back(peer, |other| other == id);
                Some(if given { json!({ "status": "ok" }) } else { no_job() })
            }
            _ => None,
        }
    }

    fn put(&self, job: Job) -> Option<u64> {
        let mut state = self.state();
        if state.jobs.len() >= MOST {
            return None;
        }
        state.last_id += 1;
        let id = state.last_id;
        state.wait_again(id, &job);
        state.jobs.insert(id, job);
        self.0.changed.notify_all();
        Some(id)
    }

    /// The job of the highest priority in any of these queues, waited for as long as `waits`.
    fn take(
        &self,
        peer: SocketAddr,
        queues: &[&str],
        waits: impl Fn() -> bool,
    ) -> Option<(u64, Job)> {
        let mut state = self.state();
        loop {
            let best = queues.iter().filter_map(|queue| state.waiting.get(*queue)?.last()).max();
            if let Some((_, id)) = best.copied() {
                let job = state.jobs.get(&id).cloned()?;
                state.forget_waiting(id, &job);
                state.taken.insert(id, peer);
                return Some((id, job));
            }
            if !waits() || state.is_stopping {
                return None;
            }
            let waited = self.0.changed.wait_timeout(state, LOOK);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn delete(&self, id: u64) -> bool {
        let mut state = self.state();
        let Some(job) = state.jobs.remove(&id) else { return false };
        state.forget_waiting(id, &job);
        state.taken.remove(&id);
        true
    }

    /// Lets those wait again that this client works on and `which` names; whether there were
    /// any.
    fn give_back(&self, peer: SocketAddr, which: impl Fn(u64) -> bool) -> bool {
        let mut state = self.state();
        let theirs = state.taken.iter().filter(|(id, other)| **other == peer && which(**id));
        let ids: Vec<u64> = theirs.map(|(id, _)| *id).collect();
        for id in &ids {
            state.taken.remove(id);
            if let Some(job) = state.jobs.get(id).cloned() {
                state.wait_again(*id, &job);
            }
        }
        self.0.changed.notify_all();
        !ids.is_empty()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn wait_again(&mut self, id: u64, job: &Job) {
        self.waiting.entry(job.queue.clone()).or_default().insert((job.priority, id));
    }

    /// A queue in which nothing waits has no entry, or names would be kept for ever.
    fn forget_waiting(&mut self, id: u64, job: &Job) {
        if let Some(queue) = self.waiting.get_mut(&job.queue) {
            queue.remove(&(job.priority, id));
            if queue.is_empty() {
                self.waiting.remove(&job.queue);
            }
        }
    }
}
