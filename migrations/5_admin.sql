-- What a workspace's admins allow. Without a row, every linked user may run every command.
create table rules (
    team_id text constraint rules_pkey primary key,
    -- Every linked user, the users listed, or the members of a user group.
    who text not null default 'linked' constraint rules_who_check check (who in ('linked', 'named', 'group')),
    people text[] not null default '{}',
    group_id text,
    -- In all channels, only in the channels listed, or in all but these.
    channel_policy text not null default 'anywhere' constraint rules_channel_policy_check check (channel_policy in ('anywhere', 'only', 'except')),
    channels text[] not null default '{}',
    -- Ask before going live in channels with more members than this.
    confirm_over integer,
    -- Ask before going live in channels that are shared with other organisations.
    confirm_shared boolean not null default false,
    guests_allowed boolean not null default false,
    changed_by text not null,
    -- Counts the changes. A form names the version that it changes.
    version bigint not null default 1
);

-- Users who may open the admin pages, besides the installer, where Slack does not say who
-- is an admin.
create table named_admin (
    team_id text not null,
    user_id text not null,
    named_by text not null,
    constraint named_admin_pkey primary key (team_id, user_id)
);

-- A signed-in admin, identified by the hash of their cookie.
create table admin_session (
    session_hash bytea constraint admin_session_pkey primary key,
    enterprise_id text,
    team_id text not null,
    user_id text not null,
    name text not null,
    team_name text not null,
    created_at timestamptz not null default now(),
    last_seen_at timestamptz not null default now(),
    -- When Slack last said that they are an admin.
    checked_at timestamptz not null default now()
);
