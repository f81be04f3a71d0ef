//! Three servers of NATS that agree by majority.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use ladder::process::output;
use ladder::{Failure, Process, failure, port};
use serde_json::Value;

/// How many there are.
pub const COPIES: usize = 3;

/// How long one may take to start.
const PATIENCE: Duration = Duration::from_secs(30);

/// Of one server: that for clients, that for the others, and that which tells how it is.
type Ports = [u16; 3];

pub struct Cluster {
    folder: PathBuf,
    ports: Vec<Ports>,
    servers: Vec<Process>,
}

/// Its version, where it is installed: `2.9.10`.
pub fn version() -> Option<String> {
    let said = output(Command::new("nats-server").arg("--version")).ok()?;
    said.trim().strip_prefix("nats-server: v").map(String::from)
}

impl Cluster {
    /// Starts all of them, with their files in `folder`.
    pub fn start(folder: PathBuf) -> Result<Cluster, Failure> {
        let ports = (0..COPIES).map(|_| ports()).collect::<Result<_, _>>()?;
        let mut cluster = Cluster { folder, ports, servers: Vec::new() };
        for number in 0..COPIES {
            let server = cluster.server(number)?;
            cluster.servers.push(server);
        }
        Ok(cluster)
    }

    /// As `--engine` has it.
    pub fn address(&self) -> String {
        let clients: Vec<String> =
            self.ports.iter().map(|[clients, ..]| format!("127.0.0.1:{clients}")).collect();
        format!("nats://{}", clients.join(","))
    }

    /// Which of them decides the order of what is written, where one does.
    pub fn leader(&self) -> Option<usize> {
        let told = |[.., tells]: &Ports| {
            let url = format!("http://127.0.0.1:{tells}/jsz?accounts=1&streams=1");
            ureq::get(&url).call().ok()?.body_mut().read_to_string().ok()
        };
        let told: Value = serde_json::from_str(&self.ports.iter().find_map(told)?).ok()?;
        let streams = told["account_details"][0]["stream_detail"].as_array()?;
        let leader = streams.first()?["cluster"]["leader"].as_str()?;
        leader.strip_prefix("nats-")?.parse().ok()
    }

    /// SIGKILL.
    pub fn kill(&self, number: usize) -> Result<(), Failure> {
        self.servers[number].kill();
        self.servers[number].wait_for_end(PATIENCE).map(drop)
    }

    /// Starts one once more, with what it has on the disk.
    pub fn start_again(&mut self, number: usize) -> Result<(), Failure> {
        self.servers[number] = self.server(number)?;
        Ok(())
    }

    fn server(&self, number: usize) -> Result<Process, Failure> {
        let url = |port: u16| format!("nats://127.0.0.1:{port}");
        let routes: Vec<String> = self.ports.iter().map(|[_, others, _]| url(*others)).collect();
        let [clients, others, tells] = self.ports[number];
        let mut command = Command::new("nats-server");
        command.args(["--addr", "127.0.0.1", "--port", &clients.to_string(), "--jetstream"]);
        command.args(["--http_port", &tells.to_string()]);
        command.arg("--store_dir").arg(self.folder.join(number.to_string()));
        command.args(["--name", &format!("nats-{number}"), "--cluster_name", "drafts"]);
        command.args(["--cluster", &url(others), "--routes", &routes.join(",")]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let server = Process::start(&mut command)?;
        let ready = |line: &str| line.contains("Server is ready").then_some(());
        let begun = server.stderr().wait_for_line(PATIENCE, ready);
        begun.map_err(|why| failure!("nats-server does not begin: {why}"))?;
        Ok(server)
    }
}

/// They stay free while a server is killed and started again.
fn ports() -> Result<Ports, Failure> {
    Ok([port::lasting()?, port::lasting()?, port::lasting()?])
}
