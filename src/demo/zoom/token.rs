//! `POST /oauth/token`.

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;

use super::super::params::Fields;
use super::consent;
use super::fault::{play, token_error};
use super::state::{Zoom, ZoomState};

pub(super) async fn token(
    State(zoom): State<Zoom>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    zoom.token_called.send_modify(|count| *count += 1);
    let fault = zoom.lock().token_faults.pop_front();
    if let Some(fault) = fault {
        return play(fault).await;
    }
    let mut state = zoom.lock();
    if !state.is_client(&headers) {
        return token_error(401, "invalid_client", "Invalid client_id or client_secret");
    }
    // A code or a token in an address would end up in logs.
    if query.is_some() {
        return token_error(400, "invalid_request", "Unsupported query parameters");
    }
    let form = match Fields::read(&body) {
        Ok(form) => form,
        Err(problem) => return token_error(400, "invalid_request", problem),
    };
    match form.get("grant_type") {
        "authorization_code" => consent::exchange(&mut state, &form),
        "refresh_token" => refresh(&mut state, form.get("refresh_token")),
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
