//! The engine of more than one machine: a bucket of JetStream, in which each account is a key
//! and each change a message.
//!
//! The bucket is one **log**: all servers see its messages in one order, which a majority of
//! NATS has agreed on. Each of ours takes them over into a **view**, a store in memory
//! (`nats/view.rs`), and of two changes that replace the same revision the first in the log
//! counts, so all come to the same. A change is acknowledged when NATS has acknowledged it
//! *and* the view says that it counts.
//!
//! It is published with the number of the message that it replaces, and NATS refuses it where
//! there is a later one. That keeps almost all changes that lose out of the log, and is not
//! enough: before 2.10, NATS let in two of them that came at once.
//!
//! Where an ack is lost, nobody knows what has become of the change; but its key is in the
//! same message, so the view will tell, or it is done again.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use async_nats::jetstream::context::PublishErrorKind::WrongLastSequence;
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::LastRawMessageErrorKind::NoMessageFound;
use async_nats::jetstream::{Context, stream::Stream};
use netcore::Error;
use serde::{Deserialize, Serialize};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Semaphore, watch};
use tokio::time::{sleep, timeout};

use crate::Omnichannel;
use crate::engine::Servers;
use crate::message::Draft;
use crate::metrics::Metrics;
use crate::service::Service;
use crate::store::{Asked, Effect, Kept, Outcome, Place, Store, Verdict};
use crate::tokens::Tokens;
use crate::writer::{Job, News, Writer};

mod bucket;
mod view;

/// How long one operation may take, tries and all: less than a client waits. Past it, whether
/// the change took place is not known, and who asks again with its key will hear.
const PATIENCE: Duration = Duration::from_secs(4);

/// How long one question to NATS may take. While its servers choose a leader, none is answered.
const TRY: Duration = Duration::from_secs(1);

/// Between two tries.
const PAUSE: Duration = Duration::from_millis(20);

/// Changes on their way at once; more wait in the queue.
const AT_ONCE: u32 = 256;

/// One message of the bucket: a draft, and the request that has made it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    revision: u64,
    text: Option<String>,
    key: String,
    fingerprint: u64,
}

/// The bucket, and the view of it.
struct Engine {
    context: Context,
    stream: Stream,
    /// What a key begins with, as a subject.
    prefix: String,
    view: Arc<Store>,
    /// The name of the store that the bucket is, the same for all servers on it.
    name: u64,
    /// Up to which message the view has everything.
    reached: watch::Sender<u64>,
    slow: Duration,
}

/// Finds the bucket, or makes it, and waits until everything in it is in the view.
///
/// # Errors
/// When there is no majority of the servers, or the bucket does not keep what is asked for.
pub fn open(servers: &Servers, options: Omnichannel, tokens: Tokens) -> Result<Service, Error> {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.map_err(Error::failed("start a runtime"))?;
    let attempted = format!("use the bucket {} of NATS", options.bucket);
    let found = runtime.block_on(bucket::open(servers, &options));
    let (context, stream) = found.map_err(Error::failed(&attempted))?;
    let name = stream.cached_info().created.unix_timestamp_nanos() as u64;
    let kept = Kept { revisions: options.history, keys: options.keys };
    let place = Place { file: None, slow: Duration::ZERO, name: Some(name) };
    let view = Store::open(place, kept).map_err(Error::failed("keep a view in memory"))?;
    let (prefix, slow) = (bucket::prefix(&options.bucket), options.slow_commit.unwrap_or_default());
    let (reached, mut seen) = watch::channel(0);
    let (handle, last) = (runtime.handle().clone(), stream.cached_info().state.last_sequence);
    let service = Service::new(options, tokens, view, |view, metrics| {
        let engine = Engine { context, stream, prefix, view, name, reached, slow };
        Writer::begin(move |queue, news| write(&queue, news, Arc::new(engine), &metrics, &runtime))
    });
    let service = service.map_err(Error::failed("start a thread that writes"))?;
    let all = handle.block_on(async {
        timeout(bucket::START, seen.wait_for(|reached| *reached >= last)).await.is_ok()
    });
    match all {
        true => Ok(service),
        false => Err(Error::failed(attempted)(ErrorKind::TimedOut.into())),
    }
}

/// What the thread that writes does here: it waits for no change, but for those on their way.
fn write(
    queue: &Receiver<Job>,
    news: Arc<News>,
    engine: Arc<Engine>,
    metrics: &Arc<Metrics>,
    runtime: &Runtime,
) {
    runtime.spawn(view::follow(Arc::clone(&engine), news));
    let permits = Arc::new(Semaphore::new(AT_ONCE as usize));
    while let Ok(Job { effect, done }) = queue.recv() {
        let Ok(permit) = runtime.block_on(Arc::clone(&permits).acquire_owned()) else { return };
        let (engine, metrics) = (Arc::clone(&engine), Arc::clone(metrics));
        runtime.spawn(async move {
            let outcome = engine.perform(&effect, &metrics).await;
            if let Ok(outcome) = &outcome {
                metrics.answered(std::slice::from_ref(outcome));
            }
            done(outcome);
            drop(permit);
        });
    }
    // What was begun is ended.
    drop(runtime.block_on(permits.acquire_many(AT_ONCE)));
}

impl Engine {
    async fn perform(&self, effect: &Effect, metrics: &Metrics) -> io::Result<Outcome> {
        let outcome = async {
            match effect {
                Effect::Look { account } => Ok(Outcome::Found(self.draft(account).await?)),
                Effect::Replace { account, key, revision, text } => {
                    // One that nobody has named is known by its key as well, for our own tries.
                    let by_chance = || format!("-{:016x}", netcore::request::random());
                    let key = &key.clone().unwrap_or_else(by_chance);
                    let (text, revision) = (text.as_deref(), *revision);
                    let asked = Asked { account, key: Some(key), revision, text };
                    sleep(self.slow).await;
                    self.replace(&asked, key, metrics).await
                }
                // No server of NATS is a replica of another store.
                Effect::Copy { .. } => Ok(Outcome::OtherStore),
            }
        };
        let late = |_| Err(io::Error::new(ErrorKind::TimedOut, "no majority of NATS answers"));
        timeout(PATIENCE, outcome).await.unwrap_or_else(late)
    }

    /// The last of what was acknowledged, whichever server was told.
    async fn draft(&self, account: &str) -> io::Result<Draft> {
        self.wait_for(self.last(account).await).await;
        self.view.draft(account)
    }

    /// Until it is known what has become of it: done, or not to be done.
    async fn replace(
        &self,
        asked: &Asked<'_>,
        key: &str,
        metrics: &Metrics,
    ) -> io::Result<Outcome> {
        let entry = Entry {
            revision: asked.revision + 1,
            text: asked.text.map(String::from),
            key: key.into(),
            fingerprint: asked.fingerprint(),
        };
        // The last message of the account, as far as it was asked for.
        let mut last = 0;
        loop {
            let expected = match self.view.judge(asked)? {
                Verdict::Replaces(position) => position.max(last),
                Verdict::Settled(outcome @ Outcome::Conflict(_)) => {
                    let seen = *self.reached.borrow();
                    last = self.last(asked.account).await;
                    if last <= seen {
                        return Ok(outcome);
                    }
                    // The view is behind, and was asked too early.
                    self.wait_for(last).await;
                    continue;
                }
                Verdict::Settled(outcome) => return Ok(outcome),
            };
            match self.publish(asked.account, &entry, expected).await {
                Ok(sequence) => {
                    metrics.committed();
                    last = sequence;
                }
                Err(error) => {
                    // Another was faster; or it was this one, whose ack was lost.
                    log::info!("a change is looked for in the bucket: {error}");
                    sleep(PAUSE).await;
                    last = self.last(asked.account).await;
                }
            }
            // Whether it counts is known when the view has it.
            self.wait_for(last).await;
        }
    }

    /// Returns when a majority has it.
    async fn publish(&self, account: &str, entry: &Entry, expected: u64) -> io::Result<u64> {
        let body = serde_json::to_vec(entry)?;
        let mut message = PublishMessage::build().payload(body.into());
        // Of 0, "there is none yet", the servers of NATS before 2.10.19 may come to think
        // differently (nats-server issue 5644). The log decides that as well.
        if expected > 0 {
            message = message.expected_last_subject_sequence(expected);
        }
        let sent = self.context.send_publish(self.subject(account), message).await;
        let ack = match sent {
            Ok(ack) => ack.await,
            Err(error) => Err(error),
        };
        ack.map(|ack| ack.sequence).map_err(|error| match error.kind() {
            WrongLastSequence => io::Error::other("another was faster"),
            _ => io::Error::other(error),
        })
    }

    /// The last message of this account, as its leader has it; 0 where there is none. Asks
    /// until there is an answer.
    async fn last(&self, account: &str) -> u64 {
        loop {
            match self.stream.get_last_raw_message_by_subject(&self.subject(account)).await {
                Ok(message) => return message.sequence,
                Err(error) if error.kind() == NoMessageFound => return 0,
                Err(error) => log::debug!("the bucket was not read: {error}"),
            }
            sleep(PAUSE).await;
        }
    }

    /// Nothing stays of what the account had before this message, on any server of NATS.
    async fn purge(&self, account: &str, sequence: u64) {
        let subject = self.subject(account);
        while let Err(error) = self.stream.purge().filter(&subject).sequence(sequence).await {
            log::warn!("what was deleted is not gone yet: {error}");
            sleep(TRY).await;
        }
    }

    fn subject(&self, account: &str) -> String {
        format!("{}{account}", self.prefix)
    }

    async fn wait_for(&self, sequence: u64) {
        let mut seen = self.reached.subscribe();
        let _ = seen.wait_for(|reached| *reached >= sequence).await;
    }
}

impl Entry {
    fn draft(self) -> Draft {
        Draft { revision: self.revision, text: self.text }
    }
}
