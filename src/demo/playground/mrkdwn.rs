//! Slack's markup, as Slack shows it: <https://docs.slack.dev/messaging/formatting-message-text>.

use chrono::{DateTime, Local, TimeDelta, Utc};
use maud::{Markup, PreEscaped, Render, html};

use super::viewer::CHANNELS;
use crate::demo::emoji;
use crate::demo::people::PEOPLE;

/// A text in markup.
pub(super) fn mrkdwn(source: &str) -> Markup {
    // Their names hold signs.
    let source = emoji::draw(source);
    let mut html = String::new();
    let mut rest = source.as_str();
    let mut before = None;
    while let Some(at) = rest.find(['`', '<', '*', '_', '~', '\n']) {
        let (text, marked) = rest.split_at(at);
        html.push_str(&plain(text).render().0);
        before = text.chars().next_back().or(before);
        let (shown, length) = mark(marked, before);
        html.push_str(&shown.0);
        before = marked[..length].chars().next_back();
        rest = &marked[length..];
    }
    html.push_str(&plain(rest).render().0);
    PreEscaped(html)
}

/// A text without markup.
pub(super) fn plain(text: &str) -> String {
    let text = emoji::draw(text);
    [("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")]
        .into_iter()
        .fold(text, |text, (entity, character)| {
            text.replace(entity, character)
        })
}

/// What begins here, and how long it is in the source. `before` stands before it.
fn mark(marked: &str, before: Option<char>) -> (Markup, usize) {
    let found = match &marked[..1] {
        "\n" => Some((html! { br; }, 1)),
        "<" => marked
            .find('>')
            .map(|end| (tagged(&marked[1..end]), end + 1)),
        "`" if marked.starts_with("```") => enclosed(marked, "```", None, true)
            .map(|(inside, length)| (html! { pre { (plain(inside)) } }, length)),
        "`" => enclosed(marked, "`", None, false)
            .map(|(inside, length)| (html! { code { (plain(inside)) } }, length)),
        sign => enclosed(marked, sign, before, false).map(|(inside, length)| {
            let inside = mrkdwn(inside);
            let shown = match sign {
                "*" => html! { b { (inside) } },
                "_" => html! { em { (inside) } },
                _ => html! { s { (inside) } },
            };
            (shown, length)
        }),
    };
    found.unwrap_or_else(|| (html! { (&marked[..1]) }, 1))
}

/// What stands between a sign here and the next one, and the length of all of it. Signs that stand
/// within a word enclose nothing.
fn enclosed<'a>(
    marked: &'a str,
    sign: &str,
    before: Option<char>,
    has_lines: bool,
) -> Option<(&'a str, usize)> {
    let is_word = |character: char| character.is_alphanumeric() || sign.contains(character);
    if before.is_some_and(is_word) {
        return None;
    }
    let rest = &marked[sign.len()..];
    let end = rest.find(sign)?;
    let (inside, after) = (&rest[..end], &rest[end + sign.len()..]);
    let is_cut = !has_lines && inside.contains('\n');
    let is_within = !sign.starts_with('`') && after.chars().next().is_some_and(is_word);
    let is_loose = !sign.starts_with('`') && inside.trim() != inside;
    (!inside.is_empty() && !is_cut && !is_within && !is_loose)
        .then_some((inside, end + 2 * sign.len()))
}

/// What stands between angle brackets.
fn tagged(tag: &str) -> Markup {
    let (target, label) = tag.split_once('|').unwrap_or((tag, ""));
    if let Some(user) = target.strip_prefix('@') {
        let person = PEOPLE.into_iter().find(|person| person.slack == user);
        let name = person.map_or(user, |person| person.name);
        return html! { span.mention { "@" (name) } };
    }
    if let Some(id) = target.strip_prefix('#') {
        let channel = CHANNELS.into_iter().find(|channel| channel.channel == id);
        let name = channel.map_or(id, |channel| channel.channel_name);
        return html! { span.mention { "#" (name) } };
    }
    if target.starts_with("!date") {
        return dated(target).unwrap_or_else(|| html! { (plain(label)) });
    }
    let label = if label.is_empty() {
        target.trim_start_matches('!')
    } else {
        label
    };
    if target.starts_with('!') {
        return html! { span.mention { (plain(label)) } };
    }
    let is_link = ["https:", "http:", "mailto:"]
        .iter()
        .any(|scheme| target.starts_with(scheme));
    html! {
        @if is_link {
            a href=(plain(target)) target="_blank" rel="noopener" { (plain(label)) }
        } @else {
            (plain(label))
        }
    }
}

/// A time in the reader's zone, which is this machine's; none if it is written in a way that is not
/// known here. <https://docs.slack.dev/messaging/formatting-message-text#date-formatting>
fn dated(target: &str) -> Option<Markup> {
    let mut parts = target.split('^').skip(1);
    let at = DateTime::from_timestamp(parts.next()?.parse().ok()?, 0)?.with_timezone(&Local);
    let format = parts.next()?;
    let days = (at.date_naive() - Local::now().date_naive()).num_days();
    let short = match days {
        -1 => "yesterday".to_owned(),
        0 => "today".to_owned(),
        1 => "tomorrow".to_owned(),
        _ => at.format("%b %-d, %Y").to_string(),
    };
    let shown = format
        .replace("{time}", &at.format("%H:%M").to_string())
        .replace("{date}", &at.format("%B %-d, %Y").to_string())
        .replace("{date_short_pretty}", &short);
    (!shown.contains('{')).then(|| html! { time datetime=(at.to_rfc3339()) { (shown) } })
}

/// When something was said, by this machine's clock.
pub(super) fn hour(at: DateTime<Utc>) -> Markup {
    let at = at.with_timezone(&Local);
    html! { time datetime=(at.to_rfc3339()) { (at.format("%H:%M").to_string()) } }
}

/// When a meeting is planned for.
pub(super) fn planned(at: DateTime<Utc>) -> String {
    let at = at.with_timezone(&Local);
    let days = at.date_naive() - Local::now().date_naive();
    if days == TimeDelta::zero() {
        return at.format("%H:%M").to_string();
    }
    at.format("%A %H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_shown_as_slack_does() {
        for (source, html) in [
            (
                "*Town Hall is live* on townhall",
                "<b>Town Hall is live</b> on townhall",
            ),
            (
                ":red_circle: *a* _b_ ~c~",
                "🔴 <b>a</b> <em>b</em> <s>c</s>",
            ),
            (
                "2 * 3 * 4, a_b_c, *not\nhere*",
                "2 * 3 * 4, a_b_c, *not<br>here*",
            ),
            ("*_both_*", "<b><em>both</em></b>"),
            (
                "`/livestream start *x*`",
                "<code>/livestream start *x*</code>",
            ),
            ("```a\nb```", "<pre>a\nb</pre>"),
            ("&lt;b&gt; &amp;amp;", "&lt;b&gt; &amp;amp;"),
            (
                "<@U0DANA> in <#C0TOWNHALL>",
                "<span class=\"mention\">@Dana</span> in <span class=\"mention\">#town-hall</span>",
            ),
            (
                "<https://a.example/?x=1&amp;y=2|here>",
                "<a href=\"https://a.example/?x=1&amp;y=2\" target=\"_blank\" rel=\"noopener\">here</a>",
            ),
            ("<javascript:alert(1)|here>", "here"),
            ("<!date^x^{time}|some time>", "some time"),
            ("<!channel>", "<span class=\"mention\">channel</span>"),
            ("a < b, 10:30:00, é*ü*", "a &lt; b, 10:30:00, é*ü*"),
        ] {
            assert_eq!(mrkdwn(source).0, html, "{source}");
        }
    }
}
