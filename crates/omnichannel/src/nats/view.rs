//! The view: every message of the bucket, in order, taken over into a store in memory, which
//! answers those who follow.
//!
//! A consumer is a place in the stream that one server of NATS keeps for us. With that server
//! it is gone; then another one begins behind the last message that is here.

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::Message;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, pull::Config};
use futures_util::StreamExt;
use tokio::time::sleep;

use super::{Engine, Entry, PAUSE};
use crate::message::Change;
use crate::store::Effect;
use crate::writer::News;

/// Silence for twice this long, and the consumer is taken for lost.
const HEARTBEAT: Duration = Duration::from_millis(500);

/// How long one request for more stays open.
const EXPIRES: Duration = Duration::from_secs(10);

/// After so long without us, a consumer is given up by its server.
const INACTIVE: Duration = Duration::from_secs(30);

/// Messages that are taken over together.
const BATCH: usize = 256;

/// For ever, whatever becomes of the server that is asked.
pub(super) async fn follow(engine: Arc<Engine>, news: Arc<News>) {
    loop {
        if let Err(error) = engine.follow_once(&news).await {
            log::info!("the bucket cannot be followed for now: {error}");
        }
        sleep(PAUSE).await;
    }
}

impl Engine {
    async fn follow_once(
        self: &Arc<Engine>,
        news: &News,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        let start_sequence = *self.reached.borrow() + 1;
        let consumer = self.stream.create_consumer(Config {
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence },
            ack_policy: AckPolicy::None,
            inactive_threshold: INACTIVE,
            memory_storage: true,
            num_replicas: 1,
            ..Config::default()
        });
        let consumer = consumer.await?;
        let messages = consumer.stream().max_messages_per_batch(BATCH);
        let messages = messages.heartbeat(HEARTBEAT).expires(EXPIRES).messages().await?;
        let mut messages = messages.ready_chunks(BATCH);
        let mut number = 0;
        while let Some(chunk) = messages.next().await {
            let chunk: Vec<Message> = chunk.into_iter().collect::<Result<_, _>>()?;
            for message in &chunk {
                number += 1;
                // What was lost on the way comes again, from a consumer that begins with it.
                if message.info()?.consumer_sequence != number {
                    return Err("a message is missing".into());
                }
            }
            self.take_over(&chunk)?;
            news.tell(1);
        }
        Ok(())
    }

    fn take_over(
        self: &Arc<Engine>,
        messages: &[Message],
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        let (mut changes, mut keys) = (Vec::new(), Vec::new());
        let mut last = *self.reached.borrow();
        for message in messages {
            last = message.info()?.stream_sequence;
            let account = message.subject.strip_prefix(&self.prefix);
            let entry = serde_json::from_slice::<Entry>(&message.payload);
            let (Some(account), Ok(entry)) = (account, entry) else {
                log::error!("message {last} of the bucket is none of ours");
                continue;
            };
            keys.push((entry.key.clone(), entry.fingerprint));
            let (position, account) = (last, account.to_string());
            changes.push(Change { position, account, draft: entry.draft() });
        }
        let deleted = changes.iter().filter(|change| change.draft.text.is_none());
        let deleted: Vec<_> = deleted.map(|it| (it.account.clone(), it.position)).collect();
        let effect = Effect::Copy { store: self.name, changes, keys };
        self.view.apply(&[&effect]).map_err(io::Error::other)?;
        for (account, position) in deleted {
            // Not one that has lost. Each server does it: one may have been killed before.
            let counts = self.view.changes_of(&account, 0, 0)?;
            if counts.first().is_some_and(|first| first.position == position) {
                let engine = Arc::clone(self);
                tokio::spawn(async move { engine.purge(&account, position).await });
            }
        }
        self.reached.send_replace(last);
        Ok(())
    }
}
