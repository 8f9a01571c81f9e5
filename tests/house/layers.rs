//! Imports run one way. The module graph is read from the source: every path that begins with
//! `crate`, `super`, `self` or the crate's own name, macros included.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// The top-level modules, from the top down. A module imports only from those on lines below
/// its own; two on one line know nothing of each other.
const LAYERS: &[&[&str]] = &[
    &["main"],
    &["demo"],
    &["serve"],
    &["web"],
    &["worker"],
    &["livestream", "admin", "doctor"],
    &["account"],
    &["workspace"],
    &["reply"],
    &["app"],
    &["postgres", "telemetry"],
    &["config"],
    &["db"],
    &["slack", "zoom"],
    &["manifest"],
    &["command"],
    &["destination", "stream"],
    &["crypto", "http", "ids"],
    &["trace"],
];

/// A module, as the names on the way to it: `["web", "admin", "rules"]`; a `mod.rs` is named
/// by its folder.
type Module = Vec<String>;

/// Which module takes something from which, and which path says so.
type Imports = BTreeMap<(Module, Module), String>;

/// The modules that have a file of their own.
fn modules(dir: &Path) -> BTreeMap<Module, PathBuf> {
    let mut found = BTreeMap::new();
    let mut folders = vec![(dir.to_owned(), Module::new())];
    while let Some((folder, above)) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder of src") {
            let path = entry.expect("an entry").path();
            let name = path.file_stem().expect("a name").to_string_lossy();
            let module = [above.as_slice(), &[name.to_string()]].concat();
            if path.is_dir() {
                folders.push((path, module));
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                match &*name {
                    // The crate's root names every module: that is what it is for.
                    "lib" if above.is_empty() => {}
                    "mod" => drop(found.insert(above.clone(), path)),
                    _ => drop(found.insert(module, path)),
                }
            }
        }
    }
    found
}

/// Every import between files of the crate.
fn imports() -> Imports {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = modules(&src);
    let mut imports = Imports::new();
    for (module, path) in &files {
        let text = std::fs::read_to_string(path).expect("a source file");
        let mut paths = Vec::new();
        read(text.parse().expect("Rust"), module, &mut paths);
        for path in paths {
            if let Some(target) = file_of(&path, &files)
                && target != *module
            {
                let arrow = (module.clone(), target);
                imports.entry(arrow).or_insert_with(|| path.join("::"));
            }
        }
    }
    imports
}

/// The file that a path leads to: that of the longest module on it.
fn file_of(path: &[String], files: &BTreeMap<Module, PathBuf>) -> Option<Module> {
    (1..=path.len())
        .rev()
        .map(|length| path[..length].to_vec())
        .find(|module| files.contains_key(module))
}

/// Collects the paths from the crate's root in some tokens of `module`.
fn read(tokens: TokenStream, module: &[String], paths: &mut Vec<Vec<String>>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut at = 0;
    while at < tokens.len() {
        match &tokens[at] {
            TokenTree::Ident(name) if name == "mod" && is_inline_module(&tokens[at..]) => {
                let inner = [module, &[tokens[at + 1].to_string()]].concat();
                if let TokenTree::Group(group) = &tokens[at + 2] {
                    read(group.stream(), &inner, paths);
                }
                at += 3;
            }
            // `pub(super)` and `pub(in crate::web)` import nothing.
            TokenTree::Ident(name) if name == "pub" && is_parenthesised(tokens.get(at + 1)) => {
                at += 2;
            }
            TokenTree::Ident(name) if at == 0 || !is_colon(&tokens[at - 1]) => {
                let start = match name.to_string().as_str() {
                    "crate" | "livestream_bot" => Some(Vec::new()),
                    "super" => module.split_last().map(|(_, above)| above.to_vec()),
                    "self" => Some(module.to_vec()),
                    _ => None,
                };
                if let Some(start) = start {
                    follow(&tokens[at + 1..], start, paths);
                }
                at += 1;
            }
            TokenTree::Group(group) => {
                read(group.stream(), module, paths);
                at += 1;
            }
            _ => at += 1,
        }
    }
}

fn is_inline_module(tokens: &[TokenTree]) -> bool {
    matches!(tokens, [_, TokenTree::Ident(_), TokenTree::Group(body), ..]
        if body.delimiter() == Delimiter::Brace)
}

fn is_parenthesised(token: Option<&TokenTree>) -> bool {
    matches!(token, Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis)
}

fn is_colon(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == ':')
}

/// Follows `::a::b` or `::{a, b::c}` from a module on.
fn follow(tokens: &[TokenTree], mut path: Vec<String>, paths: &mut Vec<Vec<String>>) {
    let mut rest = tokens;
    while let [first, second, next, ..] = rest
        && is_colon(first)
        && is_colon(second)
    {
        match next {
            TokenTree::Ident(name) if name == "super" => drop(path.pop()),
            TokenTree::Ident(name) => path.push(name.to_string()),
            TokenTree::Group(group) => {
                let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                let is_comma =
                    |token: &TokenTree| matches!(token, TokenTree::Punct(p) if p.as_char() == ',');
                for branch in inner.split(is_comma) {
                    if let [TokenTree::Ident(name), rest @ ..] = branch {
                        let mut path = path.clone();
                        if name != "self" {
                            path.push(name.to_string());
                        }
                        follow(rest, path, paths);
                    }
                }
                return;
            }
            _ => break,
        }
        rest = &rest[3..];
    }
    if !path.is_empty() {
        paths.push(path);
    }
}

/// The line of a top-level module in [`LAYERS`], 0 at the top.
fn layer(module: &Module) -> usize {
    let layer = LAYERS
        .iter()
        .position(|layer| layer.contains(&module[0].as_str()));
    layer.unwrap_or_else(|| panic!("src/{} is in no layer: add it to LAYERS", module[0]))
}

#[test]
fn imports_run_down_the_layers() {
    let upward: Vec<String> = imports()
        .iter()
        .filter(|((from, to), _)| from[0] != to[0] && layer(from) >= layer(to))
        .map(|((from, _), path)| format!("{} imports {path}", from.join("/")))
        .collect();
    assert!(upward.is_empty(), "imports that run up: {upward:#?}");
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let imports = imports();
    let in_circle: Vec<String> = imports
        .iter()
        .filter(|((from, to), _)| reaches(to, from, &imports))
        .map(|((from, _), path)| format!("{} imports {}", from.join("/"), path))
        .collect();
    assert!(in_circle.is_empty(), "imports in circles: {in_circle:#?}");
}

/// Whether following the imports of a file leads to another.
fn reaches(from: &Module, to: &Module, imports: &Imports) -> bool {
    let (mut seen, mut next) = (BTreeSet::new(), vec![from]);
    while let Some(module) = next.pop() {
        if module == to {
            return true;
        }
        if seen.insert(module) {
            let targets = imports.keys().filter(|(importer, _)| importer == module);
            next.extend(targets.map(|(_, target)| target));
        }
    }
    false
}

/// What both stand-ins use of the demo.
const SHARED_BY_STAND_INS: [&str; 7] = [
    "browser",
    "clock",
    "page",
    "params",
    "people",
    "signature",
    "wire",
];

/// The stand-ins check the product, so they share no code with it.
#[test]
fn the_stand_ins_for_slack_and_zoom_use_nothing_of_the_product() {
    let is_stand_in = |module: &Module| {
        module.len() > 1
            && module[0] == "demo"
            && (["slack", "zoom"].contains(&module[1].as_str())
                || SHARED_BY_STAND_INS.contains(&module[1].as_str()))
    };
    let foreign: Vec<String> = imports()
        .iter()
        .filter(|((from, to), _)| is_stand_in(from) && !is_stand_in(to))
        .map(|((from, _), path)| format!("{} imports {path}", from.join("/")))
        .collect();
    assert!(foreign.is_empty(), "imports of the product: {foreign:#?}");
}

#[test]
fn every_way_to_write_an_import_is_read() {
    let mut paths = Vec::new();
    let source = "
        use crate::{a::{b, c as d}, e};
        use super::f;
        fn g() { h! { (crate::i::J) } self::k::l(); x::crate_::m }
        pub(in crate::web) struct O;
        mod tests { use super::*; use super::super::n; }
    ";
    let here = ["web".to_owned(), "link".to_owned()];
    read(source.parse().expect("Rust"), &here, &mut paths);
    let paths: Vec<String> = paths.iter().map(|path| path.join("::")).collect();
    assert_eq!(
        paths,
        [
            "a::b",
            "a::c",
            "e",
            "web::f",
            "i::J",
            "web::link::k::l",
            "web::link",
            "web::n"
        ]
    );
}
