//! The collector of traces, where they are exported.

use reqwest::StatusCode;
use reqwest::header::CONTENT_TYPE;
use secrecy::ExposeSecret;

use super::address::answer;
use super::report::{Area, Report};
use crate::config::TracesConfig;

/// Posts an export without a span, which a collector takes as it takes others:
/// <https://opentelemetry.io/docs/specs/otlp/#otlphttp-request>.
pub(super) async fn examine(traces: &TracesConfig, http: &reqwest::Client, report: &mut Report) {
    let endpoint = &traces.endpoint;
    let mut request = http.post(endpoint.clone());
    for (name, value) in &traces.headers {
        request = request.header(name, value.expose_secret());
    }
    let request = request.header(CONTENT_TYPE, "application/x-protobuf");
    match answer(request).await {
        Ok((StatusCode::OK, _)) => report.good(
            Area::Traces,
            format!("the collector at {endpoint} takes traces"),
        ),
        Ok((status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN), _)) => report.warning(
            Area::Traces,
            format!(
                "the collector at {endpoint} refuses them with status {status}; set what it asks for in \
                 OTEL_EXPORTER_OTLP_HEADERS"
            ),
        ),
        Ok((status, _)) => report.warning(
            Area::Traces,
            format!(
                "the collector at {endpoint} answers with status {status}; OTEL_EXPORTER_OTLP_ENDPOINT is its address for \
                 OTLP over HTTP, usually port 4318, without /v1/traces"
            ),
        ),
        Err(why) => report.warning(
            Area::Traces,
            format!(
                "the collector at {endpoint} gives no answer ({why}); let this machine reach it, or correct \
                 OTEL_EXPORTER_OTLP_ENDPOINT"
            ),
        ),
    }
}
