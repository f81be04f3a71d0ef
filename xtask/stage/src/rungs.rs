//! What can be watched of a rung, by what its manifest says.

use ladder::shell::command_line;
use ladder::{Ladder, Rung};
use netfault::{Fault, Proof, Speaks};
use serde_json::{Value, json};
use trial::{Faults, faults, why_not};

/// What the page offers to choose from: the rungs, and the fault matrix as the manifests have
/// it: for each rung `survives`, `limit`, or nothing where there is no such fault for it.
pub fn matrix(ladder: &Ladder) -> Value {
    let cell = |rung: &Rung, fault: &Fault| match rung.limit(fault.name) {
        _ if !fault.is_for(rung.speaks()) => "",
        Some(_) => "limit",
        None => "survives",
    };
    let row = |fault: &Fault| {
        let cells: Vec<&str> = ladder.rungs.iter().map(|rung| cell(rung, fault)).collect();
        json!({"fault": fault.name, "about": fault.about, "cells": cells})
    };
    let choice = |rung: &Rung| {
        let Rung { name, alias, title, .. } = rung;
        json!({"rung": name, "alias": alias, "title": title, "why-not": why_not(rung)})
    };
    let choices: Value = ladder.rungs.iter().map(choice).collect();
    let faults: Value = netfault::ALL.iter().map(row).collect();
    json!({"rungs": choices, "faults": faults})
}

/// Whether only a trial plays it, with a server of its own: it is done to a process, or is
/// too large for one line.
pub fn is_only_tried(fault: &Fault) -> bool {
    matches!(fault.proof, Proof::Process(_)) || fault.files > faults::A_CROWD
}

/// What the page is told of a rung that plays, with these arguments of its server.
pub fn session(rung: &Rung, args: &[String], plays: Option<&Fault>) -> Value {
    let loose = rung.faults().filter(|it| !is_only_tried(it));
    let fault = |fault: &Fault| {
        let lifted_by = rung.limit(fault.name).map(|limit| &limit.lifted_by);
        json!({"name": fault.name, "about": fault.about, "lifted-by": lifted_by})
    };
    let Rung { name, alias, title, transport, .. } = rung;
    json!({
        "rung": name, "alias": alias, "title": title, "carrier": transport, "clients": 2,
        // Without its address.
        "command": command_line(&format!("{name} server"), args),
        "examples": examples(rung),
        "faults": loose.map(fault).collect::<Value>(),
        "crowd": !rung.serves_once(),
        "plays": plays.map(|fault| fault.name),
    })
}

/// Arguments that its client needs beside where: a name, or certificates and who it is.
pub fn client_args(rung: &Rung, client: usize) -> Vec<String> {
    match (&rung.together, rung.speaks()) {
        (Some(together), Speaks::Lines) => {
            together.members.get(client).cloned().into_iter().collect()
        }
        (None, Speaks::Lines) => vec![format!("client-{}", client + 1)],
        _ => rung.client_args().to_vec(),
    }
}

/// What the clients of its demo say.
pub fn examples(rung: &Rung) -> Vec<String> {
    let own = match rung.speaks() {
        Speaks::Lines => 1,
        _ => rung.client_args().len(),
    };
    let said = rung.demo.iter().flat_map(|run| run.args.iter().skip(own));
    let short = said.filter(|text| !text.is_empty() && text.len() < 100 && !text.starts_with("--"));
    let mut examples: Vec<String> = Vec::new();
    for text in short {
        if !examples.contains(text) {
            examples.push(text.clone());
        }
    }
    examples
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_watched_and_said_follows_from_the_manifests() {
        let ladder = trial::load().unwrap();
        let rung = |name| ladder.find(name).unwrap();
        assert_eq!(why_not(rung("threaded")), None);
        assert!(why_not(rung("gossip")).unwrap().ends_with("cargo xtask demo gossip shows it"));
        let of = |name| session(rung(name), &[], None);
        assert_eq!((&of("oneshot")["crowd"], &of("udp")["crowd"]), (&json!(false), &json!(true)));
        assert_eq!(of("chat")["examples"], json!(["hello, world!", "Привет!"]));
        assert_eq!(client_args(rung("chat"), 1), ["bob"]);
        assert!(client_args(rung("tls"), 0).contains(&"ann".to_string()));
        let buttons = include_str!("page/index.html").split("data-fault=\"").skip(1);
        let mut behind = buttons.filter_map(|button| button.split('"').next());
        assert!(behind.all(|fault| faults::find(fault).is_ok()));
    }

    #[test]
    fn every_limit_of_a_manifest_is_a_cell_of_the_matrix() {
        let ladder = trial::load().unwrap();
        let limits: usize =
            ladder.rungs.iter().flat_map(|rung| &rung.limits).map(|it| it.faults().count()).sum();
        assert_eq!(matrix(&ladder).to_string().matches("\"limit\"").count(), limits);
    }
}
