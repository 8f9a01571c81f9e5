//! What Zoom tells of meetings: facts of streams of ours. Of others nothing is kept but when Zoom
//! told of something of that kind last.

use crate::app::App;
use crate::db::{stream_facts, zoom_events};
use crate::stream::FactKind;
use crate::zoom::event::{MeetingEvent, MeetingEventKind};

/// Takes an event. A second time, or late, or out of order it changes nothing that it should not.
pub async fn heard(app: &App, event: &MeetingEvent) -> sqlx::Result<()> {
    zoom_events::note_event(&app.db, &event.host, event.kind.into()).await?;
    let kind = match event.kind {
        MeetingEventKind::StreamStarted => FactKind::OnAir,
        MeetingEventKind::StreamStopped => FactKind::OffAir,
        MeetingEventKind::MeetingEnded => FactKind::MeetingEnded,
        // A stream begins in a meeting that runs.
        MeetingEventKind::MeetingStarted => return Ok(()),
    };
    if stream_facts::report(&app.db, kind, event).await? {
        tracing::info!(
            zoom.meeting = %event.meeting,
            event = <&str>::from(event.kind),
            "Zoom reported on a livestream"
        );
    }
    Ok(())
}
