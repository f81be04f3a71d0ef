//! The page of a refusal, in the form that the client asks for.

use super::html;
use crate::head::Fields;
use crate::refusal::Refusal;

/// The page that shows a refusal, with its media type, in the form that the client asks
/// for.
pub fn page(refusal: &Refusal, fields: Option<&Fields>) -> (&'static str, String) {
    match fields.map_or(Form::Text, Form::preferred) {
        Form::Text => ("text/plain; charset=utf-8", format!("{refusal}\n")),
        Form::Json => (
            "application/json",
            format!(
                "{{\"status\":{},\"error\":{}}}\n",
                refusal.status.0,
                html::json(&refusal.to_string())
            ),
        ),
        Form::Html => ("text/html; charset=utf-8", html_page(refusal)),
    }
}

fn html_page(refusal: &Refusal) -> String {
    let title = format!("{} {}", refusal.status.0, refusal.status.reason());
    let body = format!(
        "<h1>{}</h1>\n<p>{}</p>\n",
        html::escape(&title),
        html::escape(&refusal.to_string())
    );
    html::page(&title, &body)
}

/// The forms in which pages are offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// For a person at a terminal, and for whoever does not say.
    Text,
    /// For a program.
    Json,
    /// For a browser.
    Html,
}

impl Form {
    /// What the Accept field asks for by name, or by the name of its kind. `*/*` is what curl and scripts send:
    /// they get text.
    pub fn preferred(fields: &Fields) -> Form {
        let mut best = (0, Form::Text);
        for (name, form) in [
            ("text/plain", Form::Text),
            ("application/json", Form::Json),
            ("text/html", Form::Html),
        ] {
            let weight = fields.type_weight(name);
            if weight > best.0 {
                best = (weight, form);
            }
        }
        best.1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::Status;

    fn accepting(accept: &str) -> Form {
        Form::preferred(&Fields::new(&[httparse::Header {
            name: "Accept",
            value: accept.as_bytes(),
        }]))
    }

    #[test]
    fn the_form_of_a_page_follows_accept() {
        assert_eq!(
            accepting("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
            Form::Html
        );
        assert_eq!(accepting("application/json"), Form::Json);
        assert_eq!(accepting("text/html;q=0.1, application/json;q=0.5"), Form::Json);
        assert_eq!(accepting("*/*"), Form::Text);
        assert_eq!(accepting("image/png"), Form::Text);
        assert_eq!(accepting("text/html;q=0"), Form::Text);
        assert_eq!(accepting("text/*"), Form::Text);
        assert_eq!(accepting("text/*;q=0.5, text/html"), Form::Html);
        assert_eq!(accepting("application/*"), Form::Json);
    }

    #[test]
    fn what_is_shown_in_html_is_escaped() {
        let list = [httparse::Header { name: "Accept", value: b"text/html" }];
        let refusal = Refusal::new(Status::BAD_REQUEST, "<script>");
        let (_, page) = page(&refusal, Some(&Fields::new(&list)));
        assert!(page.contains("&lt;script&gt;") && !page.contains("<script"));
    }

    #[test]
    fn whoever_does_not_say_gets_text() {
        let refusal = Refusal::bad("RFC 9112 section 3.2", "two Host headers");
        let text = "400: two Host headers (RFC 9112 section 3.2)\n".to_string();
        assert_eq!(page(&refusal, None), ("text/plain; charset=utf-8", text));
    }
}
