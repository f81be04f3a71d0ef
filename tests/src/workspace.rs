//! The workspace, read once for each test process.

use std::sync::OnceLock;

use ladder::Ladder;
use ladder::process::end_all_on_signals;

/// What the manifests say. From here on, nothing that a test has started outlives the
/// process, not even where Ctrl-C ends it.
pub fn workspace() -> &'static Ladder {
    static WORKSPACE: OnceLock<Ladder> = OnceLock::new();
    WORKSPACE.get_or_init(|| {
        end_all_on_signals().expect("signals can be waited for");
        Ladder::load().unwrap_or_else(|failure| panic!("{failure}"))
    })
}
