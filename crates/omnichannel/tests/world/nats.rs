//! Three servers of NATS, real ones, where they are installed.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{LazyLock, Mutex};
use std::thread;

/// Starts the server, and ends it and removes its folder when nobody holds our end of its
/// input any more, however we have ended.
const UNTIL_LET_GO: &str = "folder=$1; shift; \"$@\" & echo $!; cat >/dev/null
    kill -9 $! 2>/dev/null; wait; rm -rf \"$folder\"";

/// How many there are.
pub const COPIES: usize = 3;

/// Servers that agree by majority. They end with this.
pub struct Cluster {
    folder: PathBuf,
    /// Of each, that for clients and that for the other two.
    ports: Vec<[u16; 2]>,
    ids: [String; COPIES],
    /// Also of those that were killed and started once more.
    shells: Vec<Child>,
}

/// Whether there is such a program here.
pub static IS_HERE: LazyLock<bool> = LazyLock::new(|| {
    let told = Command::new("nats-server").arg("--version").stdin(Stdio::null()).output();
    told.is_ok_and(|told| told.status.success())
});

/// As `--engine` has it, of servers that all tests of this program share.
pub fn shared() -> String {
    static SHARED: LazyLock<Mutex<Cluster>> = LazyLock::new(|| Mutex::new(Cluster::start()));
    SHARED.lock().unwrap().address()
}

impl Cluster {
    pub fn start() -> Cluster {
        // Held all at once, so that no two are alike.
        let free = || [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let held: Vec<[TcpListener; 2]> = (0..COPIES).map(|_| free()).collect();
        let port = |held: &TcpListener| held.local_addr().unwrap().port();
        let ports = held.iter().map(|held| held.each_ref().map(port)).collect();
        drop(held);
        let folder = tempfile::tempdir().unwrap().keep();
        let (ids, shells) = ([(); COPIES].map(|()| String::new()), Vec::new());
        let mut cluster = Cluster { folder, ports, ids, shells };
        (0..COPIES).for_each(|number| cluster.run(number));
        cluster
    }

    pub fn address(&self) -> String {
        let clients: Vec<String> =
            self.ports.iter().map(|[clients, _]| format!("127.0.0.1:{clients}")).collect();
        format!("nats://{}", clients.join(","))
    }

    /// Starts this one, also once more after it was killed.
    pub fn run(&mut self, number: usize) {
        let url = |port: u16| format!("nats://127.0.0.1:{port}");
        let routes: Vec<String> = self.ports.iter().map(|[_, others]| url(*others)).collect();
        let [clients, others] = self.ports[number];
        let mut command = Command::new("sh");
        command.args(["-c", UNTIL_LET_GO, "sh"]).arg(&self.folder).arg("nats-server");
        command.args(["--addr", "127.0.0.1", "--port", &clients.to_string(), "--jetstream"]);
        command.arg("--store_dir").arg(self.folder.join(number.to_string()));
        command.args(["--name", &format!("nats-{number}"), "--cluster_name", "drafts"]);
        command.args(["--cluster", &url(others), "--routes", &routes.join(",")]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut shell = command.spawn().unwrap();
        let mut id = String::new();
        BufReader::new(shell.stdout.take().unwrap()).read_line(&mut id).unwrap();
        self.ids[number] = id.trim().into();
        let mut log = BufReader::new(shell.stderr.take().unwrap()).lines().map_while(Result::ok);
        self.shells.push(shell);
        assert!(log.any(|line| line.contains("Server is ready")), "nats-server does not begin");
        // Or it would wait for somebody to read.
        thread::spawn(move || log.for_each(drop));
    }

    /// `kill -9`.
    pub fn kill(&mut self, number: usize) {
        let killed = Command::new("kill").args(["-9", &self.ids[number]]).status();
        assert!(killed.unwrap().success());
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // First all of them, since the last one takes the folder with it.
        self.shells.iter_mut().for_each(|shell| drop(shell.stdin.take()));
        self.shells.iter_mut().for_each(|shell| drop(shell.wait()));
    }
}
