-- Where people have installed this app, as far as Slack has told us: a workspace, or all
-- of an organisation. A workspace that was set up without our install page has no row.
create table installation (
    -- Null where the workspace belongs to no organisation.
    enterprise_id text,
    -- Null for all of an organisation.
    team_id text,
    -- No workspace's id is an organisation's.
    place text not null generated always as (coalesce(team_id, enterprise_id)) stored
        constraint installation_pkey primary key,
    name text,
    -- Sealed. Null once Slack has taken it back.
    bot_token bytea,
    -- Space separated; null as long as we have seen no token.
    scope text,
    installed_by text,
    installed_at timestamptz not null default now(),
    -- Since when the app is no longer installed there; its links end a day later.
    left_at timestamptz,
    constraint installation_left_check check (left_at is null or bot_token is null)
);

-- A browser on its way to a page of Slack's and back, by the hash of its cookie. What for
-- stands in the state it must bring back.
create table visit (
    visit_hash bytea constraint visit_pkey primary key,
    expires_at timestamptz not null
);

-- What Slack asked for once and must not get twice, by the id it gives each request:
-- a trigger_id or an event_id. The wishes of people are in `command` instead.
create table slack_request (
    request_id text constraint slack_request_pkey primary key,
    received_at timestamptz not null default now()
);

create index slack_request_received_at_idx on slack_request (received_at);

-- What Slack said of who somebody is; looked up again after a while.
create table slack_person (
    team_id text not null,
    user_id text not null,
    kind text not null constraint slack_person_kind_check check (kind in ('member', 'guest', 'stranger')),
    checked_at timestamptz not null default now(),
    constraint slack_person_pkey primary key (team_id, user_id)
);

-- Within an organisation a person has one id in all workspaces, and one link.
alter table zoom_link add enterprise_id text;
create index zoom_link_organisation_idx on zoom_link (enterprise_id, user_id) where enterprise_id is not null;
alter table command add enterprise_id text;
alter table link_offer add enterprise_id text;
alter table audit add enterprise_id text;
-- Null for a link that was asked for where no message can be answered: in the App Home.
alter table link_offer alter response_url drop not null;

-- What a person asked for last.
create index command_asker_idx on command (user_id, command_id);
