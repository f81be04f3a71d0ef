//! Completions for the shell: the words that can come after `cargo xtask`.
//!
//! The shell knows `cargo` and not `xtask`, so what it is given asks whether the word after `cargo` is `xtask`, and
//! leaves everything else to what it had before. A crate that writes completions writes them for a program only.

use clap::{Arg, Command, ValueEnum};

use crate::ci;
use crate::ladder::Ladder;

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

/// The words after `cargo xtask TASK`, for each task.
type Words = Vec<(String, Vec<String>)>;

/// What the shell is to read.
pub fn script(shell: Shell, tasks: &Command, ladder: &Ladder) -> String {
    let words = words(tasks, ladder);
    match shell {
        Shell::Bash => bash(&words),
        Shell::Zsh => zsh(&words),
        Shell::Fish => fish(&words),
    }
}

fn words(tasks: &Command, ladder: &Ladder) -> Words {
    tasks
        .get_subcommands()
        .map(|task| {
            let words = task.get_arguments().flat_map(|arg| words_of(arg, ladder)).collect();
            (task.get_name().to_string(), words)
        })
        .collect()
}

/// Rungs where a rung is asked for, steps of ci, options, and values that clap knows.
fn words_of(arg: &Arg, ladder: &Ladder) -> Vec<String> {
    if let Some(option) = arg.get_long() {
        return vec![format!("--{option}")];
    }
    let asked = arg.get_value_names().unwrap_or_default().join(" ");
    if asked.contains("RUNG") {
        return ladder.rungs.iter().map(|rung| rung.about.alias.clone()).collect();
    }
    if asked.contains("STEP") {
        return ci::names().map(String::from).collect();
    }
    arg.get_possible_values().iter().map(|value| value.get_name().to_string()).collect()
}

fn bash(words: &Words) -> String {
    let mut script = String::from(
        "_cargo_xtask() {
    local word=${COMP_WORDS[COMP_CWORD]}
    if [[ ${COMP_WORDS[1]} != xtask ]]; then
        if declare -F _cargo >/dev/null; then _cargo \"$@\"; fi
        return
    fi
    if (( COMP_CWORD == 2 )); then
",
    );
    let tasks: Vec<&str> = words.iter().map(|(task, _)| task.as_str()).collect();
    script.push_str(&format!("        COMPREPLY=($(compgen -W \"{}\" -- \"$word\"))\n", tasks.join(" ")));
    script.push_str("        return\n    fi\n    case ${COMP_WORDS[2]} in\n");
    for (task, words) in words {
        let words = words.join(" ");
        script.push_str(&format!("        {task}) COMPREPLY=($(compgen -W \"{words}\" -- \"$word\"));;\n"));
    }
    script.push_str("    esac\n}\ncomplete -F _cargo_xtask -o bashdefault -o default cargo\n");
    script
}

fn zsh(words: &Words) -> String {
    let mut script = String::from(
        "autoload -Uz _cargo
_cargo_xtask() {
    if [[ $words[2] != xtask ]]; then
        _cargo \"$@\" 2>/dev/null || _files
        return
    fi
    if (( CURRENT == 3 )); then
",
    );
    let tasks: Vec<&str> = words.iter().map(|(task, _)| task.as_str()).collect();
    script.push_str(&format!("        compadd -- {}\n", tasks.join(" ")));
    script.push_str("        return\n    fi\n    case $words[3] in\n");
    for (task, words) in words {
        script.push_str(&format!("        {task}) compadd -- {}; _files;;\n", words.join(" ")));
    }
    script.push_str("    esac\n}\ncompdef _cargo_xtask cargo\n");
    script
}

fn fish(words: &Words) -> String {
    let mut script = String::new();
    let known: Vec<&str> = words.iter().map(|(task, _)| task.as_str()).collect();
    let known = known.join(" ");
    script.push_str(&format!(
        "complete -c cargo -n '__fish_seen_subcommand_from xtask; and not __fish_seen_subcommand_from {known}' -a '{known}'\n"
    ));
    for (task, words) in words {
        let words = words.join(" ");
        script.push_str(&format!(
            "complete -c cargo -n '__fish_seen_subcommand_from xtask; and __fish_seen_subcommand_from {task}' -a '{words}'\n"
        ));
    }
    script
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn every_task_is_completed_with_the_words_that_it_takes() {
        let ladder = Ladder::load().unwrap();
        let words = words(&crate::Xtask::command(), &ladder);
        let of = |task: &str| words.iter().find(|(name, _)| name == task).unwrap().1.join(" ");
        for task in ["demo", "diff", "new", "try"] {
            assert!(of(task).contains("oneshot reusable timeout"), "{task}: {}", of(task));
        }
        assert!(of("diff").contains("--side-by-side"));
        assert!(of("ci").contains("manifests"));
        assert!(of("completions").contains("zsh"));
    }

    /// As bash does it when a person presses Tab.
    #[cfg(unix)]
    #[test]
    fn bash_offers_the_rungs_after_try() {
        let ladder = Ladder::load().unwrap();
        let script = script(Shell::Bash, &crate::Xtask::command(), &ladder);
        let press = format!(
            "{script}\nCOMP_WORDS=(cargo xtask try udp); COMP_CWORD=3; _cargo_xtask; echo \"${{COMPREPLY[0]}}\"\n"
        );
        let Ok(output) = std::process::Command::new("bash").args(["-c", &press]).output() else {
            // No bash here, so nobody to complete for.
            return;
        };
        assert_eq!(String::from_utf8_lossy(&output.stdout), "udp\n", "{output:?}");
    }
}
