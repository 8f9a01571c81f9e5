//! Reads settings from environment variables and files, and collects every problem with them.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::settings;

/// The environment variables, and the problems found in them so far.
pub(super) struct Env {
    variables: HashMap<OsString, OsString>,
    problems: Vec<Problem>,
}

/// How long a settings file may be, in bytes.
const FILE_MAX: u64 = 64 * 1024;

/// A setting cannot be used, and [`Env`] has recorded why. Only `Env` can make one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reported(());

/// A parsed value, or what is wrong with it. The text is constant, so that it cannot contain
/// the value, which may be a secret.
pub(super) type Parsed<T> = Result<T, &'static str>;

/// Every setting that is missing or cannot be used, one per line.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    problems: Vec<Problem>,
}

/// A setting that is missing or cannot be used: what is wrong, and how to correct it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The variable.
    pub name: String,
    pub text: String,
}

/// Builds a struct from fields that are each a `Result<_, Reported>`. All of them are evaluated
/// before the first error is returned, so that every problem is recorded.
macro_rules! try_all {
    ($struct:ident { $($field:ident: $value:expr),+ $(,)? }) => {{
        $(let $field = $value;)+
        Ok($struct { $($field: $field?),+ })
    }};
}
pub(super) use try_all;

impl Env {
    /// The environment of this process.
    pub(super) fn from_process() -> Self {
        Self::new(std::env::vars_os())
    }

    fn new(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        Self {
            variables: variables.into_iter().collect(),
            problems: Vec::new(),
        }
    }

    /// Only these variables.
    #[cfg(test)]
    pub(super) fn from_pairs<N: Into<OsString>, V: Into<OsString>>(
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        Self::new(
            pairs
                .into_iter()
                .map(|(name, value)| (name.into(), value.into())),
        )
    }

    /// Runs `read`, and fails with every problem that it found.
    pub(super) fn read<T>(
        mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Reported>,
    ) -> Result<T, ConfigError> {
        match read(&mut self) {
            Ok(value) if self.problems.is_empty() => Ok(value),
            _ => Err(ConfigError {
                problems: self.problems,
            }),
        }
    }

    /// A setting that must be set.
    pub(super) fn required<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Parsed<T>,
    ) -> Result<T, Reported> {
        let value = self.value(name)?;
        let parsed = value.as_deref().ok_or("it is not set").and_then(parse);
        parsed.map_err(|problem| self.refuse(name, problem))
    }

    /// A setting that may be left out.
    pub(super) fn optional<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Parsed<T>,
    ) -> Result<Option<T>, Reported> {
        let value = self.value(name)?;
        let parsed = value.as_deref().map(parse).transpose();
        parsed.map_err(|problem| self.refuse(name, problem))
    }

    /// A setting that has the value `default` where it is left out.
    pub(super) fn or_default<T>(
        &mut self,
        name: &str,
        default: &str,
        parse: impl FnOnce(&str) -> Parsed<T>,
    ) -> Result<T, Reported> {
        let value = self.value(name)?;
        let parsed = parse(value.as_deref().unwrap_or(default));
        parsed.map_err(|problem| self.refuse(name, problem))
    }

    /// The value of another setting, if it can be used.
    pub(super) fn peek<T>(
        &self,
        name: &str,
        default: &str,
        parse: impl FnOnce(&str) -> Parsed<T>,
    ) -> Option<T> {
        let value = self.lookup(name).ok()?;
        parse(value.as_deref().unwrap_or(default)).ok()
    }

    /// Whether any of these settings is set, or cannot be read.
    pub(super) fn any_set(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.lookup(name) != Ok(None))
    }

    fn value(&mut self, name: &str) -> Result<Option<String>, Reported> {
        self.lookup(name).map_err(|problem| self.report(problem))
    }

    /// The value of the variable `name`, or of the file that `name_FILE` names, without
    /// surrounding white space and the mark (BOM) that some editors put before it. An empty variable
    /// counts as not set; an empty file does not, because somebody meant to set something.
    fn lookup(&self, name: &str) -> Result<Option<String>, Problem> {
        let file_name = format!("{name}_FILE");
        let variable = |name: &str| self.variable(name);
        let value = match (variable(name), variable(&file_name)) {
            (None, None) => return Ok(None),
            (Some(value), None) => value
                .clone()
                .into_string()
                .map_err(|_| Problem::new(name, "it is not valid UTF-8"))?,
            // The path is not repeated: somebody may have put the secret itself there.
            (None, Some(path)) => {
                read_file(path.as_ref()).map_err(|text| Problem::new(&file_name, text))?
            }
            (Some(_), Some(_)) => {
                return Err(Problem::new(
                    &file_name,
                    format!("{name} is set as well; set one of the two"),
                ));
            }
        };
        let value = value.trim().trim_start_matches('\u{feff}').trim();
        let source = &self.source(name);
        if value.is_empty() && *source == file_name {
            return Err(Problem::new(source, "the file is empty"));
        }
        if is_quoted(value) {
            return Err(Problem::new(
                source,
                "its value stands in quotes; leave them out",
            ));
        }
        let before = value.split(['=', ':']).next().unwrap_or_default();
        if before.len() < value.len() && before.trim().eq_ignore_ascii_case(name) {
            let text = format!("its value begins with its own name, {name}; leave that out");
            return Err(Problem::new(source, text));
        }
        Ok((!value.is_empty()).then(|| value.to_owned()))
    }

    /// A variable that is set, and not to nothing.
    fn variable(&self, name: &str) -> Option<&OsString> {
        let value = self.variables.get(OsStr::new(name))?;
        let is_blank = value.to_str().is_some_and(|value| value.trim().is_empty());
        (!is_blank).then_some(value)
    }

    /// The variable that a value comes from.
    fn source(&self, name: &str) -> String {
        let file_name = format!("{name}_FILE");
        if self.variable(name).is_none() && self.variable(&file_name).is_some() {
            file_name
        } else {
            name.to_owned()
        }
    }

    /// Reports a value that cannot be used, and where the right one is found.
    fn refuse(&mut self, name: &str, problem: &str) -> Reported {
        let found = settings::find(name).map_or("", |setting| setting.found);
        let text = if found.is_empty() {
            problem.to_owned()
        } else {
            format!("{problem}; {found}")
        };
        self.report(Problem::new(&self.source(name), text))
    }

    /// Variables that were meant to be settings, as it seems: their names are nearly those of
    /// settings, or begin as those of Slack, Zoom and OpenTelemetry do. And those that are none, and count
    /// all the same.
    pub(super) fn misspelt(&self) -> Vec<Problem> {
        let known =
            |name: &str| settings::find(name.strip_suffix("_FILE").unwrap_or(name)).is_some();
        let names = self.variables.keys().filter_map(|name| name.to_str());
        let mut names: Vec<_> = names
            .filter(|name| is_printable(name) && !known(name))
            .collect();
        names.sort_unstable();
        let is_database_set = self.lookup("DATABASE_URL") != Ok(None);
        let misspelt = names.into_iter().filter_map(|name| {
            let text = match settings::nearest(name) {
                None if is_database_set && POSTGRES.contains(&name) => {
                    "PostgreSQL's own variables are no settings here, and count where DATABASE_URL does not say the same; \
                     write it there, and unset this"
                        .to_owned()
                }
                Some(nearest) => format!("no setting has this name; did you mean {nearest}?"),
                None if ["SLACK_", "ZOOM_", "OTEL_"]
                    .iter()
                    .any(|party| name.starts_with(party)) =>
                {
                    "no setting has this name, so it is not used".to_owned()
                }
                None => return None,
            };
            Some(Problem::new(name, text))
        });
        misspelt.collect()
    }

    fn report(&mut self, problem: Problem) -> Reported {
        self.problems.push(problem);
        Reported(())
    }
}

/// The text of a settings file, or what is wrong with it.
fn read_file(path: &Path) -> Result<String, String> {
    let unreadable = |error: io::Error| format!("the file cannot be read: {error}");
    // A pipe could keep the program waiting for ever: only what is a file is opened.
    if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err("it is no regular file; name one".to_owned());
    }
    let mut text = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(FILE_MAX + 1)
        .read_to_end(&mut text)
        .map_err(unreadable)?;
    if text.len() as u64 > FILE_MAX {
        return Err(format!(
            "the file has more than {} KiB; it must hold the value alone",
            FILE_MAX / 1024
        ));
    }
    String::from_utf8(text).map_err(|_| "the file is not UTF-8 text; save it as that".to_owned())
}

/// What fills in for parts that `DATABASE_URL` leaves out.
/// <https://www.postgresql.org/docs/current/libpq-envars.html>
const POSTGRES: [&str; 12] = [
    "PGHOST",
    "PGHOSTADDR",
    "PGPORT",
    "PGUSER",
    "PGPASSWORD",
    "PGDATABASE",
    "PGSSLMODE",
    "PGSSLROOTCERT",
    "PGSSLCERT",
    "PGSSLKEY",
    "PGAPPNAME",
    "PGOPTIONS",
];

/// Whether a variable's name can be repeated: somebody may have put a secret there.
fn is_printable(name: &str) -> bool {
    let is_usual = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    name.len() <= 40 && name.chars().all(is_usual)
}

/// Quotes are part of a value wherever no shell takes them away: in a file, in Docker's
/// `--env-file`, in a unit of Kubernetes.
fn is_quoted(value: &str) -> bool {
    let quotes = [('"', '"'), ('\'', '\''), ('`', '`'), ('“', '”')];
    let ends = (value.chars().next(), value.chars().next_back());
    value.chars().count() > 1
        && quotes
            .iter()
            .any(|&(open, close)| ends == (Some(open), Some(close)))
}

impl Problem {
    pub(super) fn new(name: &str, text: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            text: text.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.text)
    }
}

impl ConfigError {
    /// This one setting cannot be used.
    pub fn of(name: &str, text: impl Into<String>) -> Self {
        Self {
            problems: vec![Problem::new(name, text)],
        }
    }

    /// What is wrong, a setting each.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Adds these problems after the others: what is not set may be there under another name.
    #[must_use]
    pub fn with(mut self, problems: impl IntoIterator<Item = Problem>) -> Self {
        self.problems.extend(problems);
        self
    }

    /// Adds the problems of `other` after these.
    pub(super) fn and(mut self, other: Self) -> Self {
        self.problems.extend(other.problems);
        self
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{problem}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::ffi::OsStringExt;

    use super::*;

    fn text(value: &str) -> Parsed<String> {
        if value == "bad" {
            Err("it must not be bad")
        } else {
            Ok(value.to_owned())
        }
    }

    /// The values of `A` (required), `B` (optional) and `C` (`c` by default).
    fn read(env: Env) -> Result<(String, Option<String>, String), String> {
        env.read(|env| {
            let a = env.required("A", text);
            let b = env.optional("B", text);
            let c = env.or_default("C", "c", text);
            Ok((a?, b?, c?))
        })
        .map_err(|error| error.to_string())
    }

    #[test]
    fn values_are_trimmed_and_an_empty_one_counts_as_not_set() {
        let env = Env::from_pairs([("A", " a\n"), ("B", " "), ("C", "")]);
        assert_eq!(read(env), Ok(("a".to_owned(), None, "c".to_owned())));
    }

    #[test]
    fn every_problem_is_on_a_line_of_its_own() {
        let env = Env::from_pairs([("B", "bad"), ("C", "bad")]);
        let expected = "A: it is not set\nB: it must not be bad\nC: it must not be bad";
        assert_eq!(read(env), Err(expected.to_owned()));
    }

    #[test]
    fn a_problem_says_where_the_value_is_found() {
        for (value, expected) in [("", "it is not set"), ("bad", "it must not be bad")] {
            let env = Env::from_pairs([("TOKEN_KEYS", value)]);
            let error = env
                .read(|env| env.required("TOKEN_KEYS", text))
                .expect_err("a problem");
            let expected = format!("TOKEN_KEYS: {expected}; make one with: echo");
            assert!(error.to_string().starts_with(&expected), "{error}");
        }
    }

    #[test]
    fn names_that_no_setting_has_are_told_without_a_value() {
        let env = Env::from_pairs([
            ("SLACK_SIGNING_SECRT", "sesame"),
            ("ZOOM_ACCOUNT_ID", "sesame"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("TOKEN_KEY_FILE", "sesame"),
            ("SLACK_APP_ID", "A1"),
            ("ZOOM_CLIENT_ID_FILE", "/run/id"),
            ("SLACK_xoxb-sesame", "sesame"),
            ("PATH", "/bin"),
        ]);
        let told: Vec<_> = env.misspelt().iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "OTEL_EXPORTER_OTLP_PROTOCOL: no setting has this name, so it is not used",
                "SLACK_SIGNING_SECRT: no setting has this name; did you mean SLACK_SIGNING_SECRET?",
                "TOKEN_KEY_FILE: no setting has this name; did you mean TOKEN_KEYS_FILE?",
                "ZOOM_ACCOUNT_ID: no setting has this name, so it is not used",
            ]
        );
    }

    #[test]
    fn a_value_may_stand_in_a_file() {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(b"a\n").expect("written");
        let env = Env::from_pairs([("A_FILE", file.path())]);
        assert_eq!(read(env), Ok(("a".to_owned(), None, "c".to_owned())));
        let env = Env::from_pairs([("A", "a".as_ref()), ("A_FILE", file.path())]);
        let expected = "A_FILE: A is set as well; set one of the two";
        assert_eq!(read(env), Err(expected.to_owned()));
    }

    #[test]
    fn what_an_editor_or_a_copy_adds_is_left_out_or_named() {
        let file = |bytes: &[u8]| {
            let mut file = tempfile::NamedTempFile::new().expect("a file");
            file.write_all(bytes).expect("written");
            let read = read(Env::from_pairs([("A_FILE", file.path())]));
            read.map(|(a, ..)| a)
        };
        assert_eq!(file(b"\xef\xbb\xbfa\r\n"), Ok("a".to_owned()));
        let too_long = vec![b'a'; 64 * 1024 + 1];
        for (bytes, problem) in [
            (
                &b"\"a\"\n"[..],
                "its value stands in quotes; leave them out",
            ),
            (
                b"\xef\xbb\xbf'a'",
                "its value stands in quotes; leave them out",
            ),
            (
                "“a”".as_bytes(),
                "its value stands in quotes; leave them out",
            ),
            (
                b"A=a\n",
                "its value begins with its own name, A; leave that out",
            ),
            (
                b"a: a\n",
                "its value begins with its own name, A; leave that out",
            ),
            (b"bad", "it must not be bad"),
            (b"", "the file is empty"),
            (b"\xef\xbb\xbf \r\n", "the file is empty"),
            (
                &too_long,
                "the file has more than 64 KiB; it must hold the value alone",
            ),
            (
                b"A = a\n",
                "its value begins with its own name, A; leave that out",
            ),
            (
                b"\xff\xfea\0",
                "the file is not UTF-8 text; save it as that",
            ),
        ] {
            let expected = format!("A_FILE: {problem}");
            assert_eq!(file(bytes), Err(expected), "{bytes:?}");
        }
        let quoted = read(Env::from_pairs([("A", "\"a\"")]));
        assert_eq!(
            quoted,
            Err("A: its value stands in quotes; leave them out".to_owned())
        );
    }

    #[test]
    fn a_file_that_cannot_be_read_is_a_problem() {
        let env = Env::from_pairs([("A", "a"), ("B_FILE", "/nowhere/b")]);
        let error = read(env).expect_err("there is no such file");
        assert!(
            error.starts_with("B_FILE: the file cannot be read: No such file"),
            "{error}"
        );
        let env = Env::from_pairs([("A_FILE", "/dev/zero")]);
        let expected = "A_FILE: it is no regular file; name one";
        assert_eq!(read(env), Err(expected.to_owned()));
    }

    #[test]
    fn a_value_that_is_not_utf8_is_a_problem() {
        let invalid = OsString::from_vec(vec![b'a', 0xff]);
        let env = Env::from_pairs([("A", invalid)]);
        assert_eq!(read(env), Err("A: it is not valid UTF-8".to_owned()));
    }

    #[test]
    fn a_setting_that_cannot_be_read_counts_as_set() {
        assert!(!Env::from_pairs([("A", " ")]).any_set(&["A", "B"]));
        assert!(Env::from_pairs([("B", "b")]).any_set(&["A", "B"]));
        assert!(Env::from_pairs([("B_FILE", "/nowhere/b")]).any_set(&["A", "B"]));
    }
}
