//! How the API is read: who may, and what is answered to whoever may not.

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderValue, Uri};
use axum::response::Response;

use super::fault::{Fault, error, respond};
use super::reads::Read;
use super::state::{Zoom, ZoomState};

/// Why something is not read.
#[derive(Debug)]
pub(super) struct Refusal {
    status: u16,
    code: i64,
    message: String,
}

impl Refusal {
    pub(super) fn new(status: u16, code: i64, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
        }
    }

    pub(super) fn response(&self) -> Response {
        error(self.status, self.code, &self.message)
    }
}

impl Zoom {
    /// What the next request of this kind gets.
    pub fn fail_next_read(&self, read: Read, fault: Fault) {
        self.lock().reads.fail_next(read, fault);
    }

    /// How many faults wait for requests of this kind.
    pub fn read_faults_waiting(&self, read: Read) -> usize {
        self.lock().reads.faults_waiting(read)
    }

    /// The requests of this kind so far: each one's path and query.
    pub fn reads(&self, read: Read) -> Vec<String> {
        self.lock().reads.asked(read)
    }

    /// Waits until there were so many requests of this kind.
    pub async fn was_read(&self, read: Read, times: usize) {
        let mut was_read = self.was_read.subscribe();
        let reached = was_read.wait_for(|()| self.reads(read).len() >= times);
        reached
            .await
            .map(drop)
            .expect("the stand-in holds the sender");
    }

    /// The response to a request of this kind.
    pub(super) async fn answer_read(
        &self,
        read: Read,
        uri: &Uri,
        answer: impl FnOnce(&ZoomState) -> Result<Response, Refusal>,
    ) -> Response {
        let fault = self.lock().reads.begin(read, uri.to_string());
        self.was_read.send_replace(());
        let mut response = respond(&self.waiting, fault, || {
            answer(&self.lock()).unwrap_or_else(|refusal| refusal.response())
        })
        .await;
        let tracking = HeaderValue::from_static("WEB_demo");
        response.headers_mut().insert("x-zm-trackingid", tracking);
        response
    }
}

impl ZoomState {
    /// Whose token this is, if it has the permission or the older one that holds it.
    pub(super) fn allowed(
        &self,
        headers: &HeaderMap,
        needed: &str,
        older: &str,
    ) -> Result<String, Refusal> {
        let authorization = headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        let (user, scope) = self
            .bearer(authorization.unwrap_or_default())
            .map_err(|problem| Refusal::new(401, 124, problem))?;
        if !scope
            .split(' ')
            .any(|scope| [needed, older].contains(&scope))
        {
            let problem = format!("Invalid access token, does not contain scopes:[{needed}].");
            return Err(Refusal::new(400, 4711, problem));
        }
        Ok(user)
    }
}
