//! Connections: who is let in, how requests come and responses go, and when each ends.

mod access;
#[cfg(target_os = "linux")]
mod acknowledged;
mod auth;
mod conversation;
mod crowd;
#[cfg(target_os = "linux")]
mod defer_accept;
mod door;
mod engine;
mod exchange;
mod handed_over;
mod metrics;
mod pool;
mod server;
mod service;
mod stream;
mod test_client;
#[cfg(feature = "tls")]
mod tls;
#[cfg(not(feature = "tls"))]
#[path = "no_tls.rs"]
mod tls;

pub use self::auth::Guarded;
pub use self::handed_over::handed_over;
pub use self::metrics::{Metrics, Refused};
pub use self::server::{Running, Server};
pub use self::service::{AccessLog, Hosts, Limits};
pub use self::test_client::{TestClient, TestReply, TestRequest};
pub use self::tls::Tls;
