-- Where livestreams can go, as the admins of a workspace keep it.
create table destination (
    destination_id bigint generated always as identity constraint destination_pkey primary key,
    enterprise_id text,
    team_id text not null,
    -- What is typed for it.
    name text not null,
    -- A service that the program knows, or 'other'.
    service text not null,
    server_url text not null,
    -- Sealed.
    stream_key bytea not null,
    key_set_at timestamptz not null default now(),
    key_set_by text not null,
    -- Where viewers watch it.
    page_url text not null,
    -- As Zoom spells it; null for Zoom's own choice.
    resolution text,
    -- Only rehearsals go there.
    is_test boolean not null default false,
    -- Who may use it, of those who may start livestreams: everybody, people in some channels, some
    -- people, or the members of a user group.
    who text not null default 'everybody' constraint destination_who_check check (who in ('everybody', 'channels', 'people', 'group')),
    channels text[] not null default '{}',
    people text[] not null default '{}',
    group_id text,
    -- With which Zoom accounts alone it may be used; with all of them where it is empty.
    zoom_users text[] not null default '{}',
    -- The channels whose livestreams go there, where nothing else is typed.
    default_in text[] not null default '{}',
    changed_by text not null,
    -- Counts the changes. A form names the version that it changes.
    version bigint not null default 1,
    constraint destination_name_key unique (team_id, name)
);

-- Where a stream goes: the name that was chosen for it, as it was then; and the destination that was
-- set last in its meeting from here. It holds that one, unless another stream took its place.
alter table stream
    add column destination text,
    add column destination_id bigint constraint stream_destination_id_fkey references destination on delete set null,
    add column holds_destination boolean not null default false,
    -- Whether it is started only to see that it works, and stopped then.
    add column is_rehearsal boolean not null default false,
    -- What kind of meeting it is, as Zoom numbers them.
    add column meeting_type smallint;
-- One stream at a time for a destination.
create unique index stream_destination_key on stream (destination_id) where closed_at is null and holds_destination;
create index stream_destination_idx on stream (destination_id, began_at) where destination_id is not null;
-- Where a meeting was sent last.
create index stream_meeting_of_team_idx on stream (team_id, meeting_id, stream_id);
-- What goes on with a meeting, with whichever account.
create index stream_open_meeting_idx on stream (meeting_id) where closed_at is null;

-- How far the destination of a start is set in Zoom: null before Zoom is asked for it, 'asked' while
-- its answer is not known, 'set' once it took it.
alter table command add column destination_step text;
