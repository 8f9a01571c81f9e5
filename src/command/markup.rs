//! Slack's mark-up of what people type, where the manifest asks for it (`should_escape`): links
//! and mentions stand in `<…>`, and `& < >` are escaped.
//! <https://docs.slack.dev/messaging/formatting-message-text>

use std::convert::Infallible;

/// A mention of which Slack tells the id alone: what people saw is not known.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct UnnamedMention;

/// What stands in the `<…>` at the start of the text, and what follows it.
pub(super) fn split(text: &str) -> Option<(&str, &str)> {
    let text = text.strip_prefix('<')?;
    let (inner, after) = text.split_at(text.find(['<', '>'])?);
    let after = after.strip_prefix('>')?;
    let scheme = inner.split_once(':').map_or("", |(scheme, _)| scheme);
    let is_link = !scheme.is_empty()
        && scheme
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    (is_link || inner.starts_with(['@', '#', '!'])).then_some((inner, after))
}

/// The text as the person saw it: of a link its label, of a mention the name.
pub(super) fn shown(text: &str) -> Result<String, UnnamedMention> {
    replaced(text, label)
}

/// The text with the addresses that its links lead to, each a word of its own; else as
/// [`shown`], and without mentions that have no name.
pub(super) fn addresses(text: &str) -> String {
    let read = replaced(text, |inner| {
        if inner.starts_with(['@', '#', '!']) {
            return Ok(label(inner).unwrap_or_default());
        }
        let target = inner.split('|').next().unwrap_or_default();
        Ok::<_, Infallible>(format!(" {} ", address(target)))
    });
    match read {
        Ok(read) => read,
        Err(never) => match never {},
    }
}

/// What a person sees for what stands in `<…>`.
fn label(inner: &str) -> Result<String, UnnamedMention> {
    let (target, label) = inner.split_once('|').unwrap_or((inner, ""));
    let named = |sign: &str| match label.strip_prefix(sign).unwrap_or(label) {
        "" => Err(UnnamedMention),
        name => Ok(format!("{sign}{name}")),
    };
    match target {
        "!here" | "!channel" | "!everyone" => Ok(target.replace('!', "@")),
        _ if target.starts_with('@') || target.starts_with("!subteam") => named("@"),
        _ if target.starts_with('#') => named("#"),
        _ if target.starts_with('!') => named(""),
        _ if label.is_empty() => Ok(address(target).to_owned()),
        _ => Ok(label.to_owned()),
    }
}

/// What a person would type for the target of a link.
fn address(target: &str) -> &str {
    let schemes = ["mailto:", "tel:"];
    let plain = schemes
        .iter()
        .find_map(|scheme| target.strip_prefix(scheme));
    plain.unwrap_or(target)
}

/// The text with each `<…>` replaced, and without escapes.
fn replaced<E>(text: &str, read: impl Fn(&str) -> Result<String, E>) -> Result<String, E> {
    let mut result = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if let Some((inner, after)) = split(rest) {
            result.push_str(&read(inner)?);
            rest = after;
        } else {
            result.push(c);
            rest = rest.strip_prefix(c).unwrap_or_default();
        }
    }
    Ok(unescaped(&result))
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

/// Escapes `& < >` as Slack does in what people type.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_see_labels_and_names() {
        for (text, seen) in [
            ("<http://acme.com|acme.com> town hall", "acme.com town hall"),
            ("Visit <https://acme.com>", "Visit https://acme.com"),
            ("<http://acme.com|>", "http://acme.com"),
            (
                "<http://acme.com/?a=1&amp;b=2|acme &amp; co>!",
                "acme & co!",
            ),
            ("<mailto:a@b.c|a@b.c>, <mailto:d@e.f>", "a@b.c, d@e.f"),
            ("<tel:+15551234|555-1234>", "555-1234"),
            (
                "Ask <@U012|dana> in <#C012|general>",
                "Ask @dana in #general",
            ),
            ("<!subteam^S1|@team> <!subteam^S2|crew>", "@team @crew"),
            (
                "<!here> <!channel|channel> <!everyone|@everyone>",
                "@here @channel @everyone",
            ),
            (
                "<!date^1392734382^{date}^https://x.y|18 Feb 2014>",
                "18 Feb 2014",
            ),
            ("Q&amp;A &lt;live&gt; &amp;lt;", "Q&A <live> &lt;"),
            ("5 &lt; 6 & 7", "5 < 6 & 7"),
            ("<3 Town Hall", "<3 Town Hall"),
            ("a < b > c <> d", "a < b > c <> d"),
        ] {
            assert_eq!(shown(text), Ok(seen.to_owned()), "{text}");
        }
    }

    #[test]
    fn an_id_is_no_name() {
        for text in [
            "<@U012>",
            "<@W012|>",
            "in <#C012|>",
            "<#C012>",
            "<!subteam^S1>",
            "<!date^1^{date}>",
        ] {
            assert_eq!(shown(text), Err(UnnamedMention), "{text}");
        }
    }
}
