//! What has happened, in numbers: what `/metrics` shows, in the
//! [text form of Prometheus](https://prometheus.io/docs/instrumenting/exposition_formats/). No name and no text of
//! anybody is in it.

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::store::Outcome;

/// A way to the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// Frames over TCP.
    Tcp,
    /// Datagrams.
    Udp,
    /// HTTP.
    Http,
}

/// The counters, from the start of the server on.
#[derive(Debug, Default)]
pub struct Metrics {
    requests: [AtomicU64; 3],
    not_proven: [AtomicU64; 3],
    followers: [AtomicU64; 3],
    commits: AtomicU64,
    done: AtomicU64,
    conflicts: AtomicU64,
}

impl Metrics {
    /// A request has come, whatever becomes of it.
    pub fn asked(&self, channel: Channel) {
        self.requests[channel as usize].fetch_add(1, Relaxed);
    }

    /// Its token proved nothing.
    pub fn not_proven(&self, channel: Channel) {
        self.not_proven[channel as usize].fetch_add(1, Relaxed);
    }

    /// Somebody follows, until what this returns is dropped.
    pub fn counted(self: &Arc<Metrics>, channel: Channel) -> Follower {
        self.followers[channel as usize].fetch_add(1, Relaxed);
        Follower { metrics: Arc::clone(self), channel }
    }

    /// One commit is on the disk.
    pub fn committed(&self) {
        self.commits.fetch_add(1, Relaxed);
    }

    /// What has become of changes that were asked for.
    pub fn answered(&self, outcomes: &[Outcome]) {
        for outcome in outcomes {
            match outcome {
                Outcome::Done(_) => self.done.fetch_add(1, Relaxed),
                Outcome::Found(_) => continue,
                _ => self.conflicts.fetch_add(1, Relaxed),
            };
        }
    }

    /// The page, with the position of the last change of the store.
    pub fn page(&self, position: u64) -> String {
        let mut page = String::new();
        let mut table = |name: &str, kind: &str, help: &str, rows: &[(&str, u64)]| {
            let _ = writeln!(page, "# HELP {name} {help}\n# TYPE {name} {kind}");
            for (labels, value) in rows {
                let _ = writeln!(page, "{name}{labels} {value}");
            }
        };
        let by_channel = |counters: &[AtomicU64; 3]| {
            let label = |name| ["{channel=\"", name, "\"}"].concat();
            let names = ["tcp", "udp", "http"].map(label);
            let values = [0, 1, 2].map(|at| counters[at].load(Relaxed));
            names.into_iter().zip(values).collect::<Vec<_>>()
        };
        for (name, kind, help, counters) in [
            ("omnichannel_requests_total", "counter", "Requests.", &self.requests),
            (
                "omnichannel_not_proven_total",
                "counter",
                "Requests whose token proves no account.",
                &self.not_proven,
            ),
            ("omnichannel_followers", "gauge", "Who follows now.", &self.followers),
        ] {
            let rows = by_channel(counters);
            let rows: Vec<(&str, u64)> = rows.iter().map(|(a, b)| (a.as_str(), *b)).collect();
            table(name, kind, help, &rows);
        }
        for (name, kind, help, value) in [
            ("omnichannel_commits_total", "counter", "Commits.", self.commits.load(Relaxed)),
            (
                "omnichannel_done_total",
                "counter",
                "Changes done, also when they came again.",
                self.done.load(Relaxed),
            ),
            (
                "omnichannel_conflicts_total",
                "counter",
                "Changes not done: another revision, or key.",
                self.conflicts.load(Relaxed),
            ),
            ("omnichannel_position", "gauge", "Changes in the store so far.", position),
        ] {
            table(name, kind, help, &[("", value)]);
        }
        page
    }
}

/// One who follows, counted while it is there.
#[derive(Debug)]
pub struct Follower {
    metrics: Arc<Metrics>,
    channel: Channel,
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.metrics.followers[self.channel as usize].fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_of_lines_that_a_collector_reads() {
        let metrics = Arc::new(Metrics::default());
        metrics.asked(Channel::Udp);
        let _stays = metrics.counted(Channel::Http);
        drop(metrics.counted(Channel::Http));
        metrics.answered(&[Outcome::Done(1), Outcome::KeyReused]);
        let page = metrics.page(7);
        for line in [
            "omnichannel_requests_total{channel=\"tcp\"} 0",
            "omnichannel_requests_total{channel=\"udp\"} 1",
            "omnichannel_followers{channel=\"http\"} 1",
            "omnichannel_done_total 1",
            "omnichannel_conflicts_total 1",
            "omnichannel_position 7",
        ] {
            assert!(page.lines().any(|it| it == line), "{line} is not in {page}");
        }
    }
}
