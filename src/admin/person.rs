//! What admins may do to the link of one person.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;

use crate::account::reads::{self, ReadError};
use crate::account::tokens::TokenUnavailable;
use crate::account::unlink;
use crate::admin::{Admin, AdminError};
use crate::app::App;
use crate::db;
use crate::db::account_uses::{self, Uses};
use crate::db::audit::{self, AuditKind, Entry, Event, Filter, LastAsk, Position};
use crate::db::jobs::{self, AskToLink, NotifyUnlinked, RunAt};
use crate::db::linked_users::{self, FormerLink, LinkedUser};
use crate::db::{grants, installations, persist};
use crate::ids::{Asker, SlackUserId};
use crate::reply::account::Unlinked;
use crate::slack::web_api::missing_scopes_of;
use crate::zoom::client::ApiError;

/// How long a person's page says what the last test showed.
const TEST_SHOWN_FOR: TimeDelta = TimeDelta::minutes(30);

/// How many tests are looked through for it.
const TESTS_READ: i64 = 100;

/// How long somebody is left alone who was asked to link their account.
const ASKED_EVERY: TimeDelta = TimeDelta::hours(24);

/// What a test of somebody's link showed.
#[derive(Debug, PartialEq, Eq, strum::EnumString, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum TestResult {
    Works,
    /// It does, and livestreams will not: the page says why.
    Trouble,
    Dead,
    /// Zoom refused to answer, and said why.
    Refused(String),
    /// Zoom did not answer.
    NoAnswer,
    Misconfigured,
}

/// Somebody of the admin's workspace, and of no other.
pub async fn person(
    app: &App,
    admin: &Admin,
    user: &SlackUserId,
) -> Result<LinkedUser, AdminError> {
    let asker = of_theirs(admin, user);
    linked_users::find(&app.db, &asker)
        .await?
        .ok_or(AdminError::Nobody)
}

fn of_theirs(admin: &Admin, user: &SlackUserId) -> Asker {
    Asker {
        // Only the link of this very workspace.
        enterprise: None,
        team: admin.asker.team.clone(),
        user: user.clone(),
    }
}

/// Asks Zoom how somebody's account is, by reading it; changes nothing there. [`last_test`] tells
/// what that showed.
pub async fn test(app: &Arc<App>, admin: &Admin, user: &SlackUserId) -> Result<(), AdminError> {
    let row = person(app, admin, user).await?;
    let tested = ask_zoom(app, &row).await?;
    let asker = of_theirs(admin, user);
    let event = Event {
        has_failed: tested != TestResult::Works,
        outcome: Some((&tested).into()),
        detail: match &tested {
            TestResult::Refused(said) => Some(said),
            _ => None,
        },
        ..Event::of(&asker, AuditKind::LinkTested)
            .zoom(&row.zoom_user_id)
            .by(Some(&admin.asker))
    };
    audit::write(&app.db, &event).await?;
    Ok(())
}

/// What the last test of somebody's link showed, and when, if it was lately.
pub async fn last_test(
    app: &App,
    admin: &Admin,
    row: &LinkedUser,
) -> sqlx::Result<Option<(TestResult, DateTime<Utc>)>> {
    let team = &admin.asker.team;
    let mut db = app.db.acquire().await?;
    let found = db::people::find(&mut *db, team, row.user_id.as_str()).await?;
    let filter = Filter {
        kind: Some(AuditKind::LinkTested),
        people: Some(found.into_iter().map(|found| found.person_id).collect()),
        ..Filter::default()
    };
    let last = audit::entries(&mut db, team, &filter, Position::Newest, TESTS_READ).await?;
    // The filter finds those too whom they tested as an admin.
    let of_theirs = |entry: &&Entry| {
        let person = entry.person.as_ref();
        person.is_some_and(|person| person.id() == row.user_id.as_str())
    };
    let since = row.linked_at.max(Utc::now() - TEST_SHOWN_FOR);
    Ok(last.iter().find(of_theirs).and_then(|last| {
        let mut result = last.outcome.as_deref()?.parse().ok()?;
        if let (TestResult::Refused(said), Some(detail)) = (&mut result, &last.detail) {
            detail.clone_into(said);
        }
        (last.happened_at >= since).then_some((result, last.happened_at))
    }))
}

/// The link of somebody of the admin's workspace that ended last, and who uses its account now.
pub async fn former_link(
    app: &App,
    admin: &Admin,
    user: &SlackUserId,
) -> Result<(FormerLink, Option<Uses>), AdminError> {
    let theirs = of_theirs(admin, user);
    let former = linked_users::former(&app.db, &theirs).await?;
    let former = former.ok_or(AdminError::Nobody)?;
    let used_by = match &former.zoom_user_id {
        Some(zoom_user) => Some(account_uses::find(&app.db, zoom_user, &theirs).await?),
        None => None,
    };
    let used_by = used_by.map(|found| Uses {
        is_shared_with_them: found.is_shared_with_them && app.shared_accounts,
        ..found
    });
    Ok((former, used_by))
}

async fn ask_zoom(app: &Arc<App>, row: &LinkedUser) -> Result<TestResult, AdminError> {
    let read = reads::read(app, &row.zoom_user_id, |zoom, token| async move {
        zoom.me(&token).await
    });
    let (account, token) = match read.await {
        Ok(read) => read,
        Err(
            ReadError::Token(TokenUnavailable::Dead(_)) | ReadError::Api(ApiError::Unauthorized),
        ) => {
            return Ok(TestResult::Dead);
        }
        Err(ReadError::Token(
            TokenUnavailable::Misconfigured(_) | TokenUnavailable::Disabled(_),
        )) => return Ok(TestResult::Misconfigured),
        Err(ReadError::Api(ApiError::Refused { said, .. })) => {
            return Ok(TestResult::Refused(said));
        }
        Err(
            ReadError::Token(
                TokenUnavailable::BeingRefreshed | TokenUnavailable::Unavailable { .. },
            )
            | ReadError::Api(
                ApiError::Limited(_) | ApiError::DailyLimit { .. } | ApiError::Failed(_),
            ),
        ) => return Ok(TestResult::NoAnswer),
        Err(ReadError::Token(TokenUnavailable::Database(error)) | ReadError::Database(error)) => {
            return Err(error.into());
        }
    };
    // May only be read where the operator's Zoom app has the permission for it.
    let settings = app.zoom.live_settings(&token).await.ok();
    let problem = match settings {
        _ if account.is_basic() => Some("basic_plan"),
        Some(settings) if settings.allow_live_streaming == Some(false) => Some("streaming_off"),
        Some(settings) if settings.custom_live_streaming_service == Some(false) => {
            Some("custom_streaming_off")
        }
        _ => None,
    };
    persist(|| grants::store_check(&app.db, &row.zoom_user_id, problem)).await?;
    grants::update_profile(
        &app.db,
        &row.zoom_user_id,
        &account.account_id,
        &account.email,
    )
    .await?;
    Ok(match problem {
        Some(_) => TestResult::Trouble,
        None => TestResult::Works,
    })
}

/// Ends somebody's link, and tells them. `linked_at` is that of the link the admin saw, in
/// microseconds: a form that is sent again later does nothing to a newer one. [`former_link`] tells
/// what became of it.
pub async fn disconnect(
    app: &Arc<App>,
    admin: &Admin,
    user: &SlackUserId,
    linked_at: i64,
) -> Result<(), AdminError> {
    let row = person(app, admin, user).await?;
    if row.linked_at.timestamp_micros() != linked_at {
        return Err(AdminError::StaleForm);
    }
    let asker = of_theirs(admin, user);
    if unlink::unlink_by(app, &asker, &admin.asker, row.linked_at).await? == Unlinked::NotLinked {
        // The same form, sent twice at once.
        return Ok(());
    }
    let whole = Asker {
        enterprise: admin.asker.enterprise.clone(),
        ..asker
    };
    let job = NotifyUnlinked {
        asker: whole,
        by: admin.asker.user.clone(),
    };
    Ok(jobs::enqueue(&app.db, &job, RunAt::Now).await?)
}

/// Whether the bot can ask somebody to link their account.
#[derive(Debug, PartialEq, Eq)]
pub enum CanAsk {
    Yes,
    /// Somebody has, less than a day ago.
    Asked {
        at: DateTime<Utc>,
        /// The admin's Slack id, unless it was erased.
        by: Option<String>,
    },
    /// The workspace gave it no token.
    NoToken,
    /// Its token may not write messages.
    MayNotWrite,
}

/// Whether the bot can ask somebody now, and why Slack did not take the last message, if it did not.
pub async fn can_ask(
    db: &mut PgConnection,
    admin: &Admin,
    user: &SlackUserId,
) -> sqlx::Result<(CanAsk, Option<String>)> {
    let last = audit::last_ask(&mut *db, &admin.asker.team, user).await?;
    let (asked, refusal) = match last {
        Some(LastAsk {
            refusal: Some(why), ..
        }) => (None, Some(why)),
        Some(last) if Utc::now() - last.at < ASKED_EVERY => (Some(last), None),
        _ => (None, None),
    };
    let granted = installations::granted_scope(&mut *db, &admin.asker).await?;
    let can = match (granted, asked) {
        (_, Some(last)) => CanAsk::Asked {
            at: last.at,
            by: last.by,
        },
        (None, None) => CanAsk::NoToken,
        (Some(granted), None) if missing_scopes_of(&["chat:write"], &granted).is_empty() => {
            CanAsk::Yes
        }
        (Some(_), None) => CanAsk::MayNotWrite,
    };
    Ok((can, refusal))
}

/// Has the bot ask somebody of the admin's workspace by a direct message to link their account,
/// unless somebody did less than a day ago, or the bot cannot: [`can_ask`] tells.
pub async fn ask_to_link(app: &App, admin: &Admin, user: &SlackUserId) -> Result<(), AdminError> {
    let asker = Asker {
        enterprise: admin.asker.enterprise.clone(),
        ..of_theirs(admin, user)
    };
    if db::people::find(&app.db, &asker.team, user.as_str())
        .await?
        .is_none()
    {
        // Somebody whom nothing here has ever named.
        person(app, admin, user).await?;
    }
    let mut transaction = app.db.begin().await?;
    jobs::lock_ask(&mut *transaction, &asker).await?;
    if can_ask(&mut transaction, admin, user).await?.0 != CanAsk::Yes {
        return Ok(());
    }
    let event = Event::of(&asker, AuditKind::LinkAsked).by(Some(&admin.asker));
    audit::write(&mut *transaction, &event).await?;
    let job = AskToLink {
        asker,
        by: admin.asker.clone(),
    };
    jobs::enqueue(&mut *transaction, &job, RunAt::Now).await?;
    Ok(transaction.commit().await?)
}
