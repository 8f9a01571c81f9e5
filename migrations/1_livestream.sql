-- One row a Zoom user who authorised this app. Zoom keeps one live grant per
-- user and app: a new authorization replaces the pair for everybody it serves.
-- Both tokens are sealed (see src/vault.rs); nothing here opens without a key.
create table zoom_grant (
    zoom_user_id text constraint zoom_grant_pkey primary key,
    zoom_account_id text not null,
    -- What people recognise the account by; shown in the channel.
    email text not null,
    -- Space separated, as Zoom's token endpoint returned it.
    scope text not null,
    access_token bytea not null,
    refresh_token bytea not null,
    expires_at timestamptz not null,
    -- Counts the pairs. Whoever stores a new pair names the one it replaces.
    generation bigint not null default 1,
    -- One refresh at a time: until when somebody is believed to be refreshing.
    refresh_until timestamptz,
    -- Set once Zoom has said that the refresh token is dead.
    dead_at timestamptz,
    created_at timestamptz not null default now(),
    refreshed_at timestamptz
);

-- Which Zoom account acts for which Slack person. A Slack user id means
-- something only within its team, so the two always travel together.
create table zoom_link (
    team_id text not null,
    user_id text not null,
    zoom_user_id text not null
        constraint zoom_link_zoom_user_id_fkey references zoom_grant on delete cascade,
    created_at timestamptz not null default now(),
    constraint zoom_link_pkey primary key (team_id, user_id)
);

create index zoom_link_zoom_user_id_idx on zoom_link (zoom_user_id);

-- Every command that was accepted: who asked for what, and what became of it.
-- This is the product's memory; the queue's own tables are only its to-do list.
create table command (
    command_id bigint generated always as identity constraint command_pkey primary key,
    -- Slack's id of one invocation. A replayed request carries the same one.
    trigger_id text not null constraint command_trigger_id_key unique,
    team_id text not null,
    user_id text not null,
    channel_id text not null,
    -- Whose Zoom account the asker was linked to when asking.
    zoom_user_id text not null,
    action text not null constraint command_action_check check (action in ('start', 'stop')),
    meeting_id bigint not null,
    settings jsonb not null,
    received_at timestamptz not null default now(),

    -- Set just before Zoom is asked, cleared when Zoom has plainly not done it.
    -- Set without an outcome after a crash: nobody knows whether Zoom did it.
    asking_since timestamptz,
    -- How often Zoom was asked; who asks next names it, so that only one does.
    asks smallint not null default 0,
    -- Zoom has refused the token, or been too busy, once: it is asked once more for each.
    was_stale boolean not null default false,
    was_busy boolean not null default false,
    outcome jsonb,
    finished_at timestamptz,
    constraint command_finished_check check ((outcome is null) = (finished_at is null)),

    -- Sealed; forgotten as soon as there is nothing more to say.
    response_url bytea,
    -- Slack takes five posts to a response_url.
    posts smallint not null default 0 constraint command_posts_check check (posts between 0 and 5),
    told_at timestamptz,
    -- Why the channel could not be told.
    untold text
);

-- The same wish for the same meeting is carried out once at a time.
create unique index command_wish_key on command (team_id, meeting_id, action)
    where finished_at is null;

-- What is not told yet has a job in the queue, or gets one.
create index command_untold_idx on command (command_id)
    where told_at is null and untold is null;

-- Commands of one meeting run in the order they were recorded.
create index command_unfinished_idx on command (meeting_id, command_id)
    where finished_at is null;
