//! What counts as a line of code: what a reader has to understand.

/// Where the tests of a file begin. They stand at its end.
const TESTS: &str = "\n#[cfg(test)]\nmod tests {";

/// The lines of code of a source file: without its tests, comments and blank lines.
pub fn only(source: &str) -> String {
    let is_code = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with("//");
    program(source).lines().filter(is_code).map(|line| format!("{line}\n")).collect()
}

pub fn lines(source: &str) -> usize {
    only(source).lines().count()
}

pub fn program(source: &str) -> &str {
    source.split_once(TESTS).map_or(source, |(program, _)| program)
}

#[cfg(test)]
mod tests {
    #[test]
    fn comments_blank_lines_and_tests_are_not_counted() {
        let source = "//! Doc.\n\nfn a() {\n    // Why.\n    b(); // and how\n}\n\n#[cfg(test)]\nmod tests {\n}\n";
        assert_eq!(super::lines(source), 3);
        assert_eq!(super::lines(""), 0);
    }
}
