//! Which rungs can be watched on the page of `cargo xtask watch`.

use ladder::Rung;

/// Why a rung cannot be watched: it is not one server and its clients.
pub fn why_not(rung: &Rung) -> Option<String> {
    let nodes = !rung.nodes.is_empty();
    let what = match rung {
        _ if nodes => "its nodes all ask each other",
        Rung { releases: Some(_), .. } => "its server becomes another program",
        _ if rung.has_tokens() => "it listens in several places",
        _ if rung.demo.is_empty() => "it has no client",
        _ => return None,
    };
    Some(format!("{what}; cargo xtask demo {} shows it", rung.alias))
}
