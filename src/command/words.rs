//! Splitting what is typed into words, and quoting a value so that it reads back.

/// A quote that opens a value is never closed.
#[derive(Debug)]
pub(super) struct UnclosedQuote;

/// `key=value`, where the key is a word; a link's `?pwd=…` is none.
pub(super) fn option(word: &str) -> Option<(&str, &str)> {
    let (key, value) = word.split_once('=')?;
    let is_key = !key.is_empty()
        && key
            .chars()
            .all(|c| c.is_ascii_alphabetic() || c == '_' || c == '-');
    is_key.then_some((key, value))
}

/// Splits at white space, but not inside Slack's `<…>` nor inside quotes that
/// open a value, and undoes Slack's escaping of `& < >`.
pub(super) fn words(text: &str) -> Result<Vec<String>, UnclosedQuote> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut closing: Option<&[char]> = None;
    for c in text.chars() {
        match closing {
            Some(ends) if ends.contains(&c) => {
                closing = None;
                if c == '>' {
                    word.push(c);
                }
            }
            None if c == '<' && word.is_empty() => {
                word.push(c);
                closing = Some(&['>']);
            }
            None if word.ends_with('=')
                && option(&word).is_some()
                && closing_quote(c).is_some() =>
            {
                closing = closing_quote(c);
            }
            None if c.is_whitespace() => words.extend(finished(&mut word)),
            _ => word.push(c),
        }
    }
    if closing.is_some_and(|ends| !ends.contains(&'>')) {
        return Err(UnclosedQuote);
    }
    words.extend(finished(&mut word));
    Ok(words)
}

fn finished(word: &mut String) -> Option<String> {
    let word = std::mem::take(word);
    (!word.is_empty()).then(|| {
        word.replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&amp;", "&")
    })
}

/// Which quotes open a value, and which end it: phones and word processors curl them,
/// each language in its own way.
const QUOTES: [(&[char], &[char]); 3] = [
    (&['"', '“', '”', '„'], &['"', '”', '“']),
    (&['\'', '‘', '’', '‚'], &['\'', '’', '‘']),
    (&['«'], &['»']),
];

fn closing_quote(opening: char) -> Option<&'static [char]> {
    let quotes = QUOTES
        .into_iter()
        .find(|(openings, _)| openings.contains(&opening));
    quotes.map(|(_, ends)| ends)
}

/// The value in quotes, so that [`words`] reads it back; `None` if it holds the ends of all
/// kinds of quotes.
pub(super) fn quoted(value: &str) -> Option<String> {
    let quotes = QUOTES
        .into_iter()
        .find(|(_, ends)| !value.contains(*ends))?;
    let ([opening, ..], [end, ..]) = quotes else {
        return None;
    };
    Some(format!("{opening}{value}{end}"))
}
