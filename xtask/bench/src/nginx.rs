//! nginx on loopback, with one worker, without a log, in a folder of ours.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use ladder::{Failure, files};

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
    files::write(&path, text)?;
    Ok(path)
}
