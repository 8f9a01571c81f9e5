//! Whether the docs name what exists: relative links, files and tests.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The Markdown files at the top and in `docs/`, with their texts.
fn pages() -> Vec<(PathBuf, String)> {
    let mut pages = Vec::new();
    for folder in [root().to_owned(), root().join("docs")] {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.extension().is_some_and(|extension| extension == "md") {
                let text = std::fs::read_to_string(&path).expect("a page");
                pages.push((path, text));
            }
        }
    }
    assert!(pages.len() > 2, "the pages are found");
    pages
}

/// Every file of Rust below a folder, joined.
fn sources(folder: &Path) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            text += &sources(&path);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text += &std::fs::read_to_string(&path).expect("a source file");
        }
    }
    text
}

/// The address of a heading, as forges make it.
fn anchor(heading: &str) -> String {
    let heading = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = heading
        .chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

fn anchors(text: &str) -> BTreeSet<String> {
    text.lines()
        .filter(|line| line.starts_with('#'))
        .map(anchor)
        .collect()
}

#[test]
fn every_relative_link_leads_somewhere() {
    for (page, text) in pages() {
        for target in text.split("](").skip(1) {
            let target = target.split(')').next().expect("a part");
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            let (file, fragment) = target.split_once('#').unwrap_or((target, ""));
            let file = if file.is_empty() {
                page.clone()
            } else {
                page.parent().expect("a folder").join(file)
            };
            assert!(file.exists(), "{}: {target} leads nowhere", page.display());
            if !fragment.is_empty() {
                let text = std::fs::read_to_string(&file).expect("a page");
                let has_it = anchors(&text).contains(fragment);
                assert!(has_it, "{}: no heading for {target}", page.display());
            }
        }
    }
}

/// What stands between single backticks outside of code blocks.
fn code_spans(text: &str) -> Vec<&str> {
    let prose = text.split("```").step_by(2);
    prose
        .flat_map(|part| part.lines())
        .flat_map(|line| line.split('`').skip(1).step_by(2))
        .collect()
}

#[test]
fn every_file_and_test_that_is_named_exists() {
    let (tests, src) = (sources(&root().join("tests")), sources(&root().join("src")));
    let is_file = |span: &str| {
        [
            "src/",
            "tests/",
            "docs/",
            "benches/",
            "migrations/",
            "deploy/",
            ".ci/",
        ]
        .iter()
        .any(|folder| span.starts_with(folder))
            && !span.contains([' ', '*', '{', '<', '…'])
    };
    // Tests are named by sentences; metrics begin with the program's name.
    let is_test = |span: &str| {
        span.matches('_').count() >= 4
            && !span.starts_with("livestream_bot_")
            && span.chars().all(|c| c.is_ascii_lowercase() || c == '_')
    };
    let mut named = (0, 0);
    for (page, text) in pages() {
        let page = page.display();
        for span in code_spans(&text) {
            if is_file(span) {
                named.0 += 1;
                assert!(root().join(span).exists(), "{page}: there is no {span}");
            } else if is_test(span) {
                named.1 += 1;
                let function = format!("fn {span}(");
                let exists = tests.contains(&function) || src.contains(&function);
                assert!(exists, "{page}: there is no test {span}");
            }
        }
    }
    assert!(named.0 > 5 && named.1 > 5, "{named:?} are found");
}

/// The emoji that lines of a text begin with, such as `:warning:`.
fn emoji(text: &str) -> BTreeSet<&str> {
    let words = text.lines().filter_map(|line| line.split(' ').next());
    let is_emoji = |word: &&str| word.len() > 2 && word.starts_with(':') && word.ends_with(':');
    words.filter(is_emoji).collect()
}

#[test]
fn the_demo_shows_every_emoji_of_the_messages() {
    let read = |path: &Path| std::fs::read_to_string(path).expect("a file");
    let drawn = read(&root().join("src/demo/emoji.rs"));
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(root().join("tests/catalogue")).expect("a folder") {
        let words = read(&entry.expect("an entry").path());
        found.extend(emoji(&words).into_iter().map(ToOwned::to_owned));
    }
    assert!(found.len() > 5, "the emoji are found: {found:?}");
    for code in found {
        let name = code.trim_matches(':');
        assert!(drawn.contains(&format!("(\"{name}\", ")), "{code}");
    }
}
