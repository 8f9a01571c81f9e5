-- The Zoom accounts that stand in the audit. It can't be changed; the name in it can: a
-- user who wants to be forgotten is, and what was done stays.
create table zoom_account (
    account_id bigint generated always as identity constraint zoom_account_pkey primary key,
    zoom_user_id text constraint zoom_account_zoom_user_id_key unique,
    email text
);

create function remember_zoom_account() returns trigger language plpgsql as $$
begin
    insert into zoom_account (zoom_user_id, email) values (new.zoom_user_id, new.email)
        on conflict (zoom_user_id) do update set email = excluded.email
        where zoom_account.email is distinct from excluded.email;
    return new;
end $$;
create trigger remember_zoom_account after insert or update of email on zoom_grant
    for each row execute function remember_zoom_account();
insert into zoom_account (zoom_user_id, email) select zoom_user_id, email from zoom_grant;

insert into zoom_account (zoom_user_id)
    select distinct zoom_user_id from audit where zoom_user_id is not null
    on conflict do nothing;

-- Everything that happened: commands as they ended, links, refusals, what admins did.
alter table audit
    add account_id bigint constraint audit_account_id_fkey references zoom_account,
    -- The admin who did it to the person, if it was not the person.
    add actor_id text,
    add channel_id text,
    add meeting_id bigint,
    -- The reference that the channel read.
    add command_id bigint,
    add outcome text,
    -- Zoom's.
    add code bigint,
    add took interval,
    add has_failed boolean not null default false;

update audit set account_id = zoom_account.account_id
    from zoom_account where zoom_account.zoom_user_id = audit.zoom_user_id;
alter table audit drop column zoom_user_id;

create index audit_team_idx on audit (team_id, audit_id);
create index audit_kind_idx on audit (team_id, kind, audit_id);
create index audit_user_idx on audit (team_id, user_id, audit_id);
create index audit_meeting_idx on audit (team_id, meeting_id, audit_id) where meeting_id is not null;
create index audit_failed_idx on audit (team_id, audit_id) where has_failed;
create index audit_happened_at_idx on audit (happened_at);

-- Nobody changes it, and nobody removes what is younger than 30 days.
create function keep_audit() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' and old.happened_at < now() - interval '30 days' then
        return old;
    end if;
    raise exception 'the audit is append-only' using errcode = 'insufficient_privilege';
end $$;
create trigger keep_audit before update or delete on audit for each row execute function keep_audit();
create trigger keep_audit_whole before truncate on audit for each statement execute function keep_audit();

-- What admins see of a link, and search.
alter table zoom_link
    add slack_name text,
    add used_at timestamptz,
    add search text not null default '';
update zoom_link set search = lower(concat_ws(' ', user_id, email))
    from zoom_grant where zoom_grant.zoom_user_id = zoom_link.zoom_user_id;
create index zoom_link_name_idx on zoom_link (team_id, (lower(coalesce(slack_name, user_id))), user_id);
create index zoom_link_created_at_idx on zoom_link (team_id, created_at);
create index zoom_link_used_at_idx on zoom_link (team_id, used_at desc nulls last);

-- What Zoom said when it was last asked how the account is.
alter table zoom_grant
    add checked_at timestamptz,
    add problem text constraint zoom_grant_problem_check
        check (problem in ('basic_plan', 'streaming_off', 'custom_streaming_off'));
-- Those in trouble, and those that may soon be, are few among many.
create index zoom_grant_trouble_idx on zoom_grant (zoom_user_id)
    where dead_at is not null or problem is not null or scope !~ 'meeting:(write|update:livestream_status)';
create index zoom_grant_idle_idx on zoom_grant ((coalesce(refreshed_at, created_at)));

-- What a workspace's admins allow; without a row, everybody linked may do everything.
create table rules (
    team_id text constraint rules_pkey primary key,
    -- Everybody linked, the people named, or the members of a user group.
    who text not null default 'linked' constraint rules_who_check check (who in ('linked', 'named', 'group')),
    people text[] not null default '{}',
    group_id text,
    -- In all channels, in these only, or in all but these.
    place text not null default 'anywhere' constraint rules_place_check check (place in ('anywhere', 'only', 'except')),
    channels text[] not null default '{}',
    -- Ask before going live in channels with more members than this.
    confirm_over integer,
    -- The same in channels that are shared with other organisations.
    confirm_shared boolean not null default false,
    guests_allowed boolean not null default false,
    changed_by text not null,
    -- Which version this is; a form names the one it changes.
    version bigint not null default 1
);

-- Who is in a user group that a rule names, as Slack said last.
create table slack_group (
    team_id text not null,
    group_id text not null,
    people text[] not null,
    checked_at timestamptz not null default now(),
    constraint slack_group_pkey primary key (team_id, group_id)
);

-- Who may open the admin's pages where Slack does not say who is an admin, besides the installer.
create table named_admin (
    team_id text not null,
    user_id text not null,
    named_by text not null,
    constraint named_admin_pkey primary key (team_id, user_id)
);

-- An admin who signed in, by the hash of their cookie.
create table admin_session (
    session_hash bytea constraint admin_session_pkey primary key,
    enterprise_id text,
    team_id text not null,
    user_id text not null,
    name text not null,
    team_name text not null,
    began_at timestamptz not null default now(),
    seen_at timestamptz not null default now(),
    -- When Slack last said that they are one.
    checked_at timestamptz not null default now()
);

-- A Zoom account for several people of a workspace, where the operator allows that.
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
alter table link_offer add is_shared boolean not null default false;
alter table command add is_confirmed boolean not null default false;
