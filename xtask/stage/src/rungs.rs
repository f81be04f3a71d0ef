//! What can be watched of a rung, by what its manifest says.

use ladder::manifests::Carrier;
use ladder::shell::command_line;
use ladder::{Ladder, Rung};
use netfault::{Fault, Proof, Speaks};
use serde_json::{Value, json};
use trial::{Faults, faults, why_not};

/// The faults behind buttons, by the name of the button.
pub const BUTTONS: [(&str, &str); 3] =
    [("silent", "silent"), ("drip", "drip"), ("reset", "reset-midway")];

/// What the page offers to choose from.
pub fn choices(ladder: &Ladder) -> Value {
    let choice = |rung: &Rung| {
        let Rung { name, alias, title, .. } = rung;
        json!({"rung": name, "alias": alias, "title": title, "why-not": why_not(rung)})
    };
    ladder.rungs.iter().map(choice).collect()
}

/// The fault matrix as the manifests have it: for each rung `survives`, `limit`, or nothing
/// where there is no such fault for it.
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
    let faults: Value = netfault::ALL.iter().map(row).collect();
    json!({"rungs": choices(ladder), "faults": faults})
}

/// Whether only a trial plays it, with a server of its own: it is done to a process, or is
/// too large for one line.
pub fn is_only_tried(fault: &Fault) -> bool {
    matches!(fault.proof, Proof::Process(_)) || fault.files > faults::A_CROWD
}

/// What the page is told of a rung that plays, with these arguments of its server.
pub fn session(rung: &Rung, args: &[String], plays: Option<&Fault>) -> Value {
    let loose: Vec<&Fault> = rung.faults().filter(|it| !is_only_tried(it)).collect();
    // By the names of their commands.
    let mut buttons: Vec<&'static str> = BUTTONS
        .iter()
        .filter(|(_, fault)| loose.iter().any(|it| it.name == *fault))
        .map(|(button, _)| *button)
        .collect();
    if rung.transport == Carrier::Udp {
        buttons.push("reorder");
    }
    if !rung.serves_once() {
        buttons.push("crowd");
    }
    let fault = |fault: &&Fault| {
        let lifted_by = rung.limit(fault.name).map(|limit| &limit.lifted_by);
        json!({"name": fault.name, "about": fault.about, "lifted-by": lifted_by})
    };
    let Rung { name, alias, title, transport, .. } = rung;
    json!({
        "rung": name, "alias": alias, "title": title, "carrier": transport, "clients": 2,
        // Without its address.
        "command": command_line(&format!("{name} server"), args),
        "examples": examples(rung),
        "faults": loose.iter().map(fault).collect::<Value>(),
        "buttons": buttons,
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
        assert_eq!(of("oneshot")["buttons"], json!(["silent", "drip", "reset"]));
        assert_eq!(of("udp")["buttons"], json!(["reorder", "crowd"]));
        assert_eq!(of("chat")["examples"], json!(["hello, world!", "Привет!"]));
        assert_eq!(client_args(rung("chat"), 1), ["bob"]);
        assert!(client_args(rung("tls"), 0).contains(&"ann".to_string()));
    }

    #[test]
    fn every_limit_of_a_manifest_is_a_cell_of_the_matrix() {
        let ladder = trial::load().unwrap();
        let limits: usize =
            ladder.rungs.iter().flat_map(|rung| &rung.limits).map(|it| it.faults().count()).sum();
        assert_eq!(matrix(&ladder).to_string().matches("\"limit\"").count(), limits);
    }
}
