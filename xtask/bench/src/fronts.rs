//! Programs that encrypt for one that does not: they stand in front of `threaded-echo`, in a
//! folder of ours.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use ladder::{Failure, files};
use serde::Deserialize;

/// Where Debian has the part of nginx that is not HTTP.
const STREAM: &str = "/usr/lib/nginx/modules/ngx_stream_module.so";

/// Which one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Front {
    /// stunnel.
    Stunnel,
    /// HAProxy with one thread.
    Haproxy,
    /// nginx with one worker.
    Nginx,
}

impl Front {
    /// Its program.
    pub fn program(self) -> &'static str {
        match self {
            Front::Stunnel => "stunnel",
            Front::Haproxy => "haproxy",
            Front::Nginx => "nginx",
        }
    }

    /// What shows that it is there, and ends at once.
    pub fn look(self) -> &'static str {
        match self {
            Front::Stunnel => "-version",
            Front::Haproxy | Front::Nginx => "-v",
        }
    }

    /// Writes the configuration; what the program is started with.
    pub fn configure(
        self,
        folder: &Path,
        certs: &Path,
        from: SocketAddr,
        to: SocketAddr,
    ) -> Result<Vec<String>, Failure> {
        let path = folder.join(format!("{}-tls.conf", self.program()));
        let (pem, key) = (certs.join("server.pem"), certs.join("server.key"));
        let (pem_path, key_path) = (pem.display(), key.display());
        let text = match self {
            Front::Stunnel => format!(
                "foreground = yes\npid =\ndebug = 0\nsocket = l:TCP_NODELAY=1\nsocket = r:TCP_NODELAY=1\n\
                 [echo]\naccept = {from}\nconnect = {to}\ncert = {pem_path}\nkey = {key_path}\n"
            ),
            Front::Haproxy => {
                let both = both(folder, &pem, &key)?;
                format!(
                    "global\n  nbthread 1\ndefaults\n  mode tcp\n  timeout connect 5s\n  \
                     timeout client 10m\n  timeout server 10m\nlisten echo\n  bind {from} ssl crt {} \
                     backlog 4096\n  server one {to}\n",
                    both.display()
                )
            }
            Front::Nginx => {
                let own = folder.display();
                let module = match Path::new(STREAM).exists() {
                    true => format!("load_module {STREAM};\n"),
                    false => String::new(),
                };
                format!(
                    "{module}daemon off;\nmaster_process off;\nworker_processes 1;\npid {own}/nginx-tls.pid;\n\
                     error_log stderr crit;\nevents {{ worker_connections 16384; }}\nstream {{\n  server {{\n    \
                     listen {from} ssl backlog=4096;\n    ssl_certificate {pem_path};\n    \
                     ssl_certificate_key {key_path};\n    ssl_session_cache shared:echo:10m;\n    \
                     tcp_nodelay on;\n    proxy_pass {to};\n  }}\n}}\n"
                )
            }
        };
        files::write(&path, text)?;
        let path = path.display().to_string();
        Ok(match self {
            Front::Stunnel => vec![path],
            Front::Haproxy => vec!["-db".into(), "-f".into(), path],
            Front::Nginx => vec!["-p".into(), folder.display().to_string(), "-c".into(), path],
        })
    }
}

/// HAProxy takes a certificate and its key in one file.
fn both(folder: &Path, pem: &Path, key: &Path) -> Result<PathBuf, Failure> {
    let path = folder.join("server-both.pem");
    files::write(&path, files::read(pem)? + &files::read(key)?)?;
    Ok(path)
}
