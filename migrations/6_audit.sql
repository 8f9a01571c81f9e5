-- The Zoom accounts that the audit refers to. The audit cannot be changed, so the account's
-- id and e-mail stand here: erasing a Zoom user empties one row.
create table zoom_account (
    account_id bigint generated always as identity constraint zoom_account_pkey primary key,
    zoom_user_id text constraint zoom_account_zoom_user_id_key unique,
    email text
);

create function upsert_zoom_account() returns trigger language plpgsql as $$
begin
    insert into zoom_account (zoom_user_id, email) values (new.zoom_user_id, new.email)
        on conflict (zoom_user_id) do update set email = excluded.email
        where zoom_account.email is distinct from excluded.email;
    return new;
end $$;
create trigger upsert_zoom_account after insert or update of email on zoom_grant
    for each row execute function upsert_zoom_account();

-- The Slack users that the audit refers to, for the same reason: to erase a user, set
-- user_id to null. Somebody who returns after that is a new person.
create table person (
    person_id bigint generated always as identity constraint person_pkey primary key,
    enterprise_id text,
    -- The organisation's id where Slack names no workspace; the two never collide.
    team_id text not null,
    user_id text,
    constraint person_user_key unique (team_id, user_id)
);

-- The key of a user, who becomes a person if they are none yet; null for no user. In READ
-- COMMITTED each statement of a volatile function has a snapshot of its own, so the last one
-- sees the row of a transaction that was faster.
create function person_key(for_enterprise text, for_team text, for_user text) returns bigint
    language plpgsql volatile as $$
declare
    key bigint;
begin
    if for_user is null then
        return null;
    end if;
    select person_id into key from person where team_id = for_team and user_id = for_user;
    if key is null then
        insert into person (enterprise_id, team_id, user_id) values (for_enterprise, for_team, for_user)
            on conflict (team_id, user_id) do nothing
            returning person_id into key;
    end if;
    if key is null then
        select person_id into key from person where team_id = for_team and user_id = for_user;
    end if;
    return key;
end $$;

-- Everything that happened: finished commands, links, refusals, and what admins did.
create table audit (
    audit_id bigint generated always as identity constraint audit_pkey primary key,
    happened_at timestamptz not null default now(),
    kind text not null,
    enterprise_id text,
    team_id text,
    -- Whom it is about.
    person_id bigint constraint audit_person_id_fkey references person,
    -- Who did it, if not the same person.
    actor_id bigint constraint audit_actor_id_fkey references person,
    -- Whom a list names, such as the people of a rule. Each is a person_id; Postgres has no
    -- foreign keys on arrays, and no person is ever deleted.
    people bigint[] not null default '{}',
    account_id bigint constraint audit_account_id_fkey references zoom_account,
    channel_id text,
    meeting_id bigint,
    -- The reference that the channel was given.
    command_id bigint,
    outcome text,
    -- Zoom's error code.
    zoom_code bigint,
    duration interval,
    -- More of it, in words; no secret, and no user id.
    detail text,
    has_failed boolean not null default false
);

create index audit_team_idx on audit (team_id, audit_id);
create index audit_kind_idx on audit (team_id, kind, audit_id);
create index audit_person_idx on audit (team_id, person_id, audit_id);
create index audit_meeting_idx on audit (team_id, meeting_id, audit_id) where meeting_id is not null;
create index audit_failed_idx on audit (team_id, audit_id) where has_failed;
create index audit_happened_at_idx on audit (happened_at);

-- The audit is append-only. Rows older than 30 days may be deleted, for retention.
create function protect_audit() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' and old.happened_at < now() - interval '30 days' then
        return old;
    end if;
    raise exception 'the audit is append-only' using errcode = 'insufficient_privilege';
end $$;
create trigger protect_audit before update or delete on audit for each row execute function protect_audit();
create trigger protect_audit_from_truncate before truncate on audit for each statement execute function protect_audit();
