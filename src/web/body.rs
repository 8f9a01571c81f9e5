//! Reads every request's body, whole and in time, before its handler runs: no route waits for one.

use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::TryStreamExt;

/// In bytes. Slack's forms have a few hundred.
const MAX: usize = 64 * 1024;
/// Slack gives up after 3 s; a body that is still coming then is of no use.
const WITHIN: Duration = Duration::from_secs(2);

/// Passes a request on with its body read. One that is too large is refused before it is read
/// where it says so.
pub(super) async fn read(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let status = match tokio::time::timeout(WITHIN, collect(body)).await {
        Ok(Ok(bytes)) => {
            let request = Request::from_parts(parts, Body::from(bytes));
            return next.run(request).await;
        }
        Ok(Err(status)) => status,
        Err(_) => StatusCode::REQUEST_TIMEOUT,
    };
    // What is left of the body is not read.
    let close = HeaderValue::from_static("close");
    (status, [(header::CONNECTION, close)]).into_response()
}

async fn collect(body: Body) -> Result<Bytes, StatusCode> {
    if body.size_hint().lower() > MAX as u64 {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    let mut parts = body.into_data_stream();
    let mut whole = Vec::new();
    while let Some(part) = parts
        .try_next()
        .await
        .map_err(|_| StatusCode::BAD_REQUEST)?
    {
        if whole.len() + part.len() > MAX {
            return Err(StatusCode::PAYLOAD_TOO_LARGE);
        }
        whole.extend_from_slice(&part);
    }
    Ok(whole.into())
}
