//! The program as a person starts it, and the third party that it goes to.
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::net::SocketAddr;
use std::process::{Command, Output};

use api_client::{ThirdParty, server};
use netcore::testing::Suite;

pub fn third_party(args: &'static [&'static str]) -> Suite {
    Suite::new("", "", move |listener, setup, shutdown| {
        let service: ThirdParty = setup.service(args);
        server::serve(listener, &service, shutdown)
    })
}

fn program() -> Command {
    let mut command = Command::new(env!(concat!("CARGO_BIN_EXE_", env!("CARGO_PKG_NAME"))));
    command.env_remove("RUST_LOG");
    command
}

pub fn command(address: SocketAddr, args: &[&str]) -> Command {
    let port = address.port().to_string();
    let mut command = program();
    command.args(["client", "--port", &port, "--rate", "1000"]).args(args);
    command
}

/// As it is, with nothing but these arguments.
pub fn run(args: &[&str]) -> Output {
    program().args(args).output().unwrap()
}

pub fn client(address: SocketAddr, args: &[&str]) -> Output {
    command(address, args).output().unwrap()
}

pub fn effects(address: SocketAddr) -> u64 {
    let told = client(address, &["--get", "/effects"]);
    let told: serde_json::Value = serde_json::from_slice(&told.stdout).unwrap();
    told["effects"].as_u64().unwrap()
}
