//! The meeting number in a link: Zoom's own, or one that a mail system has wrapped.

use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use percent_encoding::percent_decode_str;
use url::Url;

use crate::command::characters::{digit, is_dash, is_invisible};
use crate::command::meeting::{MeetingId, ParseMeetingIdError};

/// Hosts whose links carry a number, with all their subdomains (`us02web.zoom.us`,
/// `acme.zoom.us`, …).
const ZOOM_HOSTS: [&str; 6] = [
    "zoom.us",
    "zoomgov.com",
    "zoom.com",
    "zoom.com.cn",
    "zoom.de",
    "zoom-x.de",
];
/// What a link may begin with. The last two open Zoom's own program.
const SCHEMES: [&str; 4] = ["https", "http", "zoommtg", "zoomus"];
/// After which part of a path the number stands: `/j/…`, `/wc/join/…`, `/launch/jc/…`.
const BEFORE_NUMBER: [&str; 13] = [
    "j", "s", "w", "wc", "jc", "js", "join", "start", "launch", "meeting", "meetings", "webinar",
    "webinars",
];
/// Which parameter of a query is the number.
const NUMBER_PARAMETERS: [&str; 6] = [
    "confno",
    "confid",
    "meetingid",
    "meeting_id",
    "meetingnumber",
    "mn",
];
/// Parameters whose digits are no meeting's: passcodes and tokens.
const SECRET_PARAMETERS: [&str; 5] = ["pwd", "pwdid", "tk", "zak", "token"];
/// Hosts whose links do not show where they lead: link protection with opaque addresses, and
/// services that shorten links.
const OPAQUE_HOSTS: [&str; 17] = [
    "emailprotection.link",
    "mimecast.com",
    "mimecastprotect.com",
    "hornetsecurity.com",
    "inky.com",
    "bit.ly",
    "tinyurl.com",
    "t.co",
    "lnkd.in",
    "aka.ms",
    "goo.gl",
    "ow.ly",
    "is.gd",
    "cutt.ly",
    "rebrand.ly",
    "rb.gy",
    "shorturl.at",
];
/// How many wrappers may stand around a link: a forwarded mail has one of each system it passed.
const MAX_WRAPPERS: usize = 5;

/// Whether a word is a link: with a scheme, or a host and a path.
pub(super) fn is_link(word: &str) -> bool {
    let host = word.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.split(':').next().unwrap_or_default();
    let top = host.trim_end_matches('.').rsplit('.').next();
    let is_host = host.contains('.')
        && top.is_some_and(|top| top.len() > 1 && top.chars().all(char::is_alphabetic));
    word.contains("://") || (word.contains('/') && is_host)
}

/// Reads the number of the meeting that a link leads to. A link that is wrapped in others is
/// read as itself: only its number is taken, and nobody can start a meeting that is not theirs.
pub(super) fn meeting(link: &str) -> Result<MeetingId, ParseMeetingIdError> {
    read(link, MAX_WRAPPERS)
}

/// Whether a link is one of Zoom's hosts, which wrap no other.
pub(super) fn is_of_zoom(link: &str) -> bool {
    let url = Url::parse(link).ok();
    let host = url.as_ref().and_then(Url::host_str).unwrap_or_default();
    is_of(
        &host.trim_end_matches('.').to_ascii_lowercase(),
        &ZOOM_HOSTS,
    )
}

/// Whether a link is one of Zoom's that holds a meeting's number and nothing else.
pub(super) fn is_plain(link: &str) -> bool {
    let with_scheme = if link.contains("://") {
        link.to_owned()
    } else {
        format!("https://{link}")
    };
    let Ok(url) = Url::parse(&with_scheme) else {
        return false;
    };
    let path = url.path().trim_matches('/').split('/');
    let (numbers, words): (Vec<_>, Vec<_>) = path.partition(|part| part.parse::<u64>().is_ok());
    is_of_zoom(&with_scheme)
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none()
        && numbers.len() == 1
        && words.iter().all(|word| BEFORE_NUMBER.contains(word))
}

fn read(link: &str, wrappers: usize) -> Result<MeetingId, ParseMeetingIdError> {
    let link: String = link.chars().filter(|c| !is_invisible(*c)).collect();
    let url = if link.contains("://") {
        Url::parse(&link)
    } else {
        Url::parse(&format!("https://{link}"))
    };
    let url = match url {
        Ok(url) if SCHEMES.contains(&url.scheme()) => url,
        _ => return Err(ParseMeetingIdError::NotANumber),
    };
    let host = url
        .host_str()
        .unwrap_or_default()
        .trim_end_matches('.')
        .to_ascii_lowercase();
    if is_of(&host, &ZOOM_HOSTS) {
        return in_zoom_link(&url);
    }
    // A host or a user that looks like Zoom is one of somebody who wants to be taken for it.
    let is_disguised = !url.username().is_empty() || host.contains("zoom");
    if wrappers > 0 && !is_disguised {
        let inner = wrapped_links(&url);
        let read: Vec<_> = inner.iter().map(|link| read(link, wrappers - 1)).collect();
        if let Some(meeting) = one_of(&read) {
            return meeting;
        }
        let errors: Vec<_> = read.into_iter().filter_map(Result::err).collect();
        let is_of_zoom = |error: &&ParseMeetingIdError| {
            !matches!(
                error,
                ParseMeetingIdError::NotZoom(_) | ParseMeetingIdError::NotANumber
            )
        };
        let is_told = |error: &&ParseMeetingIdError| **error != ParseMeetingIdError::NotANumber;
        let error = errors.iter().find(is_of_zoom);
        if let Some(error) = error.or_else(|| errors.iter().find(is_told)) {
            return Err(error.clone());
        }
    }
    Err(if is_of(&host, &OPAQUE_HOSTS) {
        ParseMeetingIdError::HiddenLink(host)
    } else {
        ParseMeetingIdError::NotZoom(host)
    })
}

/// Whether a host is one of these, or below one. The dot makes `evilzoom.us` a stranger.
fn is_of(host: &str, hosts: &[&str]) -> bool {
    hosts.iter().any(|known| {
        host.strip_suffix(known)
            .is_some_and(|sub| sub.is_empty() || sub.ends_with('.'))
    })
}

/// The one meeting that was found, however often; an error if several were, and `None` if none was.
pub(super) fn one_of(
    read: &[Result<MeetingId, ParseMeetingIdError>],
) -> Option<Result<MeetingId, ParseMeetingIdError>> {
    let mut found = read.iter().filter_map(|read| match read {
        Ok(meeting) => Some(Ok(*meeting)),
        Err(ParseMeetingIdError::Several) => Some(Err(ParseMeetingIdError::Several)),
        Err(_) => None,
    });
    let first = found.next()?;
    if found.any(|other| other != first) {
        return Some(Err(ParseMeetingIdError::Several));
    }
    Some(first)
}

fn in_zoom_link(url: &Url) -> Result<MeetingId, ParseMeetingIdError> {
    let path: Vec<String> = url.path().split('/').map(decoded).collect();
    let path: Vec<&str> = path
        .iter()
        .map(String::as_str)
        .filter(|part| !part.is_empty())
        .collect();
    match path[..] {
        ["my", ..] => return Err(ParseMeetingIdError::PersonalLink),
        ["meeting" | "webinar", "register", ..] => {
            return Err(ParseMeetingIdError::RegistrationLink);
        }
        ["rec", ..] => return Err(ParseMeetingIdError::RecordingLink),
        _ => {}
    }
    let in_query = url.query_pairs().filter_map(|(key, value)| {
        let is_number = NUMBER_PARAMETERS.contains(&key.to_ascii_lowercase().as_str());
        is_number.then(|| leading_number(&value))
    });
    let in_path = path.windows(2).filter_map(|pair| match pair {
        [before, number] if BEFORE_NUMBER.contains(&before.to_ascii_lowercase().as_str()) => {
            Some(leading_number(number))
        }
        _ => None,
    });
    let read: Vec<_> = in_query.chain(in_path).collect();
    let is_broken = |read: &&Result<_, _>| {
        matches!(
            read,
            Err(ParseMeetingIdError::Grouping | ParseMeetingIdError::UnclearLink)
        )
    };
    if let Some(broken) = read.iter().find(is_broken) {
        return broken.clone();
    }
    if let Some(meeting) = one_of(&read) {
        return meeting;
    }
    let wrong = read.into_iter().find_map(|read| match read {
        Err(ParseMeetingIdError::NotANumber) | Ok(_) => None,
        Err(error) => Some(error),
    });
    Err(match wrong {
        Some(error) => error,
        None if holds_number(url) => ParseMeetingIdError::UnclearLink,
        None => ParseMeetingIdError::NoNumberInLink,
    })
}

/// The number at the start of a part of a link, behind which punctuation may stand, and whatever
/// follows that.
fn leading_number(part: &str) -> Result<MeetingId, ParseMeetingIdError> {
    let part = part.trim_start_matches(|c: char| !c.is_alphanumeric());
    let is_of_number =
        |c: char| digit(c).is_some() || c.is_whitespace() || is_dash(c) || is_invisible(c);
    let end = part.find(|c| !is_of_number(c)).unwrap_or(part.len());
    let (number, after) = part.split_at(end);
    let is_separator = |c: char| !c.is_alphanumeric();
    let rest = after.trim_start_matches(is_separator);
    match after.chars().next() {
        // Other digits may be a part of the number, as may what stood in place of an ellipsis.
        Some('…') => return Err(ParseMeetingIdError::Grouping),
        Some('.') if after.starts_with("..") => return Err(ParseMeetingIdError::Grouping),
        Some(c) if is_separator(c) && rest.starts_with(|c| digit(c).is_some()) => {
            return Err(ParseMeetingIdError::Grouping);
        }
        Some(c) if !is_separator(c) && !number.is_empty() => {
            return Err(ParseMeetingIdError::UnclearLink);
        }
        Some(c) if !is_separator(c) => return Err(ParseMeetingIdError::NotANumber),
        _ => {}
    }
    MeetingId::from_digits(number)
}

/// Whether the link holds as many digits as a meeting number has, anywhere but in a secret.
fn holds_number(url: &Url) -> bool {
    let query = url.query_pairs().filter_map(|(key, value)| {
        let is_secret = SECRET_PARAMETERS.contains(&key.to_ascii_lowercase().as_str());
        (!is_secret).then(|| value.into_owned())
    });
    let parts = [
        decoded(url.path()),
        decoded(url.fragment().unwrap_or_default()),
    ];
    parts.into_iter().chain(query).any(|part| {
        part.split(|c: char| !c.is_alphanumeric())
            .any(|word| MeetingId::from_digits(word).is_ok())
    })
}

/// The links that stand in another one: as a value of its query, or in its path. So do Outlook,
/// Google, Slack, Proofpoint, Barracuda, Cisco, Trellix, Trend Micro, Sophos and others wrap them.
fn wrapped_links(url: &Url) -> Vec<String> {
    let mut links: Vec<String> = url
        .query_pairs()
        .filter_map(|(_, value)| wrapped_value(&value))
        .collect();
    if url
        .host_str()
        .is_some_and(|host| is_of(host, &["safelinks.protection.outlook.com"]))
    {
        let hosts = url
            .query_pairs()
            .filter(|(key, value)| key == "url" && is_link(value) && !value.contains(':'));
        links.extend(hosts.map(|(_, host)| format!("https://{host}")));
    }
    let path = decoded(&decoded(url.path()));
    let schemes = ["https:/", "http:/", "zoommtg:/", "zoomus:/"];
    if let Some(at) = schemes.iter().find_map(|scheme| path.find(scheme)) {
        let (_, inner) = path.split_at(at);
        let query = url.query().map(|query| format!("?{query}"));
        let inner = format!("{inner}{}", query.unwrap_or_default());
        // Proofpoint and Avanan mark the end with underscores, and Proofpoint may hold back
        // the second slash.
        let inner = inner.split("__").next().unwrap_or_default();
        if let Some((scheme, rest)) = inner.split_once(":/") {
            links.push(format!(
                "{scheme}://{}",
                rest.trim_start_matches(['/', '*'])
            ));
        }
    }
    links
}

/// The link that a value of a query is: plain, encoded again, as Proofpoint encodes it
/// (`https-3A__zoom.us_j_…`), or in Base64 (Sophos).
fn wrapped_value(value: &str) -> Option<String> {
    let proofpoint = || {
        value
            .contains("-3A__")
            .then(|| decoded(&value.replace('-', "%").replace('_', "/")))
    };
    let base64 = || {
        // A query turns `+` into a space, and some use the alphabet for addresses.
        let value = value.replace([' ', '-'], "+").replace('_', "/");
        let bytes = BASE64_STANDARD_NO_PAD.decode(value.trim_end_matches('='));
        String::from_utf8(bytes.ok()?).ok()
    };
    let is_link = |text: &String| {
        let scheme = text.split_once("://").map(|(scheme, _)| scheme);
        scheme.is_some_and(|scheme| SCHEMES.contains(&scheme.to_ascii_lowercase().as_str()))
    };
    [value.to_owned(), decoded(value), decoded(&decoded(value))]
        .into_iter()
        .chain(proofpoint())
        .chain(base64())
        .find(is_link)
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zooms_links_hold_the_number_in_many_places() {
        for link in [
            "https://zoom.us/j/68423085",
            "http://zoom.us/j/68423085",
            "https://us02web.zoom.us/j/68423085?pwd=abc.1#success",
            "zoom.us/j/68423085",
            "ACME.Zoom.US/j/68423085",
            "HTTPS://ZOOM.US/J/68423085",
            "https://acme.zoom.us/s/68423085?zak=secret",
            "https://zoom.us/w/68423085?tk=x",
            "https://zoom.us/wc/68423085/join",
            "https://zoom.us/wc/68423085/start",
            "https://zoom.us/wc/join/68423085",
            "https://app.zoom.us/wc/68423085",
            "https://app.zoom.us/wc/68423085/start?fromPWA=1",
            "https://zoom.us/launch/jc/68423085",
            "https://zoom.us/meeting/68423085",
            "https://zoom.us/meeting/68423085/edit",
            "https://zoom.us/webinar/68423085",
            "https://zoom.us./j/68423085",
            "https://zoom.us:443/j/68423085/",
            "https://agency.zoomgov.com/j/68423085",
            "https://zoom.com/j/68423085",
            "zoommtg://zoom.us/join?action=join&confno=68423085&pwd=x",
            "zoomus://zoom.us/join?confno=68423085",
            "https://zoom.us/join?confno=68423085",
            "https://zoom.us/postattendee?mn=68423085",
            "https://zoom.us/x?meetingId=6842%203085",
            "https://zoom.us/j/684-230-85",
            "https://zoom.us/j/6842%203085",
            "https://zoom.us/j/68423085&pwd=x",
            "https://zoom.us/j/68423085)",
            "https://zoom.us/j/68423085.",
            "https://zoom.us/j/６８４２３０８５",
            "https://zoom.us/j/684230\u{200b}85",
        ] {
            assert!(is_link(link), "{link}");
            assert_eq!(meeting(link), MeetingId::from_digits("68423085"), "{link}");
        }
    }

    #[test]
    fn what_holds_no_number_is_refused_with_the_reason() {
        use ParseMeetingIdError::{
            HiddenLink, Length, NoNumberInLink, NotANumber, NotZoom, PersonalLink, RecordingLink,
            RegistrationLink, Several, UnclearLink,
        };
        let stranger = |host: &str| NotZoom(host.to_owned());
        for (link, reason) in [
            ("https://zoom.us/my/dana.li", PersonalLink),
            ("acme.zoom.us/my/dana", PersonalLink),
            ("https://zoom.us/meeting/register/tZabc", RegistrationLink),
            ("https://zoom.us/webinar/register/WN_x", RegistrationLink),
            ("https://zoom.us/rec/share/abc", RecordingLink),
            ("https://zoom.us/j/", NoNumberInLink),
            ("https://zoom.us/j/abc", NoNumberInLink),
            ("https://zoom.us/", NoNumberInLink),
            ("https://zoom.us/test", NoNumberInLink),
            ("https://zoom.us/u/kbABCdef12", NoNumberInLink),
            ("https://zoom.us/signin?pwd=123456789", NoNumberInLink),
            ("https://events.zoom.us/ev/AbCdEfGh", NoNumberInLink),
            ("https://zoom.us/p/123456789", UnclearLink),
            ("https://zoom.us/x?y=123456789", UnclearLink),
            ("https://zoom.us/#/j/123456789", UnclearLink),
            ("https://zoom.us/j/1234567", Length(7)),
            ("https://zoom.us/j/68423085?confno=99988877766", Several),
            ("https://evilzoom.us/j/68423085", stranger("evilzoom.us")),
            (
                "https://zoom.us.evil.example/j/68423085",
                stranger("zoom.us.evil.example"),
            ),
            (
                "https://zoom.us@evil.example/j/68423085",
                stranger("evil.example"),
            ),
            (
                "https://xn--zom-uqa.us/j/68423085",
                stranger("xn--zom-uqa.us"),
            ),
            (
                "https://evilzoom.us/?u=https://zoom.us/j/68423085",
                stranger("evilzoom.us"),
            ),
            (
                "https://x@evil.example/?u=https://zoom.us/j/68423085",
                stranger("evil.example"),
            ),
            (
                "https://evil.example/zoom.us/j/68423085",
                stranger("evil.example"),
            ),
            (
                "https://evil.example/?u=zoom.us/j/68423085",
                stranger("evil.example"),
            ),
            ("javascript://zoom.us/j/68423085", NotANumber),
            (
                "https://protect-us.mimecast.com/s/AbCd123456789",
                HiddenLink("protect-us.mimecast.com".to_owned()),
            ),
            (
                "https://url.emailprotection.link/?bAbCd123456789",
                HiddenLink("url.emailprotection.link".to_owned()),
            ),
            (
                "https://zoom.us/signin?continue=https%3A%2F%2Fzoom.us%2Fj%2F68423085",
                UnclearLink,
            ),
            ("https://bit.ly/3abcdef", HiddenLink("bit.ly".to_owned())),
        ] {
            assert_eq!(meeting(link), Err(reason), "{link}");
        }
    }

    #[test]
    fn wrapped_links_are_read_as_what_is_in_them() {
        let encoded = "https%3A%2F%2Fus02web.zoom.us%2Fj%2F84230850123%3Fpwd%3DaBc.1";
        let twice = encoded.replace('%', "%25");
        for link in [
            format!("https://nam12.safelinks.protection.outlook.com/?url={encoded}&data=05%7C02%7C123456789&sdata=x%3D&reserved=0"),
            format!("https://nam12.safelinks.protection.outlook.com/ap/t-59584e83/?url={encoded}"),
            format!("https://statics.teams.cdn.office.net/evergreen-assets/safelinks/1/atp-safelinks.html?url={encoded}&locale=en-us"),
            format!("https://www.google.com/url?q={encoded}&sa=D&ust=1732700000000000&usg=AOvVaw"),
            format!("https://slack-redir.net/link?url={encoded}"),
            format!("https://linkprotect.cudasvc.com/url?a={encoded}&c=E,1,abc&typo=1"),
            format!("https://secure-web.cisco.com/1aBc-dEf123456789/{encoded}"),
            format!("https://protect2.fireeye.com/v1/url?k=1-2&q=1&e=3&u={encoded}"),
            format!("https://imsva91-ctp.trendmicro.com:443/wis/clicktime/v1/query?url={encoded}&umid=1"),
            format!("https://clicktime.symantec.com/15siKvAAsJ5?h=x&u={encoded}"),
            format!("https://l.facebook.com/l.php?u={encoded}&h=x"),
            format!("https://mail.acme.example/redirect?to={twice}"),
            "https://urldefense.proofpoint.com/v1/url?u=https://us02web.zoom.us/j/84230850123&k=x".to_owned(),
            "https://urldefense.proofpoint.com/v2/url?u=https-3A__us02web.zoom.us_j_84230850123-3Fpwd-3DaBc&d=DwMFaQ&c=x".to_owned(),
            "https://urldefense.com/v3/__https://us02web.zoom.us/j/84230850123?pwd=aBc__;!!AbC!xyz$".to_owned(),
            "https://urldefense.com/v3/__https:/*us02web.zoom.us/j/84230850123?pwd=aBc__;Lw!!AbC!xyz$".to_owned(),
            "https://url.avanan.click/v2/___https://us02web.zoom.us/j/84230850123___.YXAz".to_owned(),
            "https://us-east-2.protection.sophos.com/?d=zoom.us&u=aHR0cHM6Ly96b29tLnVzL2ovODQyMzA4NTAxMjM=&i=x".to_owned(),
            "https://us-east-2.protection.sophos.com/?u=aHR0cHM6Ly96b29tLnVzL2ovODQyMzA4NTAxMjM/cHdkPX5-fj8+Pg&i=x".to_owned(),
            "https://us-east-2.protection.sophos.com/?u=aHR0cHM6Ly96b29tLnVzL2ovODQyMzA4NTAxMjM_cHdkPX5-fj8-Pg&i=x".to_owned(),
            "https://nam12.safelinks.protection.outlook.com/?url=zoom.us%2Fj%2F84230850123&data=05".to_owned(),
            "https://urldefense.com/v3/__zoommtg://zoom.us/join?confno=84230850123__;!!AbC!xyz$".to_owned(),
            format!(
                "https://slack-redir.net/link?url=https%3A%2F%2Fnam12.safelinks.protection.outlook.com%2F%3Furl%3D{twice}%26data%3D05"
            ),
        ] {
            assert_eq!(meeting(&link), MeetingId::from_digits("84230850123"), "{link}");
        }
        for (link, reason) in [
            (
                "https://nam12.safelinks.protection.outlook.com/?url=https%3A%2F%2Fteams.example%2Fl%2F1",
                ParseMeetingIdError::NotZoom("teams.example".to_owned()),
            ),
            (
                "https://slack-redir.net/link?url=https%3A%2F%2Fzoom.us%2Fmy%2Fdana",
                ParseMeetingIdError::PersonalLink,
            ),
            (
                "https://slack-redir.net/link?url=https%3A%2F%2Fzoom.us.evil.example%2Fj%2F84230850123",
                ParseMeetingIdError::NotZoom("zoom.us.evil.example".to_owned()),
            ),
            (
                "https://x.example/?a=https://zoom.us/j/84230850123&b=https://zoom.us/j/99988877766",
                ParseMeetingIdError::Several,
            ),
        ] {
            assert_eq!(meeting(link), Err(reason), "{link}");
        }
    }

    #[test]
    fn links_within_links_end() {
        let mut link = "https://zoom.us/j/84230850123".to_owned();
        for _ in 0..=MAX_WRAPPERS {
            let inner: String = form_urlencoded::byte_serialize(link.as_bytes()).collect();
            link = format!("https://wrapper.example/?u={inner}");
        }
        let wrapper = ParseMeetingIdError::NotZoom("wrapper.example".to_owned());
        assert_eq!(meeting(&link), Err(wrapper));
    }
}
