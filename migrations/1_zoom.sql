-- One row for each Zoom user who authorised this app. Zoom keeps one live grant per user
-- and app: a new authorisation replaces the pair of tokens for everybody it serves.
-- Both tokens are sealed (see src/crypto/vault.rs).
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
    -- Counts the pairs of tokens. A writer that stores a new pair names the one it replaces.
    generation bigint not null default 1,
    -- Lease of the replica that is refreshing the pair; one refresh runs at a time.
    refresh_until timestamptz,
    -- Set once Zoom has rejected the refresh token.
    dead_at timestamptz,
    created_at timestamptz not null default now(),
    refreshed_at timestamptz,
    -- What Zoom said when the account was last tested.
    checked_at timestamptz,
    problem text constraint zoom_grant_problem_check
        check (problem in ('basic_plan', 'streaming_off', 'custom_streaming_off'))
);

-- The few grants that need attention, found among many.
create index zoom_grant_attention_idx on zoom_grant (zoom_user_id)
    where dead_at is not null or problem is not null or scope !~ 'meeting:(write|update:livestream_status)';
create index zoom_grant_idle_idx on zoom_grant ((coalesce(refreshed_at, created_at)));

-- Which Zoom account acts for which Slack user. A Slack user id is unique only within its
-- workspace, so the two always stand together; within an organisation a user has one id in
-- all workspaces, and one link.
create table zoom_link (
    enterprise_id text,
    team_id text not null,
    user_id text not null,
    zoom_user_id text not null
        constraint zoom_link_zoom_user_id_fkey references zoom_grant on delete cascade,
    created_at timestamptz not null default now(),
    used_at timestamptz,
    slack_name text,
    -- What the admins' search looks through: name, ids and e-mail in lower case.
    search text not null default '',
    constraint zoom_link_pkey primary key (team_id, user_id)
);

create index zoom_link_zoom_user_id_idx on zoom_link (zoom_user_id);
create index zoom_link_organisation_idx on zoom_link (enterprise_id, user_id) where enterprise_id is not null;
create index zoom_link_name_idx on zoom_link (team_id, (lower(coalesce(slack_name, user_id))), user_id);
create index zoom_link_created_at_idx on zoom_link (team_id, created_at);
create index zoom_link_used_at_idx on zoom_link (team_id, used_at desc nulls last);

-- A Zoom account that several users of a workspace act as, where the operator allows it.
create table shared_account (
    team_id text constraint shared_account_pkey primary key,
    enterprise_id text,
    zoom_user_id text not null
        constraint shared_account_zoom_user_id_fkey references zoom_grant on delete cascade,
    people text[] not null default '{}',
    linked_by text not null,
    linked_at timestamptz not null default now()
);

create index shared_account_zoom_user_id_idx on shared_account (zoom_user_id);
