//! nginx on loopback, with one worker, without a log, in a folder of ours.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use ladder::Failure;

/// Ports to try. nginx takes none that the system chooses, and these are not given to
/// clients.
const PORTS: std::ops::Range<u16> = 20_000..28_000;

/// An address that is probably free. When it is not, nginx says so and ends, and
/// another is tried.
pub fn address(attempt: u16) -> SocketAddr {
    let spread = u16::try_from(std::process::id() % 997).unwrap_or(0) * 8 + attempt * 61;
    let port = PORTS.start + spread % (PORTS.end - PORTS.start);
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// Writes the configuration.
pub fn configure(folder: &Path, pages: &Path, address: SocketAddr) -> Result<PathBuf, Failure> {
    let path = folder.join("nginx.conf");
    let (folder, pages) = (folder.display(), pages.display());
    let text = format!(
        "daemon off;
# The process that is started serves, so that its processor time is to be had.
master_process off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr crit;
events {{ worker_connections 8192; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    # The default closes a connection after 1,000 requests.
    keepalive_requests 1000000000;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen {address} backlog=4096;
        root {pages};
    }}
}}
"
    );
    fs::write(&path, text)
        .map_err(|error| Failure::new(format!("cannot write {}: {error}", path.display())))?;
    Ok(path)
}
