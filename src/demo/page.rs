//! The pages on which a stand-in asks a person something.

use std::fmt::Write;

use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, LOCATION};
use axum::response::{Html, IntoResponse, Response};
use url::Url;

use super::params::Fields;

/// The field that says which button was pressed.
pub(super) const CHOICE: &str = "choice";

const STYLE: &str = "\
    :root { color-scheme: light dark; --bg: #f6f6f8; --surface: #fff; --text: #17181c; --muted: #5a5e69; --line: #e2e3e8; \
    --edge: #858a95; --hover: #f0f0f3; --ring: #4b5ef0 } \
    @media (prefers-color-scheme: dark) { :root { --bg: #0f1013; --surface: #17181c; --text: #ededf1; --muted: #a3a8b4; \
    --line: #2b2d35; --edge: #71767f; --hover: #1f2026; --ring: #8d9bff } } \
    body { margin: 0; padding: 6vh 1.25rem; color: var(--text); background: var(--bg); \
    font: .9375rem/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif } \
    main { max-width: 26rem; margin: 0 auto; padding: 1.5rem; background: var(--surface); \
    border: 1px solid var(--line); border-radius: .75rem } \
    h1 { margin: 0; font-size: 1.5rem; line-height: 1.2; letter-spacing: -.015em } \
    p { margin: .5rem 0 1rem } h1 + p { color: var(--muted); font-size: .8125rem } \
    button { display: block; width: 100%; min-height: 2.75rem; margin: .5rem 0 0; padding: .25rem .9rem; \
    color: inherit; background: var(--surface); border: 1px solid var(--edge); border-radius: .5rem; \
    font: inherit; font-weight: 500; cursor: pointer } \
    button:hover { background: var(--hover) } \
    :focus-visible { outline: 2px solid var(--ring); outline-offset: 2px }";

/// A question with one button for each answer.
pub(super) struct Question<'a> {
    /// Whose page it is.
    pub(super) host: &'static str,
    pub(super) text: &'static str,
    /// Where the answer goes.
    pub(super) action: &'static str,
    /// What goes along with the answer.
    pub(super) fields: &'a Fields,
    /// What each button sends, and what it says.
    pub(super) choices: Vec<(&'static str, String)>,
}

impl Question<'_> {
    pub(super) fn page(&self) -> Response {
        let mut form = format!("<form method=\"post\" action=\"{}\">", self.action);
        for (name, value) in self.fields.iter() {
            let (name, value) = (escape(name), escape(value));
            let _ = write!(
                form,
                r#"<input type="hidden" name="{name}" value="{value}">"#
            );
        }
        for (value, label) in &self.choices {
            let (value, label) = (escape(value), escape(label));
            let _ = write!(
                form,
                r#"<button name="{CHOICE}" value="{value}">{label}</button>"#
            );
        }
        form.push_str("</form>");
        let main = format!("<p>{}</p>{form}", escape(self.text));
        Html(page(self.host, &main)).into_response()
    }
}

/// The page of an address at which the vendor's own program would open.
pub(super) fn elsewhere(host: &str, text: &str) -> Response {
    Html(page(host, &format!("<p>{}</p>", escape(text)))).into_response()
}

/// The page of a request that cannot be answered with a redirect.
pub(super) fn refusal(host: &str, problem: &str) -> Response {
    let main = format!("<p>{}</p>", escape(problem));
    (StatusCode::BAD_REQUEST, Html(page(host, &main))).into_response()
}

/// Sends the browser back to where it came from.
pub(super) fn redirect(mut to: Url, pairs: &[(&str, &str)]) -> Response {
    to.query_pairs_mut().extend_pairs(pairs);
    let headers = [(LOCATION, to.as_str()), (CACHE_CONTROL, "no-store")];
    (StatusCode::SEE_OTHER, headers).into_response()
}

fn page(host: &str, main: &str) -> String {
    let name = host.trim_start_matches("Demo ");
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <title>{host}</title><link rel=\"icon\" href=\"data:,\"><style>{STYLE}</style></head>\
         <body><main><h1>{host}</h1><p>This is a stand-in, not {name}.</p>{main}</main></body></html>"
    )
}

const ESCAPES: [(&str, &str); 5] = [
    ("&", "&amp;"),
    ("<", "&lt;"),
    (">", "&gt;"),
    ("\"", "&quot;"),
    ("'", "&#39;"),
];

fn escape(text: &str) -> String {
    ESCAPES
        .iter()
        .fold(text.to_owned(), |text, (plain, escaped)| {
            text.replace(plain, escaped)
        })
}

/// The ampersand comes last, so that nothing is taken back twice.
pub(super) fn unescape(text: &str) -> String {
    ESCAPES
        .iter()
        .rev()
        .fold(text.to_owned(), |text, (plain, escaped)| {
            text.replace(escaped, plain)
        })
}
