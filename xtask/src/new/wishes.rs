//! What people want that is no rung: where each of them begins.

use ladder::{Failure, Ladder};

/// Words that are typed, the rung to begin with, why, and a page that goes on from there.
const WISHES: [(&[&str], &str, &str, &str); 16] = [
    (
        &["key-value", "keyvalue", "kv", "store", "redis", "cache", "memcached", "database", "db"],
        "framed-echo",
        "a map behind a lock in the service, and a command in each message",
        "example-key-value.md",
    ),
    (
        &["websocket", "websockets", "ws", "sse", "push", "live"],
        "http-server",
        "a handler that returns `Response::stream` sends what happens to a browser as it happens \
         (server-sent events); no rung speaks WebSocket, for which the crate tungstenite is there",
        "http-server.md",
    ),
    (
        &["proxy", "gateway", "forwarder", "tunnel", "load-balancer", "loadbalancer", "mitm"],
        "threaded-echo",
        "each visit opens a second connection, and two threads copy, one for each direction",
        "architectures.md",
    ),
    (
        &["broker", "pubsub", "pub-sub", "mqtt", "bus", "events", "notifications", "irc"],
        "chat",
        "a room for each topic: what one says all of them hear, and whoever is slow is dropped",
        "chat.md",
    ),
    (
        &["queue", "task-queue", "jobs", "job-queue", "tasks", "worker", "workers", "scheduler"],
        "object-exchange",
        "put, take and done as typed requests, with the queue behind a lock in the service",
        "example-task-queue.md",
    ),
    (
        &["metrics", "statsd", "collector", "telemetry", "logs", "logger", "syslog", "sensor"],
        "udp-echo",
        "a datagram for each value, which may be lost; udp-batch for tens of thousands a second",
        "example-metrics-receiver.md",
    ),
    (
        &["shortener", "url-shortener", "rest", "rest-api", "json", "web", "webapp", "crud"],
        "http-handlers",
        "a handler is a function that returns a value",
        "example-url-shortener.md",
    ),
    (
        &["site", "website", "blog", "static", "spa", "webserver", "web-server"],
        "http-server",
        "files of a folder, and handlers beside them",
        "http-server-guide.md",
    ),
    (
        &["bot", "chat-bot", "chatbot"],
        "chat",
        "a program that is a member of the room, reads lines and says some",
        "example-chat-bot.md",
    ),
    (
        &["rpc", "grpc", "json-rpc", "protobuf", "pickle", "serde"],
        "object-exchange",
        "both ends know the types, and bytes can become nothing else",
        "object-exchange.md",
    ),
    (
        &["ftp", "uploads", "uploader", "file-transfer", "files-server", "webdav", "backup"],
        "http-upload",
        "a body of any length, and where it ends",
        "http-upload.md",
    ),
    (
        &["dns", "ntp", "time", "clock", "game", "discovery"],
        "udp-retry",
        "a question and its answer are one short message each",
        "example-clock-service.md",
    ),
    (
        &["smtp", "mail", "pop3", "line", "lines", "telnet", "command", "protocol"],
        "chat",
        "a protocol of lines, with a bound on each: `netcore::lines` and `server.rs`",
        "chat.md",
    ),
    (
        &["p2p", "cluster", "raft", "consensus", "peer", "mesh", "membership"],
        "gossip",
        "no server, and all come to know what one knows; who wants one order of things needs more",
        "gossip.md",
    ),
    (
        &["vpn", "ssl", "https", "mtls", "encrypted", "secure", "ssh"],
        "tls-echo",
        "certificates on both sides; `http-server` has TLS of its own",
        "tls-echo.md",
    ),
    (
        &["crawler", "scraper", "client", "webhook", "downloader"],
        "api-client",
        "what to ask again, how often, and when to stop",
        "api-client.md",
    ),
];

/// Where somebody begins who wants this; `None` for what nobody has thought of.
pub fn answer(ladder: &Ladder, wish: &str) -> Option<Failure> {
    let wish = wish.to_lowercase().replace(['_', ' '], "-");
    let (_, name, why, page) = WISHES.iter().find(|(words, ..)| words.contains(&wish.as_str()))?;
    let alias = ladder.find(name).map_or(*name, |rung| &rung.alias);
    Some(Failure::Usage(format!(
        "no rung is called {wish:?}, but {name} is where one begins: {}\n\
         hint: cargo xtask new {alias} ../my-{wish}, and docs/{page} goes on from there",
        why.replace('`', "")
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wish_leads_to_a_rung_and_a_page_that_there_are_and_no_word_is_a_rung() {
        let ladder = Ladder::load().unwrap();
        for (words, name, _, page) in WISHES {
            assert!(ladder.find(name).is_some(), "{name}");
            assert!(ladder.root.join("docs").join(page).is_file(), "{page}");
            for word in words {
                assert!(ladder.find(word).is_none(), "{word} is a rung");
            }
        }
    }

    #[test]
    fn a_wish_is_wrong_usage_and_told_where_to_begin() {
        let ladder = Ladder::load().unwrap();
        let Some(Failure::Usage(told)) = answer(&ladder, "Task_Queue") else { panic!("no answer") };
        assert!(told.contains("cargo xtask new object ../my-task-queue"), "{told}");
        assert!(answer(&ladder, "timeot").is_none());
    }
}
