//! The services that livestreams go to, as data: their ingest servers, and what to know of each.

/// A service with a well-known ingest server, or whichever else speaks RTMP.
#[derive(Debug, PartialEq, Eq)]
pub struct Service {
    /// As it is stored.
    pub key: &'static str,
    pub name: &'static str,
    /// The server's address as the service publishes it; none where each account has its own.
    pub server: Option<&'static str>,
    /// The hosts of its ingest servers end so.
    pub hosts: &'static [&'static str],
    /// How many parts the path of its servers' addresses has: what follows is a key.
    pub path_parts: usize,
    /// What a person should know who streams there.
    pub hint: Option<&'static str>,
}

/// Every service, in the order they are offered. The last one is any other server.
pub const SERVICES: [Service; 9] = [
    Service {
        key: "youtube",
        name: "YouTube",
        server: Some("rtmps://a.rtmps.youtube.com:443/live2"),
        hosts: &["youtube.com"],
        path_parts: 1,
        hint: Some(
            "Viewers see nothing until the broadcast starts at YouTube: switch on auto-start there, and auto-stop.",
        ),
    },
    Service {
        key: "vimeo",
        name: "Vimeo",
        server: Some("rtmps://rtmp-global.cloud.vimeo.com:443/live"),
        hosts: &["vimeo.com"],
        path_parts: 1,
        hint: Some("An event has its own key: another event takes another key."),
    },
    Service {
        key: "twitch",
        name: "Twitch",
        server: Some("rtmps://ingest.global-contribute.live-video.net:443/app"),
        hosts: &["twitch.tv", "live-video.net"],
        path_parts: 1,
        hint: None,
    },
    Service {
        key: "facebook",
        name: "Facebook",
        server: Some("rtmps://live-api-s.facebook.com:443/rtmp/"),
        hosts: &["facebook.com"],
        path_parts: 1,
        hint: Some("A key is for one event, unless you choose a persistent one at Facebook."),
    },
    Service {
        key: "restream",
        name: "Restream",
        server: Some("rtmp://live.restream.io/live"),
        hosts: &["restream.io"],
        path_parts: 1,
        hint: Some("It sends one livestream to several services."),
    },
    Service {
        key: "ivs",
        name: "Amazon IVS",
        server: None,
        hosts: &["live-video.net"],
        path_parts: 1,
        hint: Some(
            "Each channel has its own server: copy the ingest address from its page at Amazon.",
        ),
    },
    Service {
        key: "mux",
        name: "Mux",
        server: Some("rtmps://global-live.mux.com:443/app"),
        hosts: &["mux.com"],
        path_parts: 1,
        hint: None,
    },
    Service {
        key: "cloudflare",
        name: "Cloudflare Stream",
        server: Some("rtmps://live.cloudflare.com:443/live/"),
        hosts: &["live.cloudflare.com"],
        path_parts: 1,
        hint: None,
    },
    Service {
        key: "other",
        name: "Another server",
        server: None,
        hosts: &[],
        path_parts: usize::MAX,
        hint: None,
    },
];

/// The service of this key.
pub fn find(key: &str) -> Option<&'static Service> {
    SERVICES.iter().find(|service| service.key == key)
}

/// The name of the service of this key; the key, if only another version knows it.
pub fn name(key: &str) -> &str {
    find(key).map_or(key, |service| service.name)
}

/// The service whose servers have this host.
pub(super) fn of_host(host: &str) -> Option<&'static Service> {
    SERVICES.iter().find(|service| service.has_host(host))
}

impl Service {
    /// Whether one of its servers may have this host.
    pub(super) fn has_host(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        self.hosts.iter().any(|known| {
            host.strip_suffix(known)
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        })
    }
}
