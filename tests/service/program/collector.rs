//! A collector of OpenTelemetry: it takes OTLP over HTTP, and keeps what it gets.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1 as proto;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode as SpanStatus;
use prost::Message;
use tokio::net::TcpListener;

/// How long spans may take to come.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the collector does with a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Behaviour {
    Takes,
    /// It never answers.
    Hangs,
    /// It answers with this status, and takes nothing.
    Refuses(u16),
    /// It takes nothing, and says so with a status of success.
    Rejects,
}

/// A span, in plain values.
#[derive(Debug, Clone)]
pub(super) struct Span {
    pub(super) name: String,
    pub(super) trace: String,
    pub(super) id: String,
    /// Empty if it is the first of its trace.
    pub(super) parent: String,
    pub(super) kind: SpanKind,
    pub(super) has_failed: bool,
    pub(super) attributes: BTreeMap<String, String>,
    /// Which process made it.
    pub(super) instance: String,
    /// From its beginning to its end.
    pub(super) took: Duration,
}

#[derive(Debug)]
struct Received {
    behaviour: Behaviour,
    /// How many requests came, whatever became of them.
    count: usize,
    headers: HeaderMap,
    batches: Vec<ExportTraceServiceRequest>,
}

/// A collector, until it is dropped.
#[derive(Debug)]
pub(super) struct Collector {
    pub(super) url: String,
    received: Arc<Mutex<Received>>,
    serving: tokio::task::JoinHandle<()>,
}

impl Collector {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a local address");
        let received = Arc::new(Mutex::new(Received {
            behaviour: Behaviour::Takes,
            count: 0,
            headers: HeaderMap::new(),
            batches: Vec::new(),
        }));
        let router = Router::new()
            .route("/v1/traces", post(take))
            .with_state(Arc::clone(&received));
        let serving = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("a collector");
        });
        Self {
            url: format!("http://{address}"),
            received,
            serving,
        }
    }

    fn received(&self) -> MutexGuard<'_, Received> {
        self.received.lock().expect("no panic")
    }

    pub(super) fn behave(&self, behaviour: Behaviour) {
        self.received().behaviour = behaviour;
    }

    /// The headers of the last request.
    pub(super) fn headers(&self) -> HeaderMap {
        self.received().headers.clone()
    }

    /// How many requests came.
    pub(super) fn requests(&self) -> usize {
        self.received().count
    }

    /// What came, as it came.
    pub(super) fn batches(&self) -> Vec<ExportTraceServiceRequest> {
        self.received().batches.clone()
    }

    /// Every span that came.
    pub(super) fn spans(&self) -> Vec<Span> {
        self.batches().iter().flat_map(spans_of).collect()
    }

    /// Waits for a span that fits.
    pub(super) async fn span(&self, what: &str, fits: impl Fn(&Span) -> bool) -> Span {
        let mut ticks = tokio::time::interval(Duration::from_millis(20));
        let looking = async {
            loop {
                ticks.tick().await;
                if let Some(found) = self.spans().into_iter().find(&fits) {
                    return found;
                }
            }
        };
        let found = tokio::time::timeout(PATIENCE, looking).await;
        found.unwrap_or_else(|_| panic!("{what} did not come: {}", tree(&self.spans())))
    }

    /// Waits for a span with this name.
    pub(super) async fn named(&self, name: &str) -> Span {
        self.span(name, |span| span.name == name).await
    }

    /// Waits until so many requests came.
    pub(super) async fn requested(&self, times: usize) {
        let mut ticks = tokio::time::interval(Duration::from_millis(20));
        let waiting = async {
            while self.requests() < times {
                ticks.tick().await;
            }
        };
        let waited = tokio::time::timeout(PATIENCE, waiting).await;
        assert!(waited.is_ok(), "{} requests came", self.requests());
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn take(
    State(received): State<Arc<Mutex<Received>>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let batch = ExportTraceServiceRequest::decode(body).expect("OTLP");
    let behaviour = {
        let mut received = received.lock().expect("no panic");
        received.count += 1;
        received.headers = headers;
        if received.behaviour == Behaviour::Takes {
            received.batches.push(batch.clone());
        }
        received.behaviour
    };
    let mut answer = ExportTraceServiceResponse::default();
    match behaviour {
        Behaviour::Hangs => pending().await,
        Behaviour::Refuses(status) => {
            return StatusCode::from_u16(status)
                .expect("a status")
                .into_response();
        }
        Behaviour::Rejects => {
            answer.partial_success = Some(ExportTracePartialSuccess {
                rejected_spans: spans_of(&batch).len().try_into().expect("a number"),
                error_message: "too many".to_owned(),
            });
        }
        Behaviour::Takes => {}
    }
    let content_type = [("content-type", "application/x-protobuf")];
    (content_type, answer.encode_to_vec()).into_response()
}

fn spans_of(batch: &ExportTraceServiceRequest) -> Vec<Span> {
    let mut spans = Vec::new();
    for resource in &batch.resource_spans {
        let about = resource.resource.as_ref().expect("a resource");
        let about = attributes(&about.attributes);
        for span in resource.scope_spans.iter().flat_map(|scope| &scope.spans) {
            let took = span.end_time_unix_nano - span.start_time_unix_nano;
            let status = span.status.as_ref().map(proto::Status::code);
            spans.push(Span {
                name: span.name.clone(),
                trace: hex::encode(&span.trace_id),
                id: hex::encode(&span.span_id),
                parent: hex::encode(&span.parent_span_id),
                kind: span.kind(),
                has_failed: status == Some(SpanStatus::Error),
                attributes: attributes(&span.attributes),
                instance: about["service.instance.id"].clone(),
                took: Duration::from_nanos(took),
            });
        }
    }
    spans
}

fn attributes(list: &[KeyValue]) -> BTreeMap<String, String> {
    let attributes = list.iter();
    attributes
        .map(|KeyValue { key, value, .. }| {
            let value = match value {
                Some(AnyValue {
                    value: Some(Value::StringValue(text)),
                }) => text.clone(),
                Some(AnyValue {
                    value: Some(Value::IntValue(number)),
                }) => number.to_string(),
                other => panic!("{key} is {other:?}"),
            };
            (key.clone(), value)
        })
        .collect()
}

/// The traces, each span below its parent.
pub(super) fn tree(spans: &[Span]) -> String {
    fn add(text: &mut String, spans: &[Span], span: &Span, depth: usize) {
        let Span {
            name,
            kind,
            attributes,
            took,
            ..
        } = span;
        let failed = if span.has_failed { " FAILED" } else { "" };
        let _ = writeln!(
            text,
            "{:depth$}{name} [{kind:?}] {took:?}{failed} {attributes:?}",
            ""
        );
        for child in spans.iter().filter(|child| child.parent == span.id) {
            add(text, spans, child, depth + 2);
        }
    }
    let mut text = String::new();
    let is_top = |span: &&Span| !spans.iter().any(|other| other.id == span.parent);
    for top in spans.iter().filter(is_top) {
        let _ = writeln!(text, "trace {}", top.trace);
        add(&mut text, spans, top, 2);
    }
    text
}
