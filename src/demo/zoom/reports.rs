//! What Zoom reports of meetings by itself, once somebody has subscribed, and how that goes wrong.

use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::sleep_until;

use super::meeting::{Reporting, Subscription};
use super::state::Zoom;

impl Zoom {
    /// From now on the service at this address is told what happens to meetings, so long after it
    /// happened.
    pub fn subscribe(&self, service: &str, after: Duration) {
        let reports = self.reports();
        tokio::spawn(self.clone().deliver(service.to_owned(), after, reports));
    }

    /// From now on what happens to meetings comes here, each with its time, and nobody else is told.
    pub fn reports(&self) -> UnboundedReceiver<(Instant, Value)> {
        let (sender, reports) = unbounded_channel();
        self.lock().subscription = Some(Subscription {
            reports: sender,
            reporting: Reporting::default(),
        });
        reports
    }

    /// From now on reports come like this.
    pub fn report(&self, reporting: Reporting) {
        if let Some(subscription) = &mut self.lock().subscription {
            subscription.reporting = reporting;
        }
    }

    /// How reports come now, if anybody gets them.
    pub fn reporting(&self) -> Option<Reporting> {
        self.lock().subscription.as_ref().map(|to| to.reporting)
    }

    async fn deliver(
        self,
        service: String,
        after: Duration,
        mut reports: UnboundedReceiver<(Instant, Value)>,
    ) {
        let mut held: Option<Value> = None;
        while let Some((at, report)) = reports.recv().await {
            sleep_until((at + after).into()).await;
            let mut due = Vec::new();
            match self.reporting().unwrap_or_default() {
                Reporting::Late(delay) => {
                    sleep_until((at + after + delay).into()).await;
                    due.push(report);
                }
                Reporting::Lost => {}
                Reporting::Doubled => due.extend([report.clone(), report]),
                Reporting::Reordered if held.is_none() => {
                    held = Some(report);
                    continue;
                }
                Reporting::Prompt | Reporting::Reordered => due.push(report),
            }
            due.extend(held.take());
            for report in due {
                // A service that is away hears of it no more.
                let _ = self.tell(&service, &report).await;
            }
        }
    }
}
