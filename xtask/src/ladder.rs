//! What xtask knows of the rungs: read from their manifests through `cargo metadata`, never held in a list here.

use std::collections::HashMap;
use std::env;
use std::path::PathBuf;
use std::process::Command;

use serde::Deserialize;

use crate::Failure;

/// The workspace and its rungs in reading order.
pub struct Ladder {
    /// The folder of the top manifest.
    pub root: PathBuf,
    /// Where cargo puts what it builds.
    pub target: PathBuf,
    /// The rungs in the order of `[workspace.metadata.ladder]`.
    pub rungs: Vec<Rung>,
}

/// One rung: `[package.metadata.ladder]` of its manifest, under the name of its package.
pub struct Rung {
    /// Package, folder and binary have this name.
    pub name: String,
    /// What the manifest says.
    pub about: About,
}

/// The ladder metadata of a manifest. An unknown key is an error: it would be a misspelt one.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct About {
    /// The short name for `cargo xtask demo`.
    pub alias: String,
    /// Completes "this server ": one line.
    pub title: String,
    /// The rung that this one is a step from.
    pub builds_on: Option<String>,
    /// The tutorial rows that it covers.
    pub rows: Vec<String>,
    /// The black-box suites that it passes.
    pub suites: Vec<String>,
    /// Arguments of the server in a demo, beside its port.
    #[serde(default)]
    pub server_args: Vec<String>,
    /// The client runs of the demo, in order.
    #[serde(default)]
    pub demo: Vec<ClientRun>,
    /// The fault that the rung below fails and this one survives.
    pub why: Option<Why>,
    /// What is still wrong here.
    #[serde(default)]
    pub limits: Vec<Limit>,
}

/// One run of the client and what it must print, line by line.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ClientRun {
    /// Arguments after `client --port N`.
    pub args: Vec<String>,
    /// Its standard output.
    pub expect: Vec<String>,
}

/// Why the rung exists.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Why {
    /// The name of the fault in `netfault`.
    pub fault: String,
    /// Arguments of the server that make the fault show sooner, such as a short limit.
    #[serde(default)]
    pub server_args: Vec<String>,
}

/// A fault that the rung does not survive yet.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Limit {
    /// The name of the fault in `netfault`.
    pub fault: String,
    /// The rung that survives it.
    pub lifted_by: String,
}

#[derive(Deserialize)]
struct Metadata {
    workspace_root: PathBuf,
    target_directory: PathBuf,
    metadata: WorkspaceMetadata,
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct WorkspaceMetadata {
    ladder: Order,
}

#[derive(Deserialize)]
struct Order {
    order: Vec<String>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    metadata: Option<PackageMetadata>,
}

#[derive(Deserialize)]
struct PackageMetadata {
    ladder: Option<About>,
}

/// The cargo that runs us, or the one on the path.
pub fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

impl Ladder {
    /// Asks cargo.
    pub fn load() -> Result<Ladder, Failure> {
        let output = cargo()
            .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
            .output()
            .map_err(|error| Failure::new(format!("cannot run cargo metadata: {error}")))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            return Err(Failure::new(format!("cargo metadata failed: {said}")));
        }
        let metadata: Metadata = serde_json::from_slice(&output.stdout)
            .map_err(|error| Failure::new(format!("cannot read the ladder metadata: {error}")))?;
        let mut abouts: HashMap<String, About> = metadata
            .packages
            .into_iter()
            .filter_map(|package| Some((package.name, package.metadata?.ladder?)))
            .collect();
        let mut rungs = Vec::new();
        for name in metadata.metadata.ladder.order {
            let Some(about) = abouts.remove(&name) else {
                return Err(Failure::new(format!("{name} is in the order but has no ladder metadata")));
            };
            rungs.push(Rung { name, about });
        }
        if let Some(name) = abouts.into_keys().min() {
            return Err(Failure::new(format!("{name} has ladder metadata but is not in the order")));
        }
        Ok(Ladder { root: metadata.workspace_root, target: metadata.target_directory, rungs })
    }

    /// The rung of this name or alias.
    pub fn find(&self, name: &str) -> Option<&Rung> {
        self.rungs.iter().find(|rung| rung.name == name || rung.about.alias == name)
    }
}
