//! The exercises of the rungs: `docs/exercises/RUNG/N.rs` and `N.py`, each with its task,
//! its hints, its solution and its check in one file.
//!
//! Nothing of the library is used here: the build script that proves them includes this file.

use std::fs;
use std::path::Path;

/// Where they are in the workspace.
pub const FOLDER: &str = "docs/exercises";

/// Between the lines that hold these words is the solution, which a reader has to find.
const SOLUTION: [&str; 2] = ["Solution:", "End."];

/// What an exercise is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// A library whose tests are the check.
    Rust,
    /// A program that is run against the rung's server, whose port it is given.
    Python,
}

/// One exercise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exercise {
    /// The package of its rung.
    pub rung: String,
    /// From 1, in the order of the rung.
    pub number: usize,
    pub language: Language,
    /// One line.
    pub title: String,
    /// What is to be done, in Markdown.
    pub task: String,
    pub hints: Vec<String>,
    /// Arguments of the server that a Python program is run against.
    pub server: String,
    /// What the Python program is to print.
    pub prints: String,
    /// What the reader begins with.
    pub stub: String,
    /// What stands in the place of `todo!()`.
    pub solution: String,
}

impl Exercise {
    /// The stub with the solution in it.
    pub fn solved(&self) -> String {
        let Marks { todo, .. } = self.language.marks();
        let line = self.stub.lines().find(|line| line.trim_start() == todo).unwrap_or_default();
        let indent = &line[..line.len() - line.trim_start().len()];
        let lines: Vec<String> =
            self.solution.lines().map(|line| format!("{indent}{line}").trim_end().into()).collect();
        self.stub.replacen(line, &lines.join("\n"), 1)
    }
}

/// How an exercise is written in a language.
struct Marks {
    /// What its files end with.
    end: &'static str,
    /// The file that the reader writes into.
    file: &'static str,
    comment: &'static str,
    /// What begins a line of the text above the code.
    above: &'static str,
    /// What stands where the solution will.
    todo: &'static str,
}

const RUST: Marks =
    Marks { end: "rs", file: "src/lib.rs", comment: "//", above: "//!", todo: "todo!()" };

const PYTHON: Marks = Marks {
    end: "py",
    file: "exercise.py",
    comment: "#",
    above: "#",
    todo: "raise NotImplementedError(\"not yet implemented\")",
};

impl Language {
    /// The file that the reader writes into.
    pub fn file(self) -> &'static str {
        self.marks().file
    }

    fn marks(self) -> Marks {
        match self {
            Language::Rust => RUST,
            Language::Python => PYTHON,
        }
    }
}

/// Those of a rung, in their order.
///
/// # Errors
/// A file that is none, with what it lacks.
pub fn of_rung(root: &Path, rung: &str) -> Result<Vec<Exercise>, String> {
    let file = |number: usize, language: Language| {
        let name = format!("{number}.{}", language.marks().end);
        let path = root.join(FOLDER).join(rung).join(name);
        path.exists().then_some((number, language, path))
    };
    let files = (1..).map_while(|number| {
        file(number, Language::Rust).or_else(|| file(number, Language::Python))
    });
    files
        .map(|(number, language, path)| {
            let text = fs::read_to_string(&path).map_err(|error| error.to_string());
            text.and_then(|text| read(rung, number, language, &text.replace("\r\n", "\n")))
                .map_err(|why| format!("{}: {why}", path.display()))
        })
        .collect()
}

/// The exercise that a file holds.
///
/// # Errors
/// What it lacks.
pub fn read(rung: &str, number: usize, language: Language, text: &str) -> Result<Exercise, String> {
    let Marks { comment, above, todo, .. } = language.marks();
    let in_head = |line: &&str| line.starts_with(above);
    let head: Vec<&str> = text.lines().take_while(in_head).collect();
    let body: Vec<&str> = text.lines().skip(head.len()).collect();
    let head: Vec<&str> = head.iter().map(|line| line[above.len()..].trim()).collect();
    let mut paragraphs = head.split(|line| line.is_empty()).filter(|lines| !lines.is_empty());
    let title = paragraphs.next().ok_or("it has no title")?.join(" ");
    let (mut task, mut hints) = (Vec::new(), Vec::new());
    let (mut server, mut prints) = (String::new(), String::new());
    for lines in paragraphs {
        if let Some(hint) = lines[0].strip_prefix("Hint: ") {
            hints.push([&[hint], &lines[1..]].concat().join(" "));
        } else if let Some(args) = lines[0].strip_prefix("Server: ") {
            server = args.into();
        } else if lines[0] == "Prints:" {
            prints = lines[1..].iter().map(|line| format!("{line}\n")).collect();
        } else {
            task.push(lines.join("\n"));
        }
    }
    if task.is_empty() || hints.is_empty() {
        return Err("it has no task, or no `Hint: `".into());
    }
    if (language == Language::Python) == prints.is_empty() {
        return Err("a Python program, and no other, has a paragraph `Prints:`".into());
    }
    let task = task.join("\n\n");
    let [begin, end] = SOLUTION.map(|word| {
        let mark = format!("{comment} {word}");
        body.iter().position(|line| line.trim() == mark)
    });
    let (Some(begin), Some(end)) = (begin, end) else {
        return Err("no solution is marked".into());
    };
    let indent = &body[begin][..body[begin].len() - body[begin].trim_start().len()];
    let told: String = [&title, ""]
        .into_iter()
        .chain(task.lines())
        .map(|line| format!("{above} {line}").trim_end().to_string() + "\n")
        .collect();
    let todo = format!("{indent}{todo}");
    let stub = [&body[..begin], &[todo.as_str()], &body[end + 1..]].concat().join("\n");
    let solution: Vec<&str> = body[begin + 1..end]
        .iter()
        .map(|line| line.strip_prefix(indent).unwrap_or(line.trim_start()))
        .collect();
    Ok(Exercise {
        rung: rung.into(),
        number,
        language,
        title,
        task,
        hints,
        server,
        prints,
        stub: format!("{told}{stub}\n"),
        solution: solution.join("\n"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stub_is_the_file_without_its_hints_and_its_solution() {
        let text = "//! Two\n//!\n//! Return two.\n//!\n//! Hint: one\n//! and one\n\n\
                    fn two() -> u8 {\n    // Solution:\n    2\n    // End.\n}\n";
        let read = read("a-echo", 1, Language::Rust, text).unwrap();
        assert_eq!(
            read.stub,
            "//! Two\n//!\n//! Return two.\n\nfn two() -> u8 {\n    todo!()\n}\n"
        );
        assert_eq!((read.hints, read.solution.as_str()), (vec!["one and one".into()], "2"));
    }

    #[test]
    fn a_python_program_says_what_its_server_is_told_and_what_it_prints() {
        let text = "# Two\n#\n# Print two.\n#\n# Hint: 2\n#\n# Server: --upper\n#\n# Prints:\n# 2\n# b\n\n\
                    def two():\n    # Solution:\n    return 2\n    # End.\n";
        let read = read("a-echo", 1, Language::Python, text).unwrap();
        assert_eq!((read.server.as_str(), read.prints.as_str()), ("--upper", "2\nb\n"));
        assert!(read.stub.ends_with("    raise NotImplementedError(\"not yet implemented\")\n"));
    }

    #[test]
    fn what_a_file_lacks_is_told() {
        for (text, why) in [
            ("fn a() {}\n", "no title"),
            ("//! A\n//!\n//! Do.\n\nfn a() {}\n", "no `Hint: `"),
            ("//! A\n//!\n//! Do.\n//!\n//! Hint: b\n\nfn a() {}\n", "no solution"),
            ("//! A\n//!\n//! Do.\n//!\n//! Hint: b\n//!\n//! Prints:\n//! a\n", "a Python"),
        ] {
            assert!(read("a", 1, Language::Rust, text).unwrap_err().contains(why), "{text}");
        }
    }

    #[test]
    fn every_rung_has_two_and_each_file_is_one_of_them() {
        let ladder = crate::Ladder::load().unwrap();
        for rung in &ladder.rungs {
            let found = of_rung(&ladder.root, &rung.name).unwrap().len();
            let files = fs::read_dir(ladder.root.join(FOLDER).join(&rung.name)).unwrap().count();
            assert!(found >= 2 && found == files, "{} has {found} in {files} files", rung.name);
        }
    }
}
