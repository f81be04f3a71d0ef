//! How the bucket is found, or made: a stream with the names that every tool of NATS knows a
//! key-value bucket by, so `nats kv get drafts ann` shows what is there.

use std::io;
use std::time::Duration;

use async_nats::jetstream::context::ContextBuilder;
use async_nats::jetstream::stream::{Config, DiscardPolicy, StorageType};
use async_nats::jetstream::{Context, stream::Stream};
use async_nats::{Client, ConnectOptions, ServerAddr};
use tokio::time::{Instant, sleep};

use super::TRY;
use crate::Omnichannel;
use crate::engine::Servers;

/// How long the servers may take at the start, which is when they choose who leads.
pub(super) const START: Duration = Duration::from_secs(30);

/// How often a server that is silent is asked whether it is there.
const PING: Duration = Duration::from_secs(2);

/// After a failure, the next server is tried so much later, and each time by so much more.
const NEXT: Duration = Duration::from_millis(50);

/// Copies of each change, where there are servers for them. One may be lost, and two agree.
const COPIES: usize = 3;

/// A character of JSON has so many bytes at most, as in `\u0000`.
const ESCAPED: usize = 6;

/// Messages of an account beyond those that are asked for: changes that lost are among them,
/// and the oldest that is left could be one, where that which won has just gone.
const MARGIN: u64 = 100;

/// What a key of this bucket begins with, as a subject.
pub(super) fn prefix(bucket: &str) -> String {
    format!("$KV.{bucket}.")
}

/// # Errors
/// When nothing can be reached for the time of a start, or the bucket keeps less than is
/// asked for.
pub(super) async fn open(
    servers: &Servers,
    options: &Omnichannel,
) -> io::Result<(Context, Stream)> {
    let client = connect(servers).await?;
    let most = options.max_text.saturating_mul(ESCAPED).saturating_add(1 << 10);
    let takes = client.server_info().max_payload;
    if most > takes {
        let why = format!("a text may become {most} bytes, and NATS takes {takes}: --max-text");
        return Err(io::Error::other(why));
    }
    let context = ContextBuilder::new().timeout(TRY).ack_timeout(TRY).build(client);
    let history = options.history.max(options.keys).saturating_add(MARGIN);
    let history = history.min(i64::MAX as u64) as i64;
    let copies = if servers.0.len() >= COPIES { COPIES } else { 1 };
    let wanted = Config {
        name: format!("KV_{}", options.bucket),
        subjects: vec![format!("{}>", prefix(&options.bucket))],
        max_messages_per_subject: history,
        discard: DiscardPolicy::New,
        storage: StorageType::File,
        num_replicas: copies,
        // Nobody takes single messages out.
        deny_delete: true,
        // Read from the leader only: another may be behind.
        allow_direct: false,
        ..Config::default()
    };
    let began = Instant::now();
    let stream = loop {
        match context.get_or_create_stream(wanted.clone()).await {
            Ok(stream) => break stream,
            Err(error) if began.elapsed() > START => return Err(io::Error::other(error)),
            Err(error) => log::info!("the bucket is not there yet: {error}"),
        }
        sleep(TRY).await;
    };
    let found = &stream.cached_info().config;
    if found.num_replicas < copies || found.max_messages_per_subject < history {
        let why = format!(
            "it was made for {} copies and {} revisions, and {copies} and {history} are wanted",
            found.num_replicas, found.max_messages_per_subject
        );
        return Err(io::Error::other(why));
    }
    Ok((context, stream))
}

async fn connect(servers: &Servers) -> io::Result<Client> {
    let url = |(host, port): &(String, u16)| format!("nats://{host}:{port}").parse();
    let servers: Vec<ServerAddr> = servers.0.iter().map(url).collect::<Result<_, _>>()?;
    let mut options = ConnectOptions::new()
        .name(env!("CARGO_PKG_NAME"))
        .ping_interval(PING)
        .connection_timeout(TRY)
        .request_timeout(Some(TRY))
        .reconnect_delay_callback(|failures| TRY.min(NEXT * failures.min(100) as u32))
        .event_callback(|event| async move { log::info!("NATS: {event}") });
    if let Ok(token) = std::env::var("NATS_TOKEN") {
        options = options.token(token);
    }
    options.connect(servers).await.map_err(io::Error::other)
}
