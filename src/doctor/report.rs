//! What was found.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::Serialize;

/// What a finding is about, in the order in which they are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, strum::Display)]
#[serde(rename_all = "snake_case")]
pub enum Area {
    Settings,
    Database,
    Keys,
    Queue,
    Links,
    #[strum(serialize = "Public address")]
    Address,
    Slack,
    Zoom,
    Traces,
}

/// How it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, strum::Display)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It was seen to work.
    #[strum(serialize = "ok")]
    #[serde(rename = "ok")]
    Good,
    /// It works, or may, and should be changed.
    #[strum(serialize = "warning")]
    Warning,
    /// It does not work.
    #[strum(serialize = "PROBLEM")]
    Problem,
    /// It was not seen, or is not set up.
    #[strum(serialize = "-")]
    NotKnown,
}

/// Something that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub area: Area,
    pub verdict: Verdict,
    /// What is the case.
    pub text: String,
    /// What mends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cure: Option<String>,
}

/// All that was looked at. No text holds a secret.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    pub findings: Vec<Finding>,
}

impl Report {
    pub(super) fn good(&mut self, area: Area, text: impl Into<String>) {
        self.push(area, Verdict::Good, text.into());
    }

    /// The text is what is the case, a semicolon, and what mends it.
    pub(super) fn warning(&mut self, area: Area, text: impl Into<String>) {
        self.push(area, Verdict::Warning, text.into());
    }

    /// The same of what does not work.
    pub(super) fn problem(&mut self, area: Area, text: impl Into<String>) {
        self.push(area, Verdict::Problem, text.into());
    }

    pub(super) fn not_known(&mut self, area: Area, text: impl Into<String>) {
        self.push(area, Verdict::NotKnown, text.into());
    }

    pub(super) fn add(&mut self, other: Self) {
        self.findings.extend(other.findings);
    }

    fn push(&mut self, area: Area, verdict: Verdict, text: String) {
        let (text, cure) = match text.split_once("; ") {
            Some((text, cure)) => (text.to_owned(), Some(cure.to_owned())),
            None => (text, None),
        };
        self.findings.push(Finding {
            area,
            verdict,
            text,
            cure,
        });
    }

    /// How many findings are of this kind.
    pub fn count(&self, verdict: Verdict) -> usize {
        let findings = self.findings.iter();
        findings
            .filter(|finding| finding.verdict == verdict)
            .count()
    }
}

/// A time, as an operator reads it.
pub(super) fn shown(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M UTC").to_string()
}

/// So many of something.
pub(super) fn counted<N: TryInto<u64>>(count: N, name: &str) -> String {
    match count.try_into().unwrap_or_default() {
        1 => format!("1 {name}"),
        count => format!("{count} {name}s"),
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut findings: Vec<_> = self.findings.iter().collect();
        findings.sort_by_key(|finding| finding.area);
        let mut last = None;
        for finding in findings {
            if last != Some(finding.area) {
                let before = if last.is_none() { "" } else { "\n" };
                writeln!(f, "{before}{}", finding.area)?;
                last = Some(finding.area);
            }
            let verdict = finding.verdict.to_string();
            writeln!(f, "  {verdict:<8} {}", finding.text)?;
            if let Some(cure) = &finding.cure {
                writeln!(f, "           → {cure}")?;
            }
        }
        let problems = counted(self.count(Verdict::Problem), "problem");
        let warnings = counted(self.count(Verdict::Warning), "warning");
        write!(f, "\n{problems}, {warnings}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_is_told_by_area_with_its_cure() {
        let mut report = Report::default();
        report.good(Area::Zoom, "Zoom answers");
        report.problem(
            Area::Settings,
            "TOKEN_KEYS: it is not set; make one; keep it",
        );
        report.not_known(Area::Zoom, "nothing was heard");
        assert_eq!(
            report.to_string(),
            "Settings\n  PROBLEM  TOKEN_KEYS: it is not set\n           → make one; keep it\n\n\
             Zoom\n  ok       Zoom answers\n  -        nothing was heard\n\n1 problem, 0 warnings"
        );
    }
}
