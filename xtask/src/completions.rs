//! Completions for the shell: the words that can come after `cargo xtask`.
//!
//! clap writes them for a program, and the shell knows `cargo` and not `xtask`. So what it
//! is given asks whether the word after `cargo` is `xtask`, and leaves everything else to
//! what it had before.

use clap::builder::PossibleValuesParser;
use clap::{Arg, Command, ValueEnum};
use clap_complete::{Generator, generate, shells};
use ladder::Ladder;
use serde_json::Value;

use crate::ci;

/// A shell that has completions.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Shell {
    /// Bash
    Bash,
    /// Zsh
    Zsh,
    /// Fish
    Fish,
}

/// Where nothing fits, bash offers files by itself. Many systems read the completions of a
/// command when it is first completed, which ours would prevent.
const BASH: &str = include_str!("completions/cargo.bash");

const ZSH: &str = include_str!("completions/cargo.zsh");

/// What the shell is to read.
pub fn script(shell: Shell, tasks: Command, ladder: &Ladder) -> String {
    let words = |arg: Arg| match words_of(&arg, ladder) {
        words if words.is_empty() => arg,
        // clap keeps them to the end, which comes when they have been printed.
        words => {
            let words = words.into_iter().map(|word| &*word.leak());
            arg.value_parser(PossibleValuesParser::new(words))
        }
    };
    let tasks = tasks.name("xtask").bin_name("xtask");
    let mut tasks = tasks.mut_subcommands(|task| task.mut_args(words));
    match shell {
        // What it offers for a word that nobody can complete.
        Shell::Bash => written(shells::Bash, &mut tasks).replace("<DEST>", "") + "\n" + BASH,
        Shell::Zsh => {
            let said = written(shells::Zsh, &mut tasks);
            format!(
                "(( $+functions[compdef] )) || {{ autoload -Uz compinit && compinit; }}\n{said}\n{ZSH}"
            )
        }
        Shell::Fish => {
            let cargo = Command::new("cargo").disable_help_flag(true);
            let cargo = cargo.disable_help_subcommand(true);
            written(shells::Fish, &mut cargo.subcommand(tasks.name("xtask")))
        }
    }
}

fn written(shell: impl Generator, command: &mut Command) -> String {
    let (mut said, name) = (Vec::new(), command.get_name().to_string());
    generate(shell, command, name, &mut said);
    String::from_utf8_lossy(&said).into_owned()
}

/// Rungs where a rung is asked for, faults, scenarios and steps of ci.
fn words_of(arg: &Arg, ladder: &Ladder) -> Vec<String> {
    let asked = arg.get_value_names().unwrap_or_default().join(" ");
    if asked.contains("RUNG") {
        let mut words: Vec<String> = ladder.rungs.iter().map(|rung| rung.alias.clone()).collect();
        // Beside kinds of words, which are in capitals, words themselves.
        words.extend(
            asked.split('|').skip(1).filter(|word| word.to_lowercase() == *word).map(String::from),
        );
        if asked.contains("SCENARIO") {
            words.extend(scenarios(ladder));
        }
        return words;
    }
    if asked.contains("STEP") {
        return ci::names(ladder);
    }
    if asked.contains("FAULT") {
        return netfault::ALL.iter().map(|fault| fault.name.to_string()).collect();
    }
    Vec::new()
}

/// What the manifest of netload says that bench measures.
fn scenarios(ladder: &Ladder) -> Vec<String> {
    let said = ladder.package("netload").map(|package| package.metadata("scenarios"));
    let said: Vec<Value> = said.and_then(Result::ok).flatten().unwrap_or_default();
    said.iter().filter_map(|scenario| scenario["name"].as_str().map(String::from)).collect()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use clap::CommandFactory;

    /// What a shell without settings of its own prints when it has read the completions
    /// and then this. `None` where there is no such shell, so nobody to complete
    /// for.
    fn ask(shell: Shell, before: &str, then: &str) -> Option<String> {
        let (program, plain) = match shell {
            Shell::Bash => ("bash", "--norc"),
            Shell::Zsh => ("zsh", "-f"),
            Shell::Fish => ("fish", "--no-config"),
        };
        let script = script(shell, crate::Xtask::command(), &Ladder::load().unwrap());
        let typed = format!("{before}\n{script}\n{then}\n");
        let output =
            std::process::Command::new(program).args([plain, "-c", &typed]).output().ok()?;
        assert!(output.stderr.is_empty(), "{output:?}");
        Some(String::from_utf8(output.stdout).unwrap())
    }

    #[test]
    fn every_task_is_completed_with_the_words_that_it_takes() {
        let rungs = Ladder::load().unwrap().rungs;
        let aliases = rungs.iter().map(|rung| rung.alias.as_str()).collect::<Vec<_>>().join(" ");
        // What is typed, and after the bar what is offered then for its last word.
        for case in [
            &format!("demo ''|{aliases}"),
            &format!("diff ''|{aliases}"),
            &format!("new ''|{aliases}"),
            &format!("try ''|{aliases}"),
            &format!("watch ''|{aliases}"),
            "demo al|all",
            "demo sc|scale",
            "demo pit|pitfalls",
            "diff --side|--side-by-side",
            "ci rul|rules",
            "completions z|zsh",
            "bench echo-64-|echo-64-4k",
            "faults dri|drip",
            "demo --fault dri|drip",
            "tr|try",
        ] {
            let (typed, wanted) = case.split_once('|').unwrap();
            // As bash does it when a person presses Tab.
            let press = format!(
                "COMP_WORDS=(cargo xtask {typed}); COMP_CWORD=$((${{#COMP_WORDS[@]}}-1)); \
                 _cargo_or_xtask; printf '%s\\n' \"${{COMPREPLY[@]}}\""
            );
            let Some(offered) = ask(Shell::Bash, "", &press) else { return };
            let has = |word: &str| offered.lines().any(|line| line == word);
            assert!(wanted.split(' ').all(has), "{typed}: {offered}");
        }
    }

    #[test]
    fn bash_leaves_every_other_task_to_the_completions_of_cargo_itself() {
        for loader in ["_comp_load", "_completion_loader"] {
            // As bash-completion: it knows cargo when it is asked for it, and says 124 then.
            let load = "_cargo() { COMPREPLY=(build); }; complete -F _cargo cargo; return 124";
            let before = format!("{loader}() {{ [[ $1 = cargo ]] || return; {load}; }}");
            let press = "COMP_WORDS=(cargo b); COMP_CWORD=1; _cargo_or_xtask; \
                echo \"${COMPREPLY[0]}\"; complete -p cargo";
            if let Some(offered) = ask(Shell::Bash, &before, press) {
                let (word, registered) = offered.split_once('\n').unwrap();
                assert_eq!(word, "build");
                assert!(registered.contains("_cargo_or_xtask"), "{registered}");
            }
        }
    }

    /// The words are handed over as zsh does it, and what stands for its functions
    /// prints what it is called with.
    #[test]
    fn zsh_hands_our_words_over_and_leaves_all_others_to_cargo() {
        let before = "compdef() { : }; _cargo() { print cargo }";
        let press = "_xtask() { print -r -- $CURRENT $words }
            words=(cargo xtask try udp); CURRENT=4; _cargo_or_xtask
            words=(cargo bui); CURRENT=2; _cargo_or_xtask";
        if let Some(offered) = ask(Shell::Zsh, before, press) {
            assert_eq!(offered, "3 xtask try udp\ncargo\n");
        }
    }

    #[test]
    fn fish_offers_rungs_options_faults_and_files_each_where_they_belong() {
        let press = "for typed in 'cargo xtask tr' 'cargo xtask try ud' 'cargo xtask demo --sv' \
            'cargo xtask demo --svg Cargo.t' 'cargo xtask demo --fault dri'
            complete -C $typed
            end";
        if let Some(offered) = ask(Shell::Fish, "", press) {
            for word in ["try\t", "udp", "--svg\t", "Cargo.toml", "drip"] {
                // In the folder of xtask. What a word means stands behind it.
                assert!(offered.lines().any(|line| line.starts_with(word)), "{word}: {offered}");
            }
        }
    }
}
