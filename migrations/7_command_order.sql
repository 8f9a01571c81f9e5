-- Whoever can act on a meeting with one Zoom account shares its order; nobody else does. So the
-- order of commands, and which of two equal ones is in progress, are by Zoom account and meeting.

-- Equal commands of several workspaces could be in progress with one Zoom account. The one that
-- Zoom was asked for stays, else the oldest; the others end, and are told so.
with ended as (
    update command set finished_at = now(), attempted_at = null,
        outcome = json_build_object('kind', 'unsupported', 'was_asked', command.attempted_at is not null)
    from (
        select command_id, row_number() over (
            partition by zoom_user_id, meeting_id, action order by attempted_at is null, command_id
        ) as place
        from command where finished_at is null and zoom_user_id <> ''
    ) as equal
    where command.command_id = equal.command_id and place > 1
    returning command.*
)
insert into audit (kind, enterprise_id, team_id, person_id, account_id, channel_id, meeting_id, command_id,
    outcome, duration, has_failed)
select action, enterprise_id, team_id, person_key(enterprise_id, team_id, user_id),
    (select account_id from zoom_account where zoom_account.zoom_user_id = ended.zoom_user_id),
    channel_id, meeting_id, command_id, outcome ->> 'kind', finished_at - received_at, true
from ended;

-- Of equal commands for one meeting with one Zoom account, one is in progress at a time. Erased
-- Zoom users, whose id is empty, are not one account.
create unique index command_account_request_key on command (zoom_user_id, meeting_id, action)
    where finished_at is null and zoom_user_id <> '';

-- Commands of one meeting with one Zoom account run in the order they were recorded; those that
-- wait for a token of the account are woken together.
create index command_order_idx on command (zoom_user_id, meeting_id, command_id)
    where finished_at is null;

-- How many commands of a workspace, and of a user, are in progress.
create index command_unfinished_idx on command (team_id, user_id) where finished_at is null;

-- At the end: nobody reads or writes commands from here to the commit.
drop index command_request_key;
drop index command_meeting_idx;
alter index command_account_request_key rename to command_request_key;
