//! Completions for the shell: the words that can come after `cargo xtask`.
//!
//! The shell knows `cargo` and not `xtask`, so what it is given asks whether the word
//! after `cargo` is `xtask`, and leaves everything else to what it had before. A crate
//! that writes completions writes them for a program only.

use clap::{Arg, Command, ValueEnum, ValueHint};
use ladder::Ladder;

use crate::ci;
use crate::package::bench;

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

/// What can come after `cargo xtask NAME`.
struct Task {
    name: String,
    /// Rungs where a rung is asked for, faults, scenarios, steps of ci, and values that
    /// clap knows.
    words: Vec<String>,
    options: Vec<TaskOption>,
    /// Whether one of its words is the name of a file or a folder.
    files: bool,
}

struct TaskOption {
    name: String,
    value: Value,
}

#[derive(PartialEq, Eq)]
enum Value {
    None,
    /// What nobody can complete: a number, a text.
    Any,
    File,
    /// One of these, with spaces between.
    Words(String),
}

impl Task {
    /// All that begins with what is asked for or with two dashes.
    fn words_and_options(&self) -> String {
        let options = self.options.iter().map(|option| format!("--{}", option.name));
        self.words.iter().cloned().chain(options).collect::<Vec<_>>().join(" ")
    }
}

/// What the shell is to read.
pub fn script(shell: Shell, tasks: &Command, ladder: &Ladder) -> String {
    let tasks: Vec<Task> = tasks.get_subcommands().map(|task| task_of(task, ladder)).collect();
    let names = tasks.iter().map(|task| task.name.as_str()).collect::<Vec<_>>().join(" ");
    match shell {
        Shell::Bash => bash(&tasks, &names),
        Shell::Zsh => zsh(&tasks, &names),
        Shell::Fish => fish(&tasks, &names),
    }
}

fn task_of(task: &Command, ladder: &Ladder) -> Task {
    let options = task.get_arguments().filter_map(|arg| {
        let words = words_of(arg, ladder).join(" ");
        let value = match arg.get_action().takes_values() {
            false => Value::None,
            true if is_file(arg) => Value::File,
            true if words.is_empty() => Value::Any,
            true => Value::Words(words),
        };
        Some(TaskOption { name: arg.get_long()?.to_string(), value })
    });
    Task {
        name: task.get_name().to_string(),
        words: task.get_positionals().flat_map(|arg| words_of(arg, ladder)).collect(),
        options: options.collect(),
        files: task.get_positionals().any(is_file),
    }
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
            words.extend(bench::SCENARIOS.map(String::from));
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

/// Where nothing fits, bash offers files by itself. Many systems read the completions of a
/// command when it is first completed, which ours would prevent.
const BASH: &str = r#"if ! declare -F _cargo >/dev/null; then
    if declare -F _comp_load >/dev/null; then _comp_load cargo
    elif declare -F _completion_loader >/dev/null; then _completion_loader cargo
    fi
fi
_cargo_xtask() {
    local word=${COMP_WORDS[COMP_CWORD]}
    if [[ ${COMP_WORDS[1]} != xtask ]]; then
        if declare -F _cargo >/dev/null; then _cargo "$@"; fi
        return
    fi
    if (( COMP_CWORD == 2 )); then
        NAMES
        return
    fi
    case "${COMP_WORDS[2]} ${COMP_WORDS[COMP_CWORD-1]}" in
VALUES    esac
    case ${COMP_WORDS[2]} in
TASKS    esac
}
complete -F _cargo_xtask -o bashdefault -o default cargo
"#;

fn bash(tasks: &[Task], names: &str) -> String {
    let offer = |words: &str| format!("COMPREPLY=($(compgen -W \"{words}\" -- \"$word\"))");
    let values = values(tasks, |value| match value {
        Value::Words(words) => offer(words) + "; ",
        _ => String::new(),
    });
    let of =
        |task: &Task| format!("        {}) {};;\n", task.name, offer(&task.words_and_options()));
    let tasks: String = tasks.iter().map(of).collect();
    BASH.replace("NAMES", &offer(names)).replace("VALUES", &values).replace("TASKS", &tasks)
}

const ZSH: &str = r#"(( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }
autoload -Uz _cargo
_cargo_xtask() {
    if [[ $words[2] != xtask ]]; then
        _cargo "$@" 2>/dev/null || _files
        return
    fi
    if (( CURRENT == 3 )); then
        compadd -- NAMES
        return
    fi
    case "$words[3] $words[CURRENT-1]" in
VALUES    esac
    case $words[3] in
TASKS    esac
}
compdef _cargo_xtask cargo
"#;

fn zsh(tasks: &[Task], names: &str) -> String {
    let values = values(tasks, |value| match value {
        Value::Words(words) => format!("compadd -- {words}; "),
        Value::File => "_files; ".into(),
        _ => String::new(),
    });
    let of = |task: &Task| {
        let files = if task.files { " _files;" } else { "" };
        format!("        {}) compadd -- {};{files};\n", task.name, task.words_and_options())
    };
    let tasks: String = tasks.iter().map(of).collect();
    ZSH.replace("NAMES", names).replace("VALUES", &values).replace("TASKS", &tasks)
}

/// What is offered behind each option that takes a value.
fn values(tasks: &[Task], offer: impl Fn(&Value) -> String) -> String {
    let mut cases = String::new();
    for task in tasks {
        for TaskOption { name, value } in &task.options {
            if *value != Value::None {
                let offer = offer(value);
                cases.push_str(&format!("        '{} --{name}') {offer}return;;\n", task.name));
            }
        }
    }
    cases
}

fn fish(tasks: &[Task], names: &str) -> String {
    let mut script = String::from(
        "function __cargo_xtask_after
    set -l before (commandline -opc)
    test \"$before[2]\" = xtask -a \"$before[3]\" = \"$argv[1]\"
end
",
    );
    script.push_str(&format!("complete -c cargo -f -n '__cargo_xtask_after \"\"' -a '{names}'\n"));
    for task in tasks {
        let after = format!("complete -c cargo -n '__cargo_xtask_after {}'", task.name);
        let files = if task.files { "" } else { "-f " };
        script.push_str(&format!("{after} {files}-a '{}'\n", task.words.join(" ")));
        for option in &task.options {
            let value = match &option.value {
                Value::None => String::new(),
                Value::Any => " -x".into(),
                Value::File => " -rF".into(),
                Value::Words(words) => format!(" -xa '{words}'"),
            };
            script.push_str(&format!("{after} -l {}{value}\n", option.name));
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
        let ladder = Ladder::load().unwrap();
        let xtask = crate::Xtask::command();
        let of = |name: &str| task_of(xtask.find_subcommand(name).unwrap(), &ladder);
        for task in ["demo", "diff", "new", "try"] {
            let words = of(task).words.join(" ");
            assert!(words.contains(&aliases(&ladder)), "{task}: {words}");
        }
        assert!(of("demo").words.ends_with(&RESERVED.map(String::from)));
        assert!(of("diff").words_and_options().contains("--side-by-side"));
        assert!(of("ci").words.contains(&"rules".to_string()));
        assert!(of("completions").words.contains(&"zsh".to_string()));
        assert!(of("bench").words.contains(&"echo-64".to_string()));
        assert!(of("faults").words.contains(&"drip".to_string()));
        assert!(of("new").files && !of("demo").files);
        assert!(
            of("demo")
                .options
                .iter()
                .any(|option| option.name == "svg" && option.value == Value::File)
        );
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
