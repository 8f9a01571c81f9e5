-- Every accepted command: who asked for what, and its outcome. This table is the record;
-- the queue's own tables only schedule the work.
create table command (
    command_id bigint generated always as identity constraint command_pkey primary key,
    -- Slack's id of one invocation. A repeated request carries the same one.
    trigger_id text not null constraint command_trigger_id_key unique,
    enterprise_id text,
    team_id text not null,
    user_id text not null,
    channel_id text not null,
    -- The Zoom account the user was linked to when the command was accepted.
    zoom_user_id text not null,
    action text not null constraint command_action_check check (action in ('start', 'stop')),
    meeting_id bigint not null,
    settings jsonb not null,
    -- The user has confirmed the start of a stream where a rule asks for it.
    is_confirmed boolean not null default false,
    received_at timestamptz not null default now(),

    -- Set just before the request to Zoom, cleared when Zoom has plainly not carried it out.
    -- Set without an outcome after a crash: nobody knows whether Zoom carried it out.
    attempted_at timestamptz,
    -- How many requests were sent to Zoom. The next attempt names it, so that only one runs.
    attempts smallint not null default 0,
    -- The one retry after a rejected token, and the one after a rate limit, are used up.
    token_retried boolean not null default false,
    rate_limit_retried boolean not null default false,
    outcome jsonb,
    finished_at timestamptz,
    constraint command_finished_check check ((outcome is null) = (finished_at is null)),

    -- Sealed; deleted as soon as there is nothing more to post.
    response_url bytea,
    -- Slack takes five posts to a response_url.
    posts smallint not null default 0 constraint command_posts_check check (posts between 0 and 5),
    delivered_at timestamptz,
    -- Why the outcome could not be posted.
    delivery_error text
);

-- Of equal commands for one meeting, one is in progress at a time.
create unique index command_request_key on command (team_id, meeting_id, action)
    where finished_at is null;

-- A command whose outcome is not delivered has a job in the queue, or gets one.
create index command_undelivered_idx on command (command_id)
    where delivered_at is null and delivery_error is null;

-- Commands of one meeting run in the order they were recorded.
create index command_meeting_idx on command (meeting_id, command_id)
    where finished_at is null;

-- A user's latest commands.
create index command_user_idx on command (user_id, command_id);
