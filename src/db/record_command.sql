-- Records a command of a linked person and puts its job into the queue: both are committed,
-- or neither. The benches run the same text.
--
-- $1 trigger_id, $2 team_id, $3 user_id, $4 channel_id, $5 action, $6 meeting_id, $7 settings,
-- $8 response_url (sealed), $9 enterprise_id, $10 posts, $11 is_confirmed, $12 whether accounts
-- may be shared here, $13 the job's name, $14 and $15 see PENDING_PER_PRIORITY and
-- PENDING_COUNTED_MAX, $16 whether it is a press on a card,
-- $17 whether everybody may read where it was given, $18 the account whose stream it stops, if it
-- is the shared one and the asker may do that, $19 whether the channel must not see what was typed,
-- $20 the trace that the job belongs to
with accepted as (
    insert into command
        (trigger_id, enterprise_id, team_id, user_id, channel_id, zoom_user_id, action, meeting_id, settings,
        response_url, posts, is_confirmed, is_from_card, is_public,
        stops_shared, is_private)
    select $1, $9, $2, $3, $4, zoom_user_id, $5, $6, $7 || coalesce((
            -- Where the livestreams of the channel go, unless another place is named.
            select jsonb_build_object('destination', name) from destination
            where team_id = $2 and $4 = any (default_in) and $5 = 'start' and not $7 ?| array['destination', 'is_rehearsal']
            order by name limit 1
        ), '{}'), $8, $10, $11, $16, $17, $18 is not null, $19
    -- Their own account; else the one that the workspace shares with them.
    from coalesce($18, (
            select zoom_user_id from zoom_link where team_id = $2 and user_id = $3
        ), (
            select zoom_user_id from zoom_link where enterprise_id = $9 and user_id = $3 limit 1
        ), (
            select zoom_user_id from shared_account where team_id = $2 and $3 = any (people) and $12
        )) as account
        join zoom_grant on zoom_user_id = account,
        -- Numbers of one meeting with one account are given and committed one after another.
        lateral (select pg_advisory_xact_lock(hashtextextended(account, $6))) as in_turn
    where dead_at is null
    on conflict do nothing
    returning command_id
)
select command_id as "command_id!: CommandId"
from accepted, graphile_worker.add_job(
    $13, json_strip_nulls(json_build_object('command_id', command_id, 'traceparent', $20::text)),
    job_key => $13 || ' ' || command_id,
    -- There is no job of this key yet; not to look for one halves the cost of the statement.
    job_key_mode => 'unsafe_dedupe',
    -- The more commands of a workspace wait, and of the user, the further back it goes: a flood
    -- of one delays nobody else.
    priority => (
        select (select count(*) from (
            select from command where team_id = $2 and finished_at is null limit $15
        ) as of_workspace) / $14 + (select count(*) from (
            select from command where team_id = $2 and user_id = $3 and finished_at is null limit $15
        ) as of_user) / $14
    )::integer
)
