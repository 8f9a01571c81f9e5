//! Exports traces by OTLP over HTTP: <https://opentelemetry.io/docs/specs/otlp/#otlphttp>.
//!
//! Nothing waits for it. Spans that have ended stand in a bounded queue, and a task posts them in
//! batches; what the queue has no room for, or nobody takes, is counted and lost.
//!
//! The exporter and the queue are our own: `opentelemetry-otlp` reads the environment by itself, and the
//! SDK's queue tells only at its end how much was lost.

use std::str::FromStr;
use std::time::Duration;

use opentelemetry::trace::TracerProvider;
use opentelemetry::{Context, KeyValue};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    Sampler, SdkTracerProvider, Span, SpanData, SpanLimits, SpanProcessor,
};
use prost::Message;
use prost::bytes::Bytes;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use secrecy::ExposeSecret;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::filter_fn;
use url::Url;

use super::VERSION;
use super::log::Layer;
use super::metrics::{self, Spans};
use crate::config::TracesConfig;
use crate::http::{self, body, cause, retry_after};
use crate::trace::TARGET;

/// How many spans wait at most, those of a batch that is being posted aside. One takes about a
/// kilobyte, and a command has about ten.
const WAITING_MAX: usize = 4096;
/// How many are posted at once.
const BATCH_MAX: usize = 512;
/// How long spans are collected before they are posted.
const COLLECTED_FOR: Duration = Duration::from_secs(1);
/// How long the collector may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// How often a batch is posted.
const TRIES: u32 = 3;
/// The pause before a batch is posted again, where the collector does not ask for another one.
const PAUSE: Duration = Duration::from_secs(1);
/// The longest that the collector is waited for where it asks for that.
const PAUSE_MAX: Duration = Duration::from_secs(30);
/// How long the spans that wait at a shutdown may take.
const END_WITHIN: Duration = Duration::from_secs(3);

/// The export, until it is told to end.
#[derive(Debug)]
pub struct Export {
    exporting: JoinHandle<()>,
    ending: CancellationToken,
}

/// Begins to export; the layer is for the subscriber of the program.
pub fn start(config: &TracesConfig) -> anyhow::Result<(Layer, Export)> {
    let instance = hex::encode(rand::random::<[u8; 16]>());
    let resource = Resource::builder_empty()
        .with_service_name(config.service_name.clone())
        .with_attributes([
            KeyValue::new("service.version", VERSION),
            // Tells replicas apart.
            KeyValue::new("service.instance.id", instance),
        ])
        .build();
    let exporter = Exporter::new(config, &resource)?;
    let (queue, spans) = mpsc::channel(WAITING_MAX);
    let share = Sampler::TraceIdRatioBased(config.share);
    // All is set here that the SDK would look for in the environment.
    let provider = SdkTracerProvider::builder()
        .with_span_processor(Queue(queue))
        .with_sampler(Sampler::ParentBased(Box::new(share)))
        .with_span_limits(SpanLimits::default())
        .with_resource(resource)
        .build();
    // No event: a line of the log may quote what Slack or Zoom said.
    let of_traces = filter_fn(|metadata| metadata.is_span() && metadata.target() == TARGET);
    let layer = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("livestream-bot"))
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false)
        .with_filter(of_traces)
        .boxed();
    let ending = CancellationToken::new();
    let exporting = tokio::spawn(export(spans, exporter, ending.clone()));
    Ok((layer, Export { exporting, ending }))
}

impl Export {
    /// Posts what waits, for a few seconds at most.
    pub async fn end(mut self) {
        self.ending.cancel();
        let ended = tokio::time::timeout(END_WITHIN, &mut self.exporting).await;
        if ended.is_err() {
            self.exporting.abort();
            tracing::warn!("the last traces were not exported in time");
        }
    }
}

/// Where spans wait that have ended.
#[derive(Debug)]
struct Queue(mpsc::Sender<SpanData>);

impl SpanProcessor for Queue {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        if span.span_context.is_sampled() && self.0.try_send(span).is_err() {
            metrics::spans(Spans::Dropped, 1);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

/// Posts spans until it is told to end, and then those that wait.
async fn export(
    mut spans: mpsc::Receiver<SpanData>,
    mut exporter: Exporter,
    ending: CancellationToken,
) {
    let mut ticks = tokio::time::interval(COLLECTED_FOR);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let is_ending = ending.run_until_cancelled(ticks.tick()).await.is_none();
        if is_ending {
            spans.close();
        }
        while !spans.is_empty() {
            let mut batch = Vec::new();
            spans.recv_many(&mut batch, BATCH_MAX).await;
            exporter.export(batch, &ending).await;
        }
        if is_ending {
            return;
        }
    }
}

/// The way to a collector.
#[derive(Debug)]
struct Exporter {
    http: reqwest::Client,
    endpoint: Url,
    headers: HeaderMap,
    resource: ResourceAttributesWithSchema,
    is_failing: bool,
}

/// Why a batch was not taken.
enum Failure {
    /// It will never be.
    Final(String),
    Transient {
        why: String,
        /// How long the collector asks to wait.
        retry_after: Option<Duration>,
    },
}

impl From<reqwest::Error> for Failure {
    fn from(error: reqwest::Error) -> Self {
        Self::Transient {
            why: cause(error),
            retry_after: None,
        }
    }
}

impl Exporter {
    fn new(config: &TracesConfig, resource: &Resource) -> anyhow::Result<Self> {
        let mut headers = HeaderMap::new();
        for (name, value) in &config.headers {
            let mut value = HeaderValue::from_str(value.expose_secret())?;
            value.set_sensitive(true);
            headers.insert(HeaderName::from_str(name)?, value);
        }
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/x-protobuf"),
        );
        Ok(Self {
            http: http::client(ANSWER_WITHIN)?,
            endpoint: config.endpoint.clone(),
            headers,
            resource: resource.into(),
            is_failing: false,
        })
    }

    /// Posts spans, again if there is hope, and counts what became of them.
    async fn export(&mut self, spans: Vec<SpanData>, ending: &CancellationToken) {
        let count = spans.len() as u64;
        let resource_spans = group_spans_by_resource_and_scope(spans, &self.resource);
        let request = ExportTraceServiceRequest { resource_spans };
        let request = Bytes::from(request.encode_to_vec());
        let mut tries = 1;
        let failure = loop {
            match self.post(request.clone()).await {
                Ok(rejected) => {
                    let rejected = rejected.min(count);
                    metrics::spans(Spans::Exported, count - rejected);
                    metrics::spans(Spans::Failed, rejected);
                    let was_failing = std::mem::replace(&mut self.is_failing, rejected > 0);
                    if rejected > 0 && !was_failing {
                        tracing::warn!(count = rejected, "the collector rejects spans");
                    } else if rejected == 0 && was_failing {
                        tracing::info!("traces are exported again");
                    }
                    return;
                }
                Err(Failure::Transient { retry_after, .. })
                    if tries < TRIES && !ending.is_cancelled() =>
                {
                    let pause = retry_after.unwrap_or(PAUSE).min(PAUSE_MAX);
                    ending.run_until_cancelled(tokio::time::sleep(pause)).await;
                    tries += 1;
                }
                Err(Failure::Final(why) | Failure::Transient { why, .. }) => break why,
            }
        };
        metrics::spans(Spans::Failed, count);
        if !std::mem::replace(&mut self.is_failing, true) {
            tracing::warn!(error = failure, "failed to export traces; trying on");
        }
    }

    /// Posts once. Returns how many spans the collector rejects.
    async fn post(&self, request: Bytes) -> Result<u64, Failure> {
        let request = self
            .http
            .post(self.endpoint.clone())
            .headers(self.headers.clone())
            .body(request);
        let response = request.send().await?;
        let (status, retry_after) = (response.status(), retry_after(response.headers()));
        match status.as_u16() {
            200..300 => {
                let answer = body(response).await?;
                let answer = ExportTraceServiceResponse::decode(answer.as_slice());
                let rejected = answer.ok().and_then(|answer| answer.partial_success);
                let rejected = rejected.map_or(0, |partial| partial.rejected_spans);
                Ok(rejected.try_into().unwrap_or_default())
            }
            429 | 502..=504 => Err(Failure::Transient {
                why: format!("status {status}"),
                retry_after,
            }),
            _ => Err(Failure::Final(format!("status {status}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use metrics_exporter_prometheus::PrometheusBuilder;
    use opentelemetry::trace::Tracer;

    use super::*;

    #[test]
    fn what_the_queue_has_no_room_for_is_counted_and_waits_for_nobody() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let (queue, spans) = mpsc::channel(2);
        let provider = SdkTracerProvider::builder()
            .with_span_processor(Queue(queue))
            .with_sampler(Sampler::AlwaysOn)
            .build();
        let tracer = provider.tracer("test");
        ::metrics::with_local_recorder(&recorder, || {
            for _ in 0..5 {
                drop(tracer.start("span"));
            }
        });
        let counted = recorder.handle().render();
        let dropped = "livestream_bot_trace_spans_total{result=\"dropped\"} 3";
        assert!(counted.contains(dropped), "{counted}");
        assert_eq!(spans.len(), 2);
    }
}
