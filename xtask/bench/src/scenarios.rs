//! What is measured: the load, and which servers it is for.

use serde::Deserialize;

/// What a server and its clients say to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Speaks {
    /// The same bytes back, over TCP.
    Tcp,
    /// The same datagram back.
    Udp,
    /// The messages of `object-exchange`.
    Object,
    /// HTTP/1.1.
    Http,
    /// The same bytes back, in TLS.
    Tls,
}

/// How many clients a server takes. The order is from few to many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Clients {
    /// One, and then it ends.
    One,
    /// One after the other.
    OneAtATime,
    /// Many at once.
    Many,
}

/// What a rate counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Replies.
    Replies,
    /// Bytes.
    Bytes,
    /// Nothing: the clients are silent, and what counts is what the server does all the
    /// same.
    Nothing,
}

/// One kind of load.
#[derive(Debug)]
pub struct Scenario {
    /// Its name on the command line.
    pub name: &'static str,
    /// What happens, for whoever reads the table.
    pub what: &'static str,
    /// What the servers must speak.
    pub speaks: Speaks,
    /// How many clients they must take.
    pub clients: Clients,
    /// Connections at a time.
    pub connections: usize,
    /// netload's scenario, and its arguments after the address.
    pub load: &'static [&'static str],
    /// The page, where it is one.
    pub page: &'static str,
    /// What the rate counts.
    pub unit: Unit,
    /// Whether server and load share a core. Both are slower then, but neither waits
    /// for the other to be woken, and the ratio is that of the work alone.
    pub one_core: bool,
}

const TCP: Scenario = Scenario {
    name: "",
    what: "",
    speaks: Speaks::Tcp,
    clients: Clients::Many,
    connections: 64,
    load: &["tcp-echo"],
    page: "",
    unit: Unit::Replies,
    one_core: false,
};

const UDP: Scenario = Scenario { speaks: Speaks::Udp, load: &["udp-echo"], ..TCP };

const OBJECT: Scenario = Scenario { speaks: Speaks::Object, load: &["object"], ..TCP };

const TLS: Scenario =
    Scenario { speaks: Speaks::Tls, load: &["tcp-echo", "--tls", "{certs}"], ..TCP };

const HTTP: Scenario = Scenario { speaks: Speaks::Http, load: &["http"], ..TCP };

impl Scenario {
    const fn named(self, name: &'static str, what: &'static str) -> Scenario {
        Scenario { name, what, ..self }
    }

    const fn clients(self, clients: Clients) -> Scenario {
        Scenario { clients, ..self }
    }

    const fn connections(self, connections: usize) -> Scenario {
        Scenario { connections, ..self }
    }

    const fn load(self, load: &'static [&'static str]) -> Scenario {
        Scenario { load, ..self }
    }

    const fn page(self, page: &'static str) -> Scenario {
        Scenario { page, ..self }
    }

    const fn counting(self, unit: Unit) -> Scenario {
        Scenario { unit, ..self }
    }

    const fn on_one_core(self) -> Scenario {
        Scenario { one_core: true, ..self }
    }
}

/// All of them, in the order of the report.
pub const SCENARIOS: [Scenario; 26] = [
    TCP.named("echo-1", "1 connection, 64 bytes, one message in flight")
        .clients(Clients::One)
        .connections(1),
    TCP.named("echo-64", "64 connections, 64 bytes, one message in flight on each"),
    TCP.named("echo-64-one-core", "64 connections, 64 bytes; server and load on one core")
        .on_one_core(),
    TCP.named("echo-64-4k", "64 connections, 4 KiB, one message in flight on each")
        .load(&["tcp-echo", "--size", "4k"]),
    TCP.named("pipelined", "64 connections, 64 bytes, 32 messages in flight on each").load(&[
        "tcp-echo",
        "--in-flight",
        "32",
    ]),
    TCP.named("connect", "a new connection for each message, 4 at a time")
        .clients(Clients::OneAtATime)
        .connections(4)
        .load(&["tcp-connect"]),
    TCP.named("bulk", "one long stream on one connection")
        .clients(Clients::One)
        .connections(1)
        .load(&["tcp-bulk", "--bytes", "1000g"])
        .counting(Unit::Bytes),
    TCP.named("idle", "16 busy connections beside 5,000 idle ones")
        .connections(5000)
        .load(&["tcp-idle", "--active", "16"]),
    TCP.named("rest", "1,000 connections that say nothing, and then SIGTERM")
        .connections(1000)
        .load(&["tcp-idle"])
        .counting(Unit::Nothing),
    UDP.named("udp", "64 datagrams of 64 bytes in flight"),
    UDP.named("udp-256", "256 datagrams of 64 bytes in flight").connections(256),
    UDP.named("udp-many", "1,024 datagrams of 64 bytes in flight, sent many with each call")
        .connections(1024)
        .load(&["udp-echo", "--batch"]),
    OBJECT
        .named(
            "object",
            "1 connection, one typed value in flight; the others echo the same bytes raw",
        )
        .clients(Clients::OneAtATime)
        .connections(1),
    HTTP.named("http-1k-1", "GET of 1 KiB on 1 connection that stays").connections(1).page("/1k"),
    HTTP.named("http-1k", "GET of 1 KiB on 64 connections that stay").page("/1k"),
    HTTP.named(
        "http-1k-one-core",
        "GET of 1 KiB on 64 connections that stay; server and load on one core",
    )
    .page("/1k")
    .on_one_core(),
    HTTP.named(
        "http-1k-idle",
        "GET of 1 KiB on 64 connections that stay, beside 1,000 that have asked once",
    )
    .load(&["http", "--idle", "1000"])
    .page("/1k"),
    HTTP.named("http-100k", "GET of 100 KiB on 64 connections that stay").page("/100k"),
    HTTP.named("http-10m", "GET of 10 MiB on 8 connections that stay")
        .connections(8)
        .page("/10m")
        .counting(Unit::Bytes),
    HTTP.named("http-close", "GET of 1 KiB, a new connection each, 64 at a time")
        .load(&["http", "--close"])
        .page("/1k"),
    HTTP.named(
        "http-close-one-core",
        "GET of 1 KiB, a new connection each, 64 at a time; server and load on one core",
    )
    .load(&["http", "--close"])
    .page("/1k")
    .on_one_core(),
    TLS.named("tls-echo-64", "64 connections in TLS, 64 bytes, one message in flight on each"),
    TLS.named("tls-bulk", "one long stream on one connection in TLS")
        .clients(Clients::One)
        .connections(1)
        .load(&["tcp-bulk", "--bytes", "1000g", "--tls", "{certs}"])
        .counting(Unit::Bytes),
    TLS.named("tls-full", "a new connection with a whole handshake for each message, 4 at a time")
        .connections(4)
        .load(&["tcp-connect", "--tls", "{certs}", "--full"]),
    TLS.named(
        "tls-resumed",
        "a new connection for each message of one who comes back, 4 at a time",
    )
    .connections(4)
    .load(&["tcp-connect", "--tls", "{certs}"]),
    TLS.named("tls-idle", "16 busy connections in TLS beside 1,000 idle ones")
        .connections(1000)
        .load(&["tcp-idle", "--active", "16", "--tls", "{certs}"]),
];

/// The load of the charts: that of `echo-64`, with other numbers of connections.
pub const SWEEP: Scenario = Scenario { name: "connections", ..TCP };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_scenarios_have_one_name() {
        let mut names: Vec<&str> = SCENARIOS.iter().map(|scenario| scenario.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), SCENARIOS.len());
    }
}
