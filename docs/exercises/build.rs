//! Makes a module of each exercise in Rust, as it is solved, and one as a reader begins with it.

use std::path::Path;
use std::{env, fs};

#[path = "../../xtask/ladder/src/exercises.rs"]
#[allow(dead_code, reason = "xtask uses the rest")]
mod exercises;

use exercises::Language;

/// Each check has to say so of what nobody has solved.
const FAILS: &str = "#[test]\n    #[should_panic]";

fn main() {
    let own = env::var("CARGO_MANIFEST_DIR").expect("cargo says where this is");
    let out = env::var("OUT_DIR").expect("cargo says where to write");
    let (own, out) = (Path::new(&own), Path::new(&out));
    let root = own.ancestors().nth(2).expect("it is in the folder of the book");
    let (mut solved, mut stubs) = (String::new(), String::new());
    println!("cargo::rerun-if-changed=build.rs");
    let entries = fs::read_dir(own).expect("the folder can be read");
    let mut rungs: Vec<_> = entries.map(|entry| entry.expect("it can be read").path()).collect();
    rungs.retain(|path| path.is_dir() && !path.ends_with("src"));
    rungs.sort();
    for folder in rungs {
        println!("cargo::rerun-if-changed={}", folder.display());
        let rung = folder.file_name().expect("it has a name").to_string_lossy();
        let found = exercises::of_rung(root, &rung).unwrap_or_else(|why| panic!("{why}"));
        for exercise in found.iter().filter(|one| one.language == Language::Rust) {
            let name = format!("{}_{}", rung.replace('-', "_"), exercise.number);
            let file = folder.join(format!("{}.rs", exercise.number));
            solved.push_str(&format!("#[path = {file:?}]\nmod {name};\n"));
            let stub = out.join(format!("{name}.rs"));
            fs::write(&stub, exercise.stub.replace("#[test]", FAILS)).expect("it can be written");
            stubs.push_str(&format!("#[path = {stub:?}]\nmod {name};\n"));
        }
    }
    let all = format!(
        "mod solved {{\n{solved}}}\n#[allow(unused, clippy::all)]\nmod stubs {{\n{stubs}}}\n"
    );
    fs::write(out.join("exercises.rs"), all).expect("it can be written");
}
