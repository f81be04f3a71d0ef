//! Pictures, light or dark as whoever looks has told the system or the browser.

use std::fmt::{Display, Write};

/// The ground, letters, lines and boxes, by day and by night.
const COLOURS: [(&str, &str, &str); 4] = [
    ("ground", "#fff", "#0d1117"),
    ("ink", "#1f2328", "#e6edf3"),
    ("line", "#8c959f", "#6e7681"),
    ("box", "#f6f8fa", "#161b22"),
];

pub struct Svg(String);

impl Svg {
    /// An empty one. In `style`, which is CSS, a colour is `var(--ink)` as above, or
    /// `var(--c0)` for the first of `colours`.
    pub fn new(
        (width, height): (usize, usize),
        title: &str,
        colours: &[(&str, &str)],
        style: &str,
    ) -> Svg {
        let base =
            "svg { background: var(--ground) }\ntext { fill: var(--ink) }\npath { fill: none }\n";
        // Written out for both: not every program that shows pictures knows variables.
        let (mut day, mut night) = (format!("{base}{style}"), format!("{base}{style}"));
        let own = colours.iter().enumerate();
        let own = own.map(|(number, (light, dark))| (format!("c{number}"), *light, *dark));
        let all = COLOURS.map(|(name, light, dark)| (name.to_string(), light, dark));
        for (name, light, dark) in all.into_iter().chain(own) {
            day = day.replace(&format!("var(--{name})"), light);
            night = night.replace(&format!("var(--{name})"), dark);
        }
        let title = escaped(title);
        Svg(format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" role=\"img\" aria-labelledby=\"title\">\n\
             <title id=\"title\">{title}</title>\n<style>\n{day}\
             @media (prefers-color-scheme: dark) {{\n{night}}}\n</style>\n"
        ))
    }

    pub fn text(&mut self, class: &str, (x, y): (impl Display, impl Display), words: &str) {
        let words = escaped(words);
        self.element(&format!("<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">{words}</text>"));
    }

    /// A line: `M` and a point where it begins, `L` and one to which it goes on.
    pub fn path(&mut self, class: &str, line: &str) {
        self.element(&format!("<path class=\"{class}\" d=\"{line}\"/>"));
    }

    pub fn element(&mut self, element: &str) {
        // Never fails: it is a text.
        let _ = writeln!(self.0, "{element}");
    }

    pub fn finish(self) -> String {
        self.0 + "</svg>\n"
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_whole_and_has_colours_for_day_and_night() {
        let style = "path { stroke: var(--c0) }\n";
        let mut svg = Svg::new((2, 1), "a<b", &[("#123", "#abc")], style);
        svg.text("name", (0.5, 1), "\"<&>\"");
        let svg = svg.finish();
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"), "{svg}");
        assert!(
            svg.contains(">a&lt;b</title>") && svg.contains("x=\"0.5\" y=\"1\">\"&lt;&amp;&gt;\"<")
        );
        let (day, night) = svg.split_once("@media").unwrap();
        assert!(day.contains("stroke: #123") && night.contains("stroke: #abc"), "{svg}");
    }
}
