//! Commands as a person types them.

use crate::manifests::ClientRun;

/// A command that can be pasted into a shell.
pub fn command_line(program: &str, args: &[String]) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,".contains(c);
    let mut line = program.to_string();
    for arg in args {
        line.push(' ');
        match !arg.is_empty() && arg.chars().all(plain) {
            true => line.push_str(arg),
            false => line.push_str(&format!("'{}'", arg.replace('\'', r"'\''"))),
        }
    }
    line
}

/// The words of a command, with quotes as in a shell.
pub fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (index, part) in text.split('\'').enumerate() {
        match index % 2 {
            0 => words.extend(part.split_whitespace().map(str::to_string)),
            _ => words.push(part.to_string()),
        }
    }
    words
}

/// What one types in the folder of a project to see its server and these clients, and
/// what they print. Each command can be pasted behind the last: the first client waits
/// until the server has been built and listens.
pub fn session(server_args: &[String], runs: &[ClientRun]) -> String {
    let mut text = format!("$ {} &\n", command_line("cargo run --quiet -- server", server_args));
    let mut client = "cargo run --quiet -- client --wait 10s";
    for run in runs {
        text.push_str(&format!("$ {}\n{}", command_line(client, &run.args), run.printed()));
        client = "cargo run --quiet -- client";
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_so_that_it_can_be_pasted() {
        let args = ["client", "hello, world!", "", "it's"].map(String::from);
        assert_eq!(command_line("echo", &args), r"echo client 'hello, world!' '' 'it'\''s'");
    }

    #[test]
    fn a_session_waits_for_its_server() {
        let run = |text: &str| ClientRun { args: vec![text.into()], expect: vec![text.into()] };
        assert_eq!(
            session(&["--upper".into()], &[run("a"), run("b")]),
            "$ cargo run --quiet -- server --upper &\n\
             $ cargo run --quiet -- client --wait 10s a\na\n\
             $ cargo run --quiet -- client b\nb\n"
        );
    }
}
