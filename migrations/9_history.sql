-- What names a person or a meeting is deleted after HISTORY_DAYS, in small batches, each found
-- by an index.

-- The oldest commands, and whether a workspace has sent one lately.
create index command_received_at_idx on command (received_at);
-- The commands of a Zoom user who removes the app.
create index command_zoom_user_id_idx on command (zoom_user_id);

-- Which of an organisation's workspaces a row belongs to, for when the organisation leaves.
alter table membership add enterprise_id text;
alter table user_group add enterprise_id text;
alter table rules add enterprise_id text;
alter table named_admin add enterprise_id text;

create temporary table workspace as
    select distinct on (team_id) team_id, enterprise_id
    from (
        select team_id, enterprise_id from zoom_link
        union select team_id, enterprise_id from person
        union select team_id, enterprise_id from admin_session
        union select team_id, enterprise_id from shared_account
        union select team_id, enterprise_id from installation
    ) as known
    where enterprise_id is not null and team_id is not null
    order by team_id;
update membership set enterprise_id = workspace.enterprise_id from workspace where workspace.team_id = membership.team_id;
update user_group set enterprise_id = workspace.enterprise_id from workspace where workspace.team_id = user_group.team_id;
update rules set enterprise_id = workspace.enterprise_id from workspace where workspace.team_id = rules.team_id;
update named_admin set enterprise_id = workspace.enterprise_id from workspace where workspace.team_id = named_admin.team_id;
drop table workspace;

-- Whom Slack was to be asked about again had no date any more.
update membership set checked_at = now() - interval '1 hour' where checked_at = '-infinity';

create index membership_organisation_idx on membership (enterprise_id, user_id) where enterprise_id is not null;
create index membership_checked_at_idx on membership (checked_at);
create index user_group_checked_at_idx on user_group (checked_at);
create index if not exists link_offer_expires_at_idx on link_offer (expires_at);
-- What refers to an offer that is deleted.
create index if not exists link_session_token_hash_idx on link_session (token_hash);

-- The admins' search looks through the e-mail of an account, which its user may change.
create function update_link_search() returns trigger language plpgsql as $$
begin
    update zoom_link set search = lower(concat_ws(' ', slack_name, user_id, new.email))
        where zoom_user_id = new.zoom_user_id;
    return null;
end $$;
create trigger update_link_search after update of email on zoom_grant
    for each row when (old.email is distinct from new.email) execute function update_link_search();

-- What the audit refers to is deleted with the last entry that refers to it. These indexes find
-- such an entry.
create index audit_account_id_idx on audit (account_id);
create index audit_any_person_idx on audit (person_id);
create index audit_actor_id_idx on audit (actor_id) where actor_id is not null;
create index audit_people_idx on audit using gin (people) where people <> '{}';

-- The lock keeps a person from being deleted until the entry that refers to them is committed.
create or replace function person_key(for_enterprise text, for_team text, for_user text) returns bigint
    language plpgsql volatile as $$
declare
    key bigint;
begin
    if for_user is null then
        return null;
    end if;
    select person_id into key from person where team_id = for_team and user_id = for_user for key share;
    if key is null then
        insert into person (enterprise_id, team_id, user_id) values (for_enterprise, for_team, for_user)
            on conflict (team_id, user_id) do nothing
            returning person_id into key;
    end if;
    if key is null then
        select person_id into key from person where team_id = for_team and user_id = for_user for key share;
    end if;
    return key;
end $$;

-- Those whose last entry has been deleted already.
delete from zoom_account
    where not exists (select from audit where audit.account_id = zoom_account.account_id)
        and not exists (select from zoom_grant where zoom_grant.zoom_user_id = zoom_account.zoom_user_id)
        and not exists (select from command where command.zoom_user_id = zoom_account.zoom_user_id and finished_at is null);
delete from person
    where not exists (select from audit where audit.person_id = person.person_id)
        and not exists (select from audit where audit.actor_id = person.person_id)
        and not exists (select from audit where people <> '{}' and people @> array[person.person_id]);
