-- Where the app is installed, as far as Slack has told us: in a workspace, or in all of an
-- organisation. A workspace that was set up without our install page has no row.
create table installation (
    -- Null where the workspace belongs to no organisation.
    enterprise_id text,
    -- Null for all of an organisation.
    team_id text,
    -- The workspace's id, else the organisation's; the two never collide.
    tenant_id text not null generated always as (coalesce(team_id, enterprise_id)) stored
        constraint installation_pkey primary key,
    name text,
    -- Sealed. Null once Slack has revoked it.
    bot_token bytea,
    -- Space separated; null as long as we have received no token.
    scope text,
    installed_by text,
    installed_at timestamptz not null default now(),
    -- When the app was uninstalled; the tenant's links end a day later.
    uninstalled_at timestamptz,
    constraint installation_uninstalled_check check (uninstalled_at is null or bot_token is null)
);

-- A browser that was sent to Slack to sign in or to install the app, identified by the hash
-- of its cookie. The state that it must bring back is derived from the cookie.
create table oauth_state (
    state_hash bytea constraint oauth_state_pkey primary key,
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
create table membership (
    team_id text not null,
    user_id text not null,
    kind text not null constraint membership_kind_check check (kind in ('member', 'guest', 'external')),
    checked_at timestamptz not null default now(),
    constraint membership_pkey primary key (team_id, user_id)
);

-- A cache of the members of the user groups that rules name.
create table user_group (
    team_id text not null,
    group_id text not null,
    people text[] not null,
    checked_at timestamptz not null default now(),
    constraint user_group_pkey primary key (team_id, group_id)
);
