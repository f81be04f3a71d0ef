//! A program that updates itself, seen from outside: our own web server has the releases,
//! and a publisher signs them with the tool that a reader would use.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ladder_tests::http::HttpServer;
use ladder_tests::{Process, Rung, binaries, rungs_in};

/// A publisher with a key, a web server with its releases, and a program in a folder.
struct Scene {
    folder: tempfile::TempDir,
    publisher: PathBuf,
    web: HttpServer,
}

impl Scene {
    fn new(rung: &Rung) -> Scene {
        let releases = rung.releases.as_ref().expect("its manifest names its releases");
        let publisher = binaries::example(&rung.name, &releases.publisher);
        // Where it was built: a second name needs the same file system. A copy would be open
        // for writing while another test starts a process, which then has it open as well.
        let program = binaries::executable(&rung.name);
        let near = program.parent().expect("it is in a folder");
        let folder = tempfile::tempdir_in(near).expect("a folder can be made");
        fs::create_dir(folder.path().join("site")).expect("a folder can be made");
        fs::hard_link(program, folder.path().join("server")).expect("it can have two names");
        let site = folder.path().join("site");
        let web = HttpServer::start(&[site.to_str().expect("it is text")]);
        let scene = Scene { folder, publisher, web };
        scene.publish(&["key", "publisher"]);
        scene
    }

    fn publish(&self, args: &[&str]) {
        let mut command = Command::new(&self.publisher);
        command.args(args).current_dir(self.folder.path()).stdin(Stdio::null());
        Process::start("publish", &mut command).wait().expect_code(0);
    }

    fn release(&self, program: &Path) {
        self.publish(&["release", "publisher.key", program.to_str().expect("it is text"), "site"]);
    }

    fn start(&self) -> (Process, String) {
        let mut command = Command::new(self.folder.path().join("server"));
        let from = format!("http://{}/", self.web.address);
        command.args(["server", "--port", "0", "--from", &from, "--key"]);
        command.arg(self.folder.path().join("publisher.pub"));
        command.args(["--every", "200ms", "--ready-within", "5s"]).stdin(Stdio::null());
        let server = Process::start("server", &mut command);
        let ready = server.expect_stdout(&["listening on "]);
        let port = ready.rsplit(':').next().expect("a port").to_string();
        (server, port)
    }
}

/// A program beside the one of the rung, which was built with it.
fn beside(rung: &Rung, name: &str) -> PathBuf {
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    binaries::executable(&rung.name).with_file_name(file)
}

fn answer(rung: &Rung, port: &str) -> String {
    let client = rung.start(&["client", "--port", port, "hello"]).wait().expect_code(0);
    client.printed().into_owned()
}

#[test]
fn it_takes_what_our_web_server_has_and_puts_back_what_does_not_run() {
    for rung in rungs_in("self-update") {
        let releases = rung.releases.as_ref().expect("its manifest names its releases");
        let scene = Scene::new(rung);
        let (server, port) = scene.start();
        assert_eq!(answer(rung, &port), "hello\n");
        scene.release(&beside(rung, &releases.next));
        server.expect_stderr(&["0.2.0 serves from here on"]);
        // The old one may answer for a moment more.
        while answer(rung, &port) != "HELLO\n" {}
        scene.release(&beside(rung, &releases.broken));
        server.expect_stderr(&["0.3.0 is not tried again; 0.2.0 serves on"]);
        assert_eq!(answer(rung, &port), "HELLO\n");
    }
}

#[test]
fn a_manifest_that_the_tool_minisign_has_signed_is_believed_where_that_is_installed() {
    for rung in rungs_in("self-update") {
        let releases = rung.releases.as_ref().expect("its manifest names its releases");
        let scene = Scene::new(rung);
        let minisign = |args: &[&str]| {
            let mut command = Command::new("minisign");
            command.args(args).current_dir(scene.folder.path()).stdin(Stdio::null());
            command.output().is_ok_and(|told| told.status.success())
        };
        // A key without a password, in the place of ours.
        if !minisign(&["-G", "-W", "-f", "-p", "publisher.pub", "-s", "minisign.key"]) {
            eprintln!("skipped, no minisign here");
            return;
        }
        scene.release(&beside(rung, &releases.next));
        let site = fs::read_dir(scene.folder.path().join("site")).expect("it can be read");
        let manifest = site
            .map(|entry| entry.expect("it can be read").path())
            .find(|path| path.extension().is_some_and(|ending| ending == "json"))
            .expect("there is a manifest");
        let (server, _) = scene.start();
        server.expect_stderr(&["it is not signed by the key that is trusted"]);
        assert!(minisign(&["-S", "-s", "minisign.key", "-m", manifest.to_str().expect("text")]));
        server.expect_stderr(&["0.2.0 serves from here on"]);
    }
}
