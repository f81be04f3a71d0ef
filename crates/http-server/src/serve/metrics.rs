//! What the server has done, in numbers: counted as it happens, and shown in the text form
//! that Prometheus and its relatives read
//! ([exposition format 0.0.4](https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format)).

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use httpcore::Status;
use httpcore::handler::{Handler, Request};
use httpcore::reply::Response;

/// The media type of the text form.
const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Statuses of responses: 200 to 599, as [`Response::with_status`] has it.
const STATUSES: std::ops::Range<u16> = 200..600;

/// Up to how many microseconds a response took, and how the text form has it in seconds.
/// Memory answers in the first, files in the next, and what is behind the last is slow.
const BUCKETS: [(u64, &str); 9] = [
    (100, "0.0001"),
    (500, "0.0005"),
    (1_000, "0.001"),
    (5_000, "0.005"),
    (25_000, "0.025"),
    (100_000, "0.1"),
    (500_000, "0.5"),
    (2_500_000, "2.5"),
    (10_000_000, "10"),
];

/// Why a connection was not let in, or not let stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// Every place was taken: it got 503.
    Full,
    /// It was idle, and made room for another.
    MadeRoom,
    /// There was no descriptor or no memory for it.
    Shortage,
    /// It did not come to speak TLS.
    Handshake,
}

impl Refused {
    const ALL: [Refused; 4] =
        [Refused::Full, Refused::MadeRoom, Refused::Shortage, Refused::Handshake];

    fn name(self) -> &'static str {
        match self {
            Refused::Full => "full",
            Refused::MadeRoom => "made_room",
            Refused::Shortage => "shortage",
            Refused::Handshake => "handshake",
        }
    }
}

/// The counters of one server, which its clones share. They are a [`Handler`] that shows
/// them:
///
/// ```
/// use http_server::{Method, Metrics, Server};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let metrics = Metrics::default();
/// let server = Server::bind("127.0.0.1:0")?
///     .count_in(metrics.clone())
///     .route(Method::Get, "/metrics", metrics)
///     .spawn()?;
/// let text = server.client().get("/metrics").send()?;
/// assert!(text.text().contains("http_connections_accepted_total"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    counters: Arc<Counters>,
}

#[derive(Debug)]
struct Counters {
    accepted: AtomicU64,
    closed: AtomicU64,
    refused: [AtomicU64; Refused::ALL.len()],
    responses: Vec<AtomicU64>,
    bytes: AtomicU64,
    microseconds: AtomicU64,
    /// How many were as fast as a bucket asks for, and no bucket before it.
    took: [AtomicU64; BUCKETS.len()],
}

impl Default for Counters {
    fn default() -> Counters {
        Counters {
            accepted: AtomicU64::new(0),
            closed: AtomicU64::new(0),
            refused: Default::default(),
            responses: STATUSES.map(|_| AtomicU64::new(0)).collect(),
            bytes: AtomicU64::new(0),
            microseconds: AtomicU64::new(0),
            took: Default::default(),
        }
    }
}

impl Metrics {
    /// A connection has been accepted.
    pub fn accepted(&self) {
        add(&self.counters.accepted, 1);
    }

    /// An accepted connection has ended, for whatever reason.
    pub fn closed(&self) {
        add(&self.counters.closed, 1);
    }

    /// A connection has been refused, or ended for another's sake.
    pub fn refused(&self, why: Refused) {
        add(&self.counters.refused[why as usize], 1);
    }

    /// A response has been sent, or as much of it as its client took: so many bytes of
    /// content, and so much time since its request was whole.
    pub fn response(&self, status: Status, bytes: u64, took: Duration) {
        if let Some(count) = status.0.checked_sub(STATUSES.start).map(usize::from)
            && let Some(count) = self.counters.responses.get(count)
        {
            add(count, 1);
        }
        add(&self.counters.bytes, bytes);
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        add(&self.counters.microseconds, took);
        if let Some(bucket) = BUCKETS.iter().position(|(most, _)| took <= *most) {
            add(&self.counters.took[bucket], 1);
        }
    }

    /// All of it in the text form. What happens meanwhile is in it or not.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // In this order: a connection that is closed meanwhile was accepted before.
        let closed = self.counters.closed.load(Ordering::Acquire);
        let accepted = self.counters.accepted.load(Ordering::Acquire);
        let mut table = |name: &str, kind: &str, help: &str, lines: &[(String, String)]| {
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
            for (rest, value) in lines {
                let _ = writeln!(text, "{name}{rest} {value}");
            }
        };
        let alone = |value: u64| [(String::new(), value.to_string())];
        table(
            "http_connections_accepted_total",
            "counter",
            "Connections that were accepted.",
            &alone(accepted),
        );
        table(
            "http_connections_open",
            "gauge",
            "Connections that are open now.",
            &alone(accepted.saturating_sub(closed)),
        );
        let refused = Refused::ALL.map(|why| {
            let count = self.counters.refused[why as usize].load(Ordering::Relaxed);
            (format!("{{reason=\"{}\"}}", why.name()), count.to_string())
        });
        table(
            "http_connections_refused_total",
            "counter",
            "Connections that were refused, or ended to make room.",
            &refused,
        );
        let mut all = 0;
        let mut responses = Vec::new();
        for (status, count) in STATUSES.zip(&self.counters.responses) {
            let count = count.load(Ordering::Relaxed);
            if count > 0 {
                responses.push((format!("{{status=\"{status}\"}}"), count.to_string()));
                all += count;
            }
        }
        table("http_responses_total", "counter", "Responses by status.", &responses);
        table(
            "http_response_content_bytes_total",
            "counter",
            "Bytes of content that were sent.",
            &alone(self.counters.bytes.load(Ordering::Relaxed)),
        );
        let mut lines = Vec::new();
        let mut fast = 0;
        for ((_, most), count) in BUCKETS.iter().zip(&self.counters.took) {
            fast += count.load(Ordering::Relaxed);
            lines.push((format!("_bucket{{le=\"{most}\"}}"), fast.to_string()));
        }
        // Of responses that are being counted right now, one number may be behind the other.
        let all = all.max(fast);
        let microseconds = self.counters.microseconds.load(Ordering::Relaxed);
        lines.push(("_bucket{le=\"+Inf\"}".into(), all.to_string()));
        lines.push((
            "_sum".into(),
            format!("{}.{:06}", microseconds / 1_000_000, microseconds % 1_000_000),
        ));
        lines.push(("_count".into(), all.to_string()));
        table(
            "http_response_duration_seconds",
            "histogram",
            "From a whole request to the end of its response.",
            &lines,
        );
        text
    }
}

impl Handler for Metrics {
    fn respond(&self, _: &mut Request<'_>) -> Response {
        Response::bytes(MEDIA_TYPE, self.text().into_bytes()).header("Cache-Control", "no-store")
    }
}

fn add(count: &AtomicU64, n: u64) {
    // Release: whoever sees that a connection was closed sees that it was accepted.
    count.fetch_add(n, Ordering::Release);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_a_counter_of_its_own() {
        let metrics = Metrics::default();
        for (place, why) in Refused::ALL.into_iter().enumerate() {
            for _ in 0..=place {
                metrics.refused(why);
            }
        }
        let text = metrics.text();
        for (place, why) in Refused::ALL.into_iter().enumerate() {
            let line = format!("refused_total{{reason=\"{}\"}} {}\n", why.name(), place + 1);
            assert!(text.contains(&line), "{text}");
        }
    }

    #[test]
    fn what_is_counted_is_in_the_text() {
        let metrics = Metrics::default();
        metrics.accepted();
        metrics.accepted();
        metrics.closed();
        metrics.response(Status::OK, 10, Duration::from_micros(100));
        metrics.response(Status::OK, 20, Duration::from_micros(101));
        metrics.response(Status::NOT_FOUND, 0, Duration::from_secs(60));
        let text = metrics.text();
        for line in [
            "# TYPE http_connections_accepted_total counter\nhttp_connections_accepted_total 2\n",
            "# TYPE http_connections_open gauge\nhttp_connections_open 1\n",
            "http_responses_total{status=\"200\"} 2\nhttp_responses_total{status=\"404\"} 1\n",
            "\nhttp_response_content_bytes_total 30\n",
            "# TYPE http_response_duration_seconds histogram\n",
            "_bucket{le=\"0.0001\"} 1\n",
            "_bucket{le=\"0.0005\"} 2\n",
            "_bucket{le=\"10\"} 2\n",
            "_bucket{le=\"+Inf\"} 3\n",
            "\nhttp_response_duration_seconds_sum 60.000201\n",
            "\nhttp_response_duration_seconds_count 3\n",
        ] {
            assert!(text.contains(line), "{line}{text}");
        }
    }

    #[test]
    fn every_line_is_a_comment_or_a_name_with_a_number() {
        let metrics = Metrics::default();
        metrics.response(Status(599), u64::MAX, Duration::MAX);
        // What is no status of a response is in no table, and no panic.
        metrics.response(Status(0), 0, Duration::ZERO);
        metrics.response(Status(600), 0, Duration::ZERO);
        for line in metrics.text().lines() {
            let (name, value) = line.rsplit_once(' ').unwrap();
            let is_comment = line.starts_with("# HELP http_") || line.starts_with("# TYPE http_");
            assert!(
                is_comment || (name.starts_with("http_") && value.parse::<f64>().is_ok()),
                "{line}"
            );
        }
    }
}
