//! What may be kept as a destination's server, key and page. Zoom's limits are those of
//! [its API][zoom]. Nothing is ever connected to from here.
//!
//! [zoom]: https://developers.zoom.us/docs/api/meetings/#tag/meetings/PATCH/meetings/{meetingId}/livestream

use url::{Host, Url};

use crate::destination::looks_like_key;
use crate::destination::service::{self, Service};

/// The longest address of a server or a page, in characters.
pub const ADDRESS_MAX: usize = 1024;
/// The longest key, in characters.
pub const KEY_MAX: usize = 512;

/// Why a text is no address of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerError {
    Missing,
    /// It has more than [`ADDRESS_MAX`] characters.
    TooLong,
    /// It has a space, or a character that cannot be seen.
    Characters,
    /// It begins with neither `rtmp://` nor `rtmps://`.
    Scheme,
    NotAnAddress,
    /// It holds a user's name or a password.
    Credentials,
    /// The host is an address of numbers, or one that only a private network knows.
    NotPublic,
    /// A key seems to stand at its end. It is the address without that, as far as it can be told.
    HoldsKey(String),
}

/// Why a text is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyError {
    Missing,
    /// It has more than [`KEY_MAX`] characters.
    TooLong,
    /// It has a space, or a character that cannot be seen.
    Characters,
    /// It is the address of a server.
    IsAddress,
}

/// Why a text is no address of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageError {
    Missing,
    /// It has more than [`ADDRESS_MAX`] characters.
    TooLong,
    /// It is no `https://` address of a public host, or holds a user's name or a password.
    NotAnAddress,
}

/// Reads the address of a server: `rtmp://` or `rtmps://` with the name of a public host, no user's
/// name or password, and no key at its end.
pub fn server(text: &str) -> Result<String, ServerError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(ServerError::Missing);
    }
    if text.chars().count() > ADDRESS_MAX {
        return Err(ServerError::TooLong);
    }
    if !is_plain(text) {
        return Err(ServerError::Characters);
    }
    let scheme = text.split("://").next().unwrap_or_default();
    if !["rtmp", "rtmps"].contains(&scheme.to_ascii_lowercase().as_str()) {
        return Err(ServerError::Scheme);
    }
    let url = Url::parse(text).map_err(|_| ServerError::NotAnAddress)?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(ServerError::Credentials);
    }
    // The parser takes any host of such a scheme for a name, `10.0.0.1` too.
    let host = match url.host_str().map(Host::parse) {
        Some(Ok(Host::Domain(host))) => host,
        Some(Ok(Host::Ipv4(_) | Host::Ipv6(_))) => return Err(ServerError::NotPublic),
        Some(Err(_)) | None => return Err(ServerError::NotAnAddress),
    };
    if !is_public(&host) {
        return Err(ServerError::NotPublic);
    }
    let parts: Vec<&str> = url
        .path()
        .split('/')
        .filter(|part| !part.is_empty())
        .collect();
    let taken = match (service::of_host(&host), parts.split_last()) {
        (Some(service), _) => service.path_parts,
        // Elsewhere one can only guess what is a key and what the name of an application.
        (None, Some((last, before))) if looks_like_key(last) => before.len(),
        (None, _) => usize::MAX,
    };
    if parts.len() > taken || holds_key(url.query()) || url.fragment().is_some() {
        let mut bare = url.clone();
        let parts: Vec<&str> = parts.into_iter().take(taken).collect();
        bare.set_path(&parts.join("/"));
        bare.set_query(None);
        bare.set_fragment(None);
        return Err(ServerError::HoldsKey(bare.to_string()));
    }
    Ok(text.to_owned())
}

/// Reads a key, which may hold whatever can be seen: some have `?`, `&` and `=`.
pub fn key(text: &str) -> Result<&str, KeyError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(KeyError::Missing);
    }
    if text.chars().count() > KEY_MAX {
        return Err(KeyError::TooLong);
    }
    if !is_plain(text) {
        return Err(KeyError::Characters);
    }
    if text.contains("://") {
        return Err(KeyError::IsAddress);
    }
    Ok(text)
}

/// Reads the address of a page that viewers open.
pub fn page(text: &str) -> Result<String, PageError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(PageError::Missing);
    }
    if text.chars().count() > ADDRESS_MAX {
        return Err(PageError::TooLong);
    }
    let url = Url::parse(text).ok().filter(|url| {
        url.scheme() == "https"
            && url.username().is_empty()
            && url.password().is_none()
            && matches!(url.host(), Some(Host::Domain(host)) if is_public(host))
    });
    let is_plain = is_plain(text);
    url.filter(|_| is_plain)
        .map(|url| url.to_string())
        .filter(|url| url.chars().count() <= ADDRESS_MAX)
        .ok_or(PageError::NotAnAddress)
}

/// What may be shown again of a text that is no address of a server: its scheme, host and port, if
/// it has them. A key, a name or a password may stand elsewhere in it.
pub fn without_secrets(text: &str) -> String {
    let url = Url::parse(text.trim()).ok();
    let shown = url.and_then(|url| {
        let host = url.host_str().filter(|host| host.contains('.'))?;
        let port = url
            .port()
            .map_or_else(String::new, |port| format!(":{port}"));
        Some(format!("{}://{host}{port}/", url.scheme()))
    });
    shown
        .filter(|shown| shown.chars().count() <= ADDRESS_MAX && is_plain(shown))
        .unwrap_or_default()
}

/// Whether the same key makes the same livestream at both servers: they are of one service, or have
/// one host and path.
pub fn are_same(one: &str, other: &str) -> bool {
    let path = |address: &str| {
        let url = Url::parse(address).ok()?;
        Some(url.path().trim_matches('/').to_owned())
    };
    match (host(one), host(other)) {
        (Some(one_host), Some(other_host)) => {
            (one_host == other_host && path(one) == path(other))
                || are_of_one_service(&one_host, &other_host)
        }
        _ => one == other,
    }
}

/// Whether both servers have one host, or hosts of one service.
pub fn have_one_host(one: &str, other: &str) -> bool {
    let hosts = host(one).zip(host(other));
    hosts.is_some_and(|(one, other)| one == other || are_of_one_service(&one, &other))
}

fn host(address: &str) -> Option<String> {
    let url = Url::parse(address).ok()?;
    Some(url.host_str()?.trim_end_matches('.').to_ascii_lowercase())
}

fn are_of_one_service(host: &str, other: &str) -> bool {
    let service = service::of_host(host);
    service.is_some() && service == service::of_host(other)
}

/// Whether an address may be one of this service's servers.
pub fn is_of(address: &str, service: &Service) -> bool {
    let url = Url::parse(address).ok();
    let host = url.as_ref().and_then(Url::host_str);
    service.hosts.is_empty() || host.is_some_and(|host| service.has_host(host))
}

fn is_plain(text: &str) -> bool {
    !text.chars().any(|c| c.is_whitespace() || c.is_control()) && text.is_ascii()
}

/// Whether a host may be found by anybody: its name has several parts, and is not of those that are
/// kept for private networks. <https://www.rfc-editor.org/rfc/rfc6761>
fn is_public(host: &str) -> bool {
    const PRIVATE: [&str; 7] = [
        ".localhost",
        ".local",
        ".internal",
        ".lan",
        ".home.arpa",
        ".intranet",
        ".corp",
    ];
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    host.contains('.') && !PRIVATE.iter().any(|private| host.ends_with(private))
}

/// Whether the query of an address may hold a key: all but the one that chooses a server for a backup.
fn holds_key(query: Option<&str>) -> bool {
    query.is_some_and(|query| query != "backup=1")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::destination::service::SERVICES;

    #[test]
    fn the_server_of_every_service_is_taken() {
        for address in SERVICES.iter().filter_map(|service| service.server) {
            assert_eq!(server(address), Ok(address.to_owned()));
        }
        for address in [
            "rtmp://live-fra.twitch.tv/app",
            "rtmps://b.rtmps.youtube.com:443/live2?backup=1",
            "rtmps://a1b2c3.global-contribute.live-video.net:443/app/",
            "rtmp://stream.acme.example:1935/a/deep/application",
            "  rtmp://stream.acme.example ",
        ] {
            assert_eq!(server(address), Ok(address.trim().to_owned()));
        }
    }

    #[test]
    fn what_is_no_server_is_named() {
        use ServerError::{
            Characters, Credentials, HoldsKey, Missing, NotAnAddress, NotPublic, Scheme, TooLong,
        };
        let bare = |address: &str| HoldsKey(address.to_owned());
        for (text, why) in [
            (" ", Missing),
            ("https://a.example/live", Scheme),
            ("stream.acme.example/live", Scheme),
            ("rtmp://stream.acme.example/li ve", Characters),
            ("rtmp://stream.acme.example/li\u{200b}ve", Characters),
            ("rtmp://", NotAnAddress),
            ("rtmp://dana:secret@stream.acme.example/live", Credentials),
            ("rtmp://10.0.0.1/live", NotPublic),
            ("rtmp://0x7f.1/live", NotPublic),
            ("rtmp://127.0.0.%31/live", NotPublic),
            ("rtmp://media.0x7f000001/live", NotAnAddress),
            ("rtmp://a%20b.example/live", NotAnAddress),
            ("rtmp://[::1]/live", NotPublic),
            ("rtmp://localhost/live", NotPublic),
            ("rtmp://media.internal/live", NotPublic),
            (
                "rtmps://a.rtmps.youtube.com:443/live2/abcd-efgh",
                bare("rtmps://a.rtmps.youtube.com:443/live2"),
            ),
            (
                "rtmp://live.twitch.tv/app/live_123_abc?bandwidthtest=true",
                bare("rtmp://live.twitch.tv/app"),
            ),
            (
                "rtmp://stream.acme.example/live?key=abc",
                bare("rtmp://stream.acme.example/live"),
            ),
            (
                &format!("rtmp://a.example/{}", "x".repeat(ADDRESS_MAX)),
                TooLong,
            ),
        ] {
            assert_eq!(server(text), Err(why), "{text}");
        }
    }

    #[test]
    fn of_what_is_no_server_nothing_secret_is_shown() {
        for (text, shown) in [
            (
                "rtmp://dana:secret@a.example:1935/live",
                "rtmp://a.example:1935/",
            ),
            (
                "https://a.example/live/secret?key=secret",
                "https://a.example/",
            ),
            ("rtmp://a.example/live secret", "rtmp://a.example/"),
            ("secret", ""),
            ("secret:secret", ""),
            ("rtmp://secret", ""),
            ("", ""),
        ] {
            assert_eq!(without_secrets(text), shown, "{text}");
        }
    }

    #[test]
    fn servers_are_the_same_however_they_are_written() {
        for (one, other, is_same) in [
            ("rtmp://a.example/live", "rtmps://A.example:443/live/", true),
            ("rtmp://a.example/live", "rtmp://a.example/other", false),
            ("rtmp://a.example/live", "rtmp://b.example/live", false),
            (
                "rtmps://a.rtmps.youtube.com:443/live2",
                "rtmp://b.rtmp.youtube.com/live2?backup=1",
                true,
            ),
            (
                "rtmp://live.twitch.tv/app",
                "rtmp://live.restream.io/live",
                false,
            ),
        ] {
            assert_eq!(are_same(one, other), is_same, "{one} {other}");
        }
    }

    #[test]
    fn a_key_may_hold_a_query_and_no_space() {
        assert_eq!(
            key(" live_1?user=a&pass=b=c "),
            Ok("live_1?user=a&pass=b=c")
        );
        for (text, why) in [
            ("", KeyError::Missing),
            ("a b", KeyError::Characters),
            ("a\u{7f}", KeyError::Characters),
            ("rtmp://a.example/live", KeyError::IsAddress),
            (&"k".repeat(KEY_MAX + 1), KeyError::TooLong),
        ] {
            assert_eq!(key(text), Err(why), "{text}");
        }
    }

    #[test]
    fn a_page_is_public_and_https() {
        assert_eq!(
            page("https://video.acme.example/live?x=1"),
            Ok("https://video.acme.example/live?x=1".to_owned())
        );
        for text in [
            "http://video.acme.example",
            "https://u:p@video.acme.example",
            "https://127.0.0.1/",
            "https://wiki/",
            "javascript:alert(1)",
            "video.acme.example",
        ] {
            assert_eq!(page(text), Err(PageError::NotAnAddress), "{text}");
        }
        assert_eq!(page(""), Err(PageError::Missing));
    }
}
