//! Reads every request's body, whole and in time, before its handler runs: no route waits for one.

use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::TryStreamExt;

use crate::telemetry::sampling::warn_sampled;
use crate::zoom::paths as zoom_paths;

/// In bytes. Slack's forms have a few hundred.
const MAX: usize = 64 * 1024;
/// The same for Zoom's events, which may carry whole settings or lists of people: Zoom names no
/// limit, and may end a subscription whose events are refused.
const MAX_OF_ZOOM: usize = 1024 * 1024;
/// Slack gives up after 3 s; a body that is still coming then is of no use.
const WITHIN: Duration = Duration::from_secs(2);

/// Passes a request on with its body read. One that is too large is refused before it is read
/// where it says so.
pub(super) async fn read(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let most = if parts.uri.path() == zoom_paths::EVENTS {
        MAX_OF_ZOOM
    } else {
        MAX
    };
    let status = match tokio::time::timeout(WITHIN, collect(body, most)).await {
        Ok(Ok(bytes)) => {
            let request = Request::from_parts(parts, Body::from(bytes));
            return next.run(request).await;
        }
        Ok(Err(status)) => status,
        Err(_) => StatusCode::REQUEST_TIMEOUT,
    };
    warn_sampled!("request rejected: its body is too large, too slow or broken", %status);
    // What is left of the body is not read.
    let close = HeaderValue::from_static("close");
    (status, [(header::CONNECTION, close)]).into_response()
}

async fn collect(body: Body, most: usize) -> Result<Bytes, StatusCode> {
    if body.size_hint().lower() > most as u64 {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    let mut parts = body.into_data_stream();
    let mut whole = Vec::new();
    while let Some(part) = parts
        .try_next()
        .await
        .map_err(|_| StatusCode::BAD_REQUEST)?
    {
        if whole.len() + part.len() > most {
            return Err(StatusCode::PAYLOAD_TOO_LARGE);
        }
        whole.extend_from_slice(&part);
    }
    Ok(whole.into())
}
