//! `POST /oauth/token`.

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;

use super::super::params::Fields;
use super::consent;
use super::fault::{respond, token_error};
use super::state::{Zoom, ZoomState};

pub(super) async fn token(
    State(zoom): State<Zoom>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    zoom.token_called.send_modify(|count| *count += 1);
    let fault = zoom.lock().token_faults.pop_front();
    respond(&zoom.waiting, fault, || {
        answer(&mut zoom.lock(), query.is_some(), &headers, &body)
    })
    .await
}

fn answer(state: &mut ZoomState, has_query: bool, headers: &HeaderMap, body: &[u8]) -> Response {
    if !state.is_client(headers) {
        return token_error(401, "invalid_client", "Invalid client_id or client_secret");
    }
    // A code or a token in an address would end up in logs.
    if has_query {
        return token_error(400, "invalid_request", "Unsupported query parameters");
    }
    let form = match Fields::read(body) {
        Ok(form) => form,
        Err(problem) => return token_error(400, "invalid_request", problem),
    };
    match form.get("grant_type") {
        "authorization_code" => consent::exchange(state, &form),
        "refresh_token" => refresh(state, form.get("refresh_token")),
        _ => token_error(400, "invalid_request", "Missing grant type"),
    }
}

fn refresh(state: &mut ZoomState, presented: &str) -> Response {
    let Some((name, scope)) = state
        .users
        .iter()
        .find(|(_, user)| user.refresh_token == presented)
        .map(|(name, user)| (name.clone(), user.scope.clone()))
    else {
        return token_error(400, "invalid_grant", "Invalid Token!");
    };
    state.refreshes += 1;
    state.grant(&name, &scope).answer()
}
