-- Where the app is installed, as far as Slack has told us: in a workspace, or in all of an
-- organisation. A workspace that was set up without our install page has no row.
create table installation (
    -- Null where the workspace belongs to no organisation.
    enterprise_id text,
    -- Null for all of an organisation.
    team_id text,
    -- The workspace's id, else the organisation's; the two never collide.
    place text not null generated always as (coalesce(team_id, enterprise_id)) stored
        constraint installation_pkey primary key,
    name text,
    -- Sealed. Null once Slack has revoked it.
    bot_token bytea,
    -- Space separated; null as long as we have received no token.
    scope text,
    installed_by text,
    installed_at timestamptz not null default now(),
    -- When the app was uninstalled; the tenant's links end a day later.
    left_at timestamptz,
    constraint installation_left_check check (left_at is null or bot_token is null)
);

-- A browser that was sent to Slack to sign in or to install the app, identified by the hash
-- of its cookie. The state that it must bring back is derived from the cookie.
create table visit (
    visit_hash bytea constraint visit_pkey primary key,
    expires_at timestamptz not null
);

-- Requests from Slack that must take effect once, by the id that Slack gives each: a
-- trigger_id or an event_id. Livestream commands are deduplicated in `command`.
create table slack_request (
    request_id text constraint slack_request_pkey primary key,
    received_at timestamptz not null default now()
);

create index slack_request_received_at_idx on slack_request (received_at);

-- A cache of what Slack said about a user's membership in a workspace.
create table slack_person (
    team_id text not null,
    user_id text not null,
    kind text not null constraint slack_person_kind_check check (kind in ('member', 'guest', 'stranger')),
    checked_at timestamptz not null default now(),
    constraint slack_person_pkey primary key (team_id, user_id)
);

-- A cache of the members of the user groups that rules name.
create table slack_group (
    team_id text not null,
    group_id text not null,
    people text[] not null,
    checked_at timestamptz not null default now(),
    constraint slack_group_pkey primary key (team_id, group_id)
);
