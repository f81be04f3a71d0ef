//! The script of the page, in Node.js where that is installed.

use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;

#[test]
fn the_script_of_the_page_loses_nothing_that_is_typed_and_tells_what_is_wrong() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut node = Command::new("node");
    node.arg(folder.join("tests/page/page.js")).arg(folder.join("src/page/page.js"));
    let output = match node.output() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return eprintln!("skipped, there is no Node.js here");
        }
        output => output.unwrap(),
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // All of them, and not only those until nothing was left to wait for.
    let kept = String::from_utf8(output.stdout).unwrap();
    assert_eq!(kept.lines().last(), Some("a refusal to delete is told"), "{kept}");
}
