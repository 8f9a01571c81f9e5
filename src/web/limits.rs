//! How many requests the pages take: of one address, and of all together. What Slack and Zoom send
//! is never limited, and health checks are not.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use governor::clock::{Clock, DefaultClock};
use governor::state::keyed::HashMapStateStore;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use maud::html;

use crate::web::pages::{document, page};
use crate::web::paths::FOR_MACHINES;

/// How many requests an address may make at once: linking takes about ten, and a whole office may
/// link at the same time behind one address.
const BURST: NonZeroU32 = NonZeroU32::new(300).expect("it is not zero");
/// How many more it may make in a second.
const PER_SECOND: NonZeroU32 = NonZeroU32::new(5).expect("it is not zero");
/// How many requests all addresses together may make in a second.
const OVERALL_PER_SECOND: NonZeroU32 = NonZeroU32::new(500).expect("it is not zero");
/// How many addresses are remembered, about 100 bytes each; beyond, only the overall limit holds.
const ADDRESSES_MAX: usize = 50_000;
/// After how many requests those addresses are forgotten that made none for a minute.
const FORGET_EVERY: usize = 10_000;

/// What was asked lately.
#[derive(Debug)]
pub(super) struct Limits {
    by_address: RateLimiter<IpAddr, HashMapStateStore<IpAddr>, DefaultClock>,
    overall: DefaultDirectRateLimiter,
    asked: AtomicUsize,
}

impl Default for Limits {
    fn default() -> Self {
        let quota = Quota::per_second(PER_SECOND).allow_burst(BURST);
        Self {
            by_address: RateLimiter::hashmap(quota),
            overall: RateLimiter::direct(Quota::per_second(OVERALL_PER_SECOND)),
            asked: AtomicUsize::new(0),
        }
    }
}

impl Limits {
    /// `Err` says how long to wait.
    fn admit(&self, address: IpAddr) -> Result<(), Duration> {
        if self.asked.fetch_add(1, Ordering::Relaxed) % FORGET_EVERY == FORGET_EVERY - 1 {
            self.by_address.retain_recent();
            self.by_address.shrink_to_fit();
        }
        let now = DefaultClock::default().now();
        if self.by_address.len() < ADDRESSES_MAX {
            let asked = self.by_address.check_key(&address);
            asked.map_err(|until| until.wait_time_from(now))?;
        }
        let asked = self.overall.check();
        asked.map_err(|until| until.wait_time_from(now))
    }
}

/// Refuses a request for a page if there were too many.
pub(super) async fn limit(
    State(limits): State<Arc<Limits>>,
    request: Request,
    next: Next,
) -> Response {
    let route = request.extensions().get::<MatchedPath>();
    if route.is_some_and(|route| FOR_MACHINES.contains(&route.as_str())) {
        return next.run(request).await;
    }
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED), |peer| peer.0.ip());
    match limits.admit(client(peer, request.headers())) {
        Ok(()) => next.run(request).await,
        Err(wait) => too_many(wait),
    }
}

fn too_many(wait: Duration) -> Response {
    let content = html! {
        h1 { "Too many requests" }
        p { "This service gets too many requests from your address, or altogether. Try again in a minute." }
    };
    let retry_after = [(header::RETRY_AFTER, (wait.as_secs() + 1).to_string())];
    let page = page(
        StatusCode::TOO_MANY_REQUESTS,
        document("Too many requests", "narrow", &content),
    );
    (retry_after, page).into_response()
}

/// Who asks: the peer, or whom a proxy on a private network asks for. Whoever has an IPv6 address
/// has 2^64 of them.
fn client(peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let peer = peer.to_canonical();
    let forwarded = headers.get_all("x-forwarded-for").iter().next_back();
    let forwarded = forwarded
        .and_then(|value| value.to_str().ok()?.rsplit(',').next())
        .and_then(|text| address(text.trim()));
    let client = forwarded.filter(|_| is_private(peer)).unwrap_or(peer);
    match client.to_canonical() {
        IpAddr::V6(address) => {
            let network = address.to_bits() & !u128::from(u64::MAX);
            Ipv6Addr::from_bits(network).into()
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// An address, with or without a port.
fn address(text: &str) -> Option<IpAddr> {
    let with_port = || text.parse().map(|address: SocketAddr| address.ip());
    text.parse().or_else(|_| with_port()).ok()
}

fn is_private(address: IpAddr) -> bool {
    match address {
        // Private, of this machine, of this link, or shared by a carrier (RFC 6598).
        IpAddr::V4(v4) => {
            v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || (v4.octets()[0] == 100 && v4.octets()[1] & 0xc0 == 64)
        }
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(values: &[&str]) -> HeaderMap {
        let values = values.iter().map(|value| {
            let value = value.parse().expect("a header value");
            (header::HeaderName::from_static("x-forwarded-for"), value)
        });
        values.collect()
    }

    #[test]
    fn only_a_proxy_nearby_says_who_asks() {
        for (peer, forwarded, client_is) in [
            ("203.0.113.1", &[][..], "203.0.113.1"),
            ("203.0.113.1", &["198.51.100.1"], "203.0.113.1"),
            ("127.0.0.1", &[], "127.0.0.1"),
            ("127.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            (
                "::ffff:10.0.0.1",
                &["1.1.1.1, 198.51.100.1:4711"],
                "198.51.100.1",
            ),
            (
                "fd00::1",
                &["1.1.1.1", "2.2.2.2, 198.51.100.1"],
                "198.51.100.1",
            ),
            ("100.64.0.1", &["198.51.100.1, unknown"], "100.64.0.1"),
            ("172.16.0.1", &["2001:db8:1:2:3:4:5:6"], "2001:db8:1:2::"),
            ("2001:db8:1:2:3:4:5:6", &[], "2001:db8:1:2::"),
        ] {
            let peer: IpAddr = peer.parse().expect("an address");
            let found = client(peer, &headers(forwarded));
            assert_eq!(found.to_string(), client_is, "{peer} {forwarded:?}");
        }
    }

    #[test]
    fn one_address_is_limited_and_the_others_are_not() {
        let limits = Limits::default();
        let [one, other] = [1, 2].map(|last| IpAddr::from([203, 0, 113, last]));
        for _ in 0..BURST.get() {
            assert_eq!(limits.admit(one), Ok(()));
        }
        let waits = (0..20).filter_map(|_| limits.admit(one).err());
        assert!(waits.max().expect("a limit") <= Duration::from_secs(1));
        assert_eq!(limits.admit(other), Ok(()));
    }
}
