//! Completions for the shell: the words that can come after `cargo xtask`.
//!
//! The shell knows `cargo` and not `xtask`, so what it is given asks whether the word
//! after `cargo` is `xtask`, and leaves everything else to what it had before. A crate
//! that writes completions writes them for a program only.

use clap::{Arg, Command, ValueEnum, ValueHint};
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

/// What can come after some words behind `cargo xtask`.
struct Offer {
    /// A task; with an option of it behind, where that takes a value.
    after: String,
    /// Rungs where a rung is asked for, faults, scenarios, steps of ci, values that clap
    /// knows; after a task, its options as well.
    words: Vec<String>,
    /// Whether the name of a file or a folder can stand there.
    files: bool,
}

pub fn script(shell: Shell, tasks: &Command, ladder: &Ladder) -> String {
    let names: Vec<&str> = tasks.get_subcommands().map(Command::get_name).collect();
    let offers: Vec<Offer> =
        tasks.get_subcommands().flat_map(|task| offers(task, ladder)).collect();
    let template = match shell {
        Shell::Bash => BASH,
        Shell::Zsh => ZSH,
        Shell::Fish => return fish(&offers, &names.join(" ")),
    };
    let mut cases = format!("        ' '*) offer='{}';;\n", names.join(" "));
    for Offer { after, words, files } in &offers {
        // What was typed before the word that is completed does not matter to a task.
        let pattern =
            if after.contains(' ') { format!("'{after}'") } else { format!("'{after} '*") };
        let files = if *files { " files=1" } else { "" };
        cases.push_str(&format!("        {pattern}) offer='{}'{files};;\n", words.join(" ")));
    }
    template.replace("CASES", &cases)
}

/// The options of a task that take a value, and then the task.
fn offers(task: &Command, ladder: &Ladder) -> Vec<Offer> {
    let name = task.get_name();
    let mut offers = Vec::new();
    let mut of_task = Offer { after: name.into(), words: Vec::new(), files: false };
    for arg in task.get_arguments() {
        let (words, files) = (words_of(arg, ladder), is_file(arg));
        match arg.get_long() {
            None => {
                of_task.words.extend(words);
                of_task.files |= files;
            }
            Some(long) => {
                of_task.words.push(format!("--{long}"));
                if arg.get_action().takes_values() {
                    offers.push(Offer { after: format!("{name} --{long}"), words, files });
                }
            }
        }
    }
    offers.push(of_task);
    offers
}

fn is_file(arg: &Arg) -> bool {
    // What clap says of every path.
    arg.get_value_hint() == ValueHint::AnyPath
}

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
        return ci::names().map(String::from).collect();
    }
    if asked.contains("FAULT") {
        return netfault::ALL.iter().map(|fault| fault.name.to_string()).collect();
    }
    arg.get_possible_values().iter().map(|value| value.get_name().to_string()).collect()
}

/// What the manifest of netload says that bench measures.
fn scenarios(ladder: &Ladder) -> Vec<String> {
    let said = ladder.package("netload").map(|package| package.metadata("scenarios"));
    let said: Vec<Value> = said.and_then(Result::ok).flatten().unwrap_or_default();
    said.iter().filter_map(|scenario| scenario["name"].as_str().map(String::from)).collect()
}

/// Where nothing fits, bash offers files by itself. Many systems read the completions of a
/// command when it is first completed, which ours would prevent.
const BASH: &str = r#"if ! declare -F _cargo >/dev/null; then
    if declare -F _comp_load >/dev/null; then _comp_load cargo
    elif declare -F _completion_loader >/dev/null; then _completion_loader cargo
    fi
fi
_cargo_xtask() {
    if [[ ${COMP_WORDS[1]} != xtask ]]; then
        if declare -F _cargo >/dev/null; then _cargo "$@"; fi
        return
    fi
    local offer= files= task=
    (( COMP_CWORD > 2 )) && task=${COMP_WORDS[2]}
    case "$task ${COMP_WORDS[COMP_CWORD-1]}" in
CASES    esac
    COMPREPLY=($(compgen -W "$offer" -- "${COMP_WORDS[COMP_CWORD]}"))
}
complete -F _cargo_xtask -o bashdefault -o default cargo
"#;

const ZSH: &str = r#"(( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }
autoload -Uz _cargo
_cargo_xtask() {
    if [[ $words[2] != xtask ]]; then
        _cargo "$@" 2>/dev/null || _files
        return
    fi
    local offer= files= task=
    (( CURRENT > 3 )) && task=$words[3]
    case "$task $words[CURRENT-1]" in
CASES    esac
    [[ -n $offer ]] && compadd -- ${=offer}
    [[ -n $files ]] && _files
}
compdef _cargo_xtask cargo
"#;

fn fish(offers: &[Offer], names: &str) -> String {
    let mut script = String::from(
        "function __cargo_xtask_after
    set -l before (commandline -opc)
    test \"$before[2]\" = xtask -a \"$before[3]\" = \"$argv[1]\"
end
",
    );
    script.push_str(&format!("complete -c cargo -f -n '__cargo_xtask_after \"\"' -a '{names}'\n"));
    for Offer { after, words, files } in offers {
        let (task, option) = after.split_once(" --").unwrap_or((after, ""));
        let known = |word: &&String| word.starts_with("--");
        let (options, words): (Vec<&String>, Vec<&String>) = words.iter().partition(known);
        let words: Vec<&str> = words.into_iter().map(String::as_str).collect();
        let words = words.join(" ");
        let mut line = |rest: &str| {
            script.push_str(&format!("complete -c cargo -n '__cargo_xtask_after {task}' {rest}\n"));
        };
        match (option, files) {
            ("", true) => line(&format!("-a '{words}'")),
            ("", false) => line(&format!("-f -a '{words}'")),
            (option, true) => line(&format!("-l {option} -rF")),
            (option, false) => line(&format!("-l {option} -xa '{words}'")),
        }
        for option in options {
            let takes_value = |offer: &Offer| offer.after == format!("{task} {option}");
            if !offers.iter().any(takes_value) {
                line(&format!("-l {}", option.trim_start_matches('-')));
            }
        }
    }
    script
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use ladder::manifests::RESERVED;

    use super::*;

    fn aliases(ladder: &Ladder) -> String {
        let aliases: Vec<&str> = ladder.rungs.iter().map(|rung| rung.alias.as_str()).collect();
        aliases.join(" ")
    }

    #[test]
    fn every_task_is_completed_with_the_words_that_it_takes() {
        let (ladder, xtask) = (Ladder::load().unwrap(), crate::Xtask::command());
        let all: Vec<Offer> =
            xtask.get_subcommands().flat_map(|task| offers(task, &ladder)).collect();
        let of = |after: &str| all.iter().find(|offer| offer.after == after).unwrap();
        for task in ["demo", "diff", "new", "try"] {
            let words = of(task).words.join(" ");
            assert!(words.contains(&aliases(&ladder)), "{task}: {words}");
        }
        let reserved = RESERVED.map(|word| ("demo", word));
        let others = [
            ("diff", "--side-by-side"),
            ("ci", "rules"),
            ("completions", "zsh"),
            ("bench", "echo-64"),
            ("faults", "drip"),
            ("demo --fault", "drip"),
        ];
        for (after, word) in reserved.into_iter().chain(others) {
            assert!(of(after).words.iter().any(|known| known == word), "{after}: {word}");
        }
        assert!(of("new").files && of("demo --svg").files && !of("demo").files);
    }

    /// What a shell without settings of its own prints when it has read the completions
    /// and then this. `None` where there is no such shell, so nobody to complete
    /// for.
    #[cfg(unix)]
    fn ask(shell: Shell, before: &str, then: &str) -> Option<String> {
        let (program, plain) = match shell {
            Shell::Bash => ("bash", "--norc"),
            Shell::Zsh => ("zsh", "-f"),
            Shell::Fish => ("fish", "--no-config"),
        };
        let script = script(shell, &crate::Xtask::command(), &Ladder::load().unwrap());
        let typed = format!("{before}\n{script}\n{then}\n");
        let output =
            std::process::Command::new(program).args([plain, "-c", &typed]).output().ok()?;
        assert!(output.stderr.is_empty(), "{output:?}");
        Some(String::from_utf8(output.stdout).unwrap())
    }

    #[cfg(unix)]
    #[test]
    fn bash_leaves_every_other_task_to_the_completions_of_cargo_itself() {
        for loader in ["_comp_load", "_completion_loader"] {
            // As bash-completion: it knows cargo when it is asked for it, and says 124 then.
            let load = "_cargo() { COMPREPLY=(build); }; complete -F _cargo cargo; return 124";
            let before = format!("{loader}() {{ [[ $1 = cargo ]] || return; {load}; }}");
            let press = "COMP_WORDS=(cargo b); COMP_CWORD=1; _cargo_xtask; echo \"${COMPREPLY[0]}\"; \
                complete -p cargo";
            if let Some(offered) = ask(Shell::Bash, &before, press) {
                let (word, registered) = offered.split_once('\n').unwrap();
                assert_eq!(word, "build");
                assert!(registered.contains("_cargo_xtask"), "{registered}");
            }
        }
    }

    /// As bash does it when a person presses Tab.
    #[cfg(unix)]
    #[test]
    fn bash_offers_rungs_and_faults_each_where_they_belong() {
        let press = "COMP_WORDS=(cargo xtask try udp); COMP_CWORD=3; _cargo_xtask; echo \"${COMPREPLY[0]}\"
            COMP_WORDS=(cargo xtask demo --fault dri); COMP_CWORD=4; _cargo_xtask; echo \"${COMPREPLY[*]}\"";
        if let Some(offered) = ask(Shell::Bash, "", press) {
            assert_eq!(offered, "udp\ndrip\n");
        }
    }

    /// The words are handed over as zsh does it, and what stands for its functions
    /// prints what it is called with.
    #[cfg(unix)]
    #[test]
    fn zsh_offers_rungs_options_faults_and_files_each_where_they_belong() {
        let stand_ins =
            "compdef() { : }; compadd() { print -r -- \"$@\" }; _files() { print files }";
        let press = "words=(cargo xtask); CURRENT=3; _cargo_xtask
            words=(cargo xtask try); CURRENT=4; _cargo_xtask
            words=(cargo xtask demo --svg); CURRENT=5; _cargo_xtask
            words=(cargo xtask demo --loss); CURRENT=5; _cargo_xtask
            words=(cargo xtask demo --fault); CURRENT=5; _cargo_xtask";
        if let Some(offered) = ask(Shell::Zsh, stand_ins, press) {
            let lines: Vec<&str> = offered.lines().collect();
            assert_eq!(lines.len(), 4, "{offered}");
            assert!(lines[0].starts_with("-- list demo try "), "{offered}");
            assert!(
                lines[1].starts_with(&format!("-- {} ", aliases(&Ladder::load().unwrap())))
                    && !lines[1].contains("list")
            );
            assert_eq!(lines[2], "files");
            assert!(lines[3].contains(" drip "), "{offered}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn fish_offers_rungs_options_faults_and_files_each_where_they_belong() {
        let press = "for typed in 'cargo xtask tr' 'cargo xtask try ud' 'cargo xtask demo --sv' \
            'cargo xtask ci docs re' 'cargo xtask demo --loss ' 'cargo xtask demo --svg Cargo.t' \
            'cargo xtask demo --fault dri'
            complete -C $typed
            end";
        if let Some(offered) = ask(Shell::Fish, "", press) {
            // In the folder of xtask.
            assert_eq!(offered, "try\nudp\n--svg\nCargo.toml\ndrip\n");
        }
    }
}
