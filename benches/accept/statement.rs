//! The statement that takes a command.

use serde_json::json;
use sqlx::Postgres;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;

/// What the program does to take a command, word for word.
pub(crate) const STATEMENT: &str = "
    with accepted as (
        insert into command
            (trigger_id, enterprise_id, team_id, user_id, channel_id, zoom_user_id, action, meeting_id, settings,
            response_url, posts, is_confirmed)
        select $1, $9, $2, $3, $4, zoom_user_id, $5, $6, $7, $8, $10, $11
        from coalesce((
                select zoom_user_id from zoom_link
                where user_id = $3 and (team_id = $2 or enterprise_id = $9)
                order by team_id = $2 desc limit 1
            ), (
                select zoom_user_id from shared_account where team_id = $2 and $3 = any (people) and $12
            )) as account
            join zoom_grant on zoom_user_id = account,
            (select pg_advisory_xact_lock($6)) as in_turn
        where dead_at is null
        on conflict do nothing
        returning command_id
    )
    select command_id
    from accepted, graphile_worker.add_job(
        'bare', json_build_object('command_id', command_id), job_key => 'bare ' || command_id,
        priority => (
            select count(*) / 8 from (
                select from command where team_id = $2 and finished_at is null limit 400
            ) as waiting
        )::integer
    )";

/// The statement for a stop of this meeting, with as much beside it as a real one has.
pub(crate) fn stop(
    trigger: String,
    team: String,
    user: String,
    meeting: i64,
) -> Query<'static, Postgres, PgArguments> {
    sqlx::query(STATEMENT)
        .bind(trigger)
        .bind(team)
        .bind(user)
        .bind("C0")
        .bind("stop")
        .bind(meeting)
        .bind(json!({}))
        .bind(vec![0_u8; 100])
        .bind(None::<String>)
        .bind(0_i16)
        .bind(false)
        .bind(false)
}
