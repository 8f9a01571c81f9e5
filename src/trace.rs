//! Traces: what becomes of a command, as spans that hang together from Slack's request to the reply,
//! whichever replica does what. [`telemetry`](crate::telemetry) exports them; without the feature
//! `otlp` there are none.
//!
//! All spans are made here, so that it is plain what they tell: no text of Slack's or Zoom's, no id of a
//! person, a workspace or a meeting, no path, no query and no secret. `docs/operations.md` lists their
//! attributes.

use reqwest::{Client, Request, RequestBuilder, Response};
use serde_json::Value;
use tracing::field::Empty;
use tracing::{Instrument, Span, info_span};

#[cfg(feature = "otlp")]
pub use self::context::{along, id, note, parent};
#[cfg(not(feature = "otlp"))]
pub use self::no_context::{along, id, note, parent};

/// The target of all spans of traces, and of nothing else.
pub const TARGET: &str = "livestream_bot::trace";

/// The field of a job's payload that says to which trace the job belongs, as the header of the same
/// name does: <https://www.w3.org/TR/trace-context/#traceparent-header>.
pub const TRACEPARENT: &str = "traceparent";

/// How a span says that what it stands for has failed.
const STATUS: &str = "otel.status_code";
const FAILED: &str = "ERROR";

/// The methods that servers know; anything else may be anything.
const METHODS: [&str; 9] = [
    "CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE",
];

/// A request to this route of ours, by its template.
/// <https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-server-span>
pub fn request(method: &str, route: &str) -> Span {
    if !cfg!(feature = "otlp") {
        return Span::none();
    }
    let known = METHODS.contains(&method);
    info_span!(
        target: TARGET,
        "request",
        otel.name = format!("{} {route}", if known { method } else { "HTTP" }),
        otel.kind = "server",
        http.request.method = if known { method } else { "_OTHER" },
        http.route = route,
        http.response.status_code = Empty,
        otel.status_code = Empty,
    )
}

/// Notes on the span of a request how it was answered.
pub fn answered(span: &Span, status: u16) {
    span.record("http.response.status_code", i64::from(status));
    if status >= 500 {
        span.record(STATUS, FAILED);
    }
}

/// A run of a job, in the trace that its payload names.
/// <https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/>
pub fn job(name: &'static str, payload: &Value) -> Span {
    if !cfg!(feature = "otlp") {
        return Span::none();
    }
    let span = info_span!(
        target: TARGET,
        "job",
        otel.name = format!("process {name}"),
        otel.kind = "consumer",
        messaging.system = "graphile_worker",
        messaging.destination.name = name,
        messaging.operation.name = "process",
        messaging.operation.type = "process",
        command.id = payload["command_id"].as_i64(),
        otel.status_code = Empty,
    );
    #[cfg(feature = "otlp")]
    context::adopt(&span, &payload[TRACEPARENT]);
    span
}

/// Notes that what a span stands for has failed.
pub fn failed(span: &Span) {
    span.record(STATUS, FAILED);
}

/// Something of our own that goes on by itself, in a task. It keeps what the log says of its cause.
pub fn task<F: Future>(name: &'static str, future: F) -> impl Future<Output = F::Output> {
    let cause = Span::current();
    let is_traced = cause
        .metadata()
        .is_some_and(|metadata| metadata.target() == TARGET);
    // What has caused it has ended by the time that it last did something.
    let cause = if is_traced { Span::none() } else { cause };
    let span = if cfg!(feature = "otlp") {
        info_span!(target: TARGET, "task", otel.name = name, otel.kind = "internal")
    } else {
        Span::none()
    };
    future.instrument(span).instrument(cause)
}

/// Sends a request to somebody else. `template` is its path, without what is in it of ids and secrets.
/// <https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-client-span>
pub fn send(
    request: RequestBuilder,
    template: &str,
) -> impl Future<Output = reqwest::Result<Response>> + Send + use<> {
    let (client, request) = request.build_split();
    let sending = request.map(|request| execute(&client, request, template));
    async move { sending?.await }
}

/// The same with a request that is complete.
pub fn execute(
    client: &Client,
    request: Request,
    template: &str,
) -> impl Future<Output = reqwest::Result<Response>> + Send + use<> {
    let span = call(&request, template);
    let sending = client.execute(request).instrument(span.clone());
    async move {
        let sent = sending.await;
        called(&span, &sent);
        sent
    }
}

fn call(request: &Request, template: &str) -> Span {
    if !cfg!(feature = "otlp") {
        return Span::none();
    }
    let (method, url) = (request.method().as_str(), request.url());
    info_span!(
        target: TARGET,
        "call",
        otel.name = format!("{method} {template}"),
        otel.kind = "client",
        http.request.method = method,
        url.template = template,
        server.address = url.host_str(),
        server.port = url.port_or_known_default().map(i64::from),
        http.response.status_code = Empty,
        error.type = Empty,
        otel.status_code = Empty,
    )
}

fn called(span: &Span, sent: &reqwest::Result<Response>) {
    let error = match sent {
        Ok(response) => {
            let status = response.status();
            span.record("http.response.status_code", i64::from(status.as_u16()));
            if !status.is_client_error() && !status.is_server_error() {
                return;
            }
            status.as_str().to_owned()
        }
        Err(error) if error.is_timeout() => "timeout".to_owned(),
        Err(error) if error.is_connect() => "connect".to_owned(),
        Err(_) => "_OTHER".to_owned(),
    };
    span.record("error.type", error);
    failed(span);
}

/// How spans hang together.
#[cfg(feature = "otlp")]
mod context {
    use std::collections::HashMap;

    use opentelemetry::propagation::TextMapPropagator;
    use opentelemetry::trace::{FutureExt, SpanContext, TraceContextExt};
    use opentelemetry::{Context, KeyValue};
    use opentelemetry_sdk::propagation::TraceContextPropagator;
    use serde_json::Value;
    use tracing::{Instrument, Span};
    use tracing_opentelemetry::OpenTelemetrySpanExt;

    use super::TRACEPARENT;

    /// What has caused a job, and so causes the jobs that follow from it: a command that looks again and
    /// again has its runs beside one another in its trace, and not one below the other.
    struct Cause(SpanContext);

    /// What a job that is added now is to have as [`TRACEPARENT`].
    pub fn parent() -> Option<String> {
        let mut context = Context::current();
        if let Some(Cause(cause)) = context.get::<Cause>() {
            context = Context::new().with_remote_span_context(cause.clone());
        }
        let mut fields = HashMap::new();
        TraceContextPropagator::new().inject_context(&context, &mut fields);
        fields.remove(TRACEPARENT)
    }

    /// Puts a span that has not begun into the trace that a job names, if it names one.
    pub(super) fn adopt(span: &Span, traceparent: &Value) {
        let Some(traceparent) = traceparent.as_str() else {
            return;
        };
        let fields = HashMap::from([(TRACEPARENT.to_owned(), traceparent.to_owned())]);
        let context = TraceContextPropagator::new().extract_with_context(&Context::new(), &fields);
        let cause = context.span().span_context().clone();
        if cause.is_valid() {
            // It fails where nobody wants the span.
            let _ = span.set_parent(context.with_value(Cause(cause)));
        }
    }

    /// The id of the present trace, if it is exported.
    pub fn id() -> Option<String> {
        let context = Context::current();
        let span = context.span();
        let span = span.span_context();
        span.is_sampled().then(|| span.trace_id().to_string())
    }

    /// Notes something on the present span.
    pub fn note(key: &'static str, value: &'static str) {
        let context = Context::current();
        context.span().set_attribute(KeyValue::new(key, value));
    }

    /// Carries on with the present span in another task.
    pub fn along<F: Future>(future: F) -> impl Future<Output = F::Output> {
        future.in_current_span().with_current_context()
    }
}

#[cfg(not(feature = "otlp"))]
mod no_context {
    use tracing::Instrument;

    /// None: there are no traces.
    pub fn parent() -> Option<String> {
        None
    }

    /// None: there are no traces.
    pub fn id() -> Option<String> {
        None
    }

    /// Does nothing: there are no traces.
    pub fn note(_: &'static str, _: &'static str) {}

    /// Carries on with the present span of the log in another task.
    pub fn along<F: Future>(future: F) -> impl Future<Output = F::Output> {
        future.in_current_span()
    }
}

#[cfg(all(test, feature = "otlp"))]
mod tests {
    use opentelemetry::trace::TracerProvider;
    use opentelemetry_sdk::trace::SdkTracerProvider;
    use serde_json::json;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    #[test]
    fn a_job_takes_over_a_trace_that_its_payload_names_well() {
        let provider = SdkTracerProvider::builder().build();
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
        let subscriber = tracing_subscriber::registry().with(layer);
        let trace = "0af7651916cd43dd8448eb211c80319c";
        let traceparent = format!("00-{trace}-b7ad6b7169203331-01");
        let is_in_it = |payload: &Value| {
            let span = job("run_command", payload);
            let entered = span.enter();
            // A job that is added now follows from the same request.
            let next = parent().expect("a trace");
            drop(entered);
            assert_eq!(next == traceparent, next.contains(trace), "{next}");
            next == traceparent
        };
        tracing::subscriber::with_default(subscriber, || {
            assert!(is_in_it(&json!({ TRACEPARENT: traceparent })));
            for payload in [
                json!({}),
                json!({ TRACEPARENT: null }),
                json!({ TRACEPARENT: 7 }),
                json!({ TRACEPARENT: "sesame" }),
                json!({ TRACEPARENT: "00-00000000000000000000000000000000-b7ad6b7169203331-01" }),
            ] {
                assert!(!is_in_it(&payload), "{payload}");
            }
        });
        assert_eq!(parent(), None);
    }
}
