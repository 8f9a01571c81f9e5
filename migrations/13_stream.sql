-- What a meeting shows the world, from the moment Zoom is about to be asked for it to its end.
-- Its state is not stored: it is derived from its facts.
create table stream (
    stream_id bigint primary key generated always as identity,
    -- Where it was started, and by whom.
    enterprise_id text,
    team_id text not null,
    channel_id text not null,
    -- Whether everybody of the workspace may read there.
    is_public boolean not null,
    user_id text not null,
    -- The Zoom user with whose grant it was started; Zoom's events name its host by the same id.
    zoom_user_id text not null,
    meeting_id bigint not null,
    began_at timestamptz not null default now(),
    -- The newest command that asked for it, which tells the channel where no card can.
    command_id bigint not null,
    -- The instance of the meeting, once Zoom has named it; and what the meeting is called.
    uuid text,
    topic text,
    -- Where its viewers watch it, if Zoom has told.
    page_url text,
    -- Raised with every fact; the card shows the newest version that it was told.
    version bigint not null default 0,
    shown_version bigint not null default 0,
    -- The message that shows it: as chat.postMessage answered. Null where there is none.
    card_channel text,
    card_ts text,
    -- Until when somebody is about to post that message, and when somebody last was: Slack takes one
    -- new message a second in a channel.
    posting_until timestamptz,
    claimed_at timestamptz,
    -- That no message can show it; and when its starter was told that it stopped, though nobody asked.
    has_no_card boolean not null default false,
    alerted_at timestamptz,
    -- Where no message shows it: that its channel was told that it is live, and that it ended.
    is_live_told boolean not null default false,
    is_end_told boolean not null default false,
    -- Nothing more is expected of it.
    closed_at timestamptz
);

-- One at a time for a meeting of a Zoom user.
create unique index stream_open_key on stream (zoom_user_id, meeting_id) where closed_at is null;
create index stream_meeting_idx on stream (zoom_user_id, meeting_id, began_at);
create index stream_channel_idx on stream (team_id, channel_id, stream_id);
create index stream_user_idx on stream (user_id, stream_id);
create index stream_team_idx on stream (team_id, stream_id);
create index stream_command_idx on stream (command_id);
-- The few whose response URL is kept after the outcome was told.
create index command_url_idx on command (received_at) where response_url is not null and delivered_at is not null;
create index stream_began_at_idx on stream (began_at);

-- What happened to a stream. Never changed: a repeated report is the same row.
create table stream_fact (
    stream_id bigint not null references stream on delete cascade,
    kind text not null,
    -- By the clock of whoever says so.
    happened_at timestamptz not null,
    -- The Slack user who did it, where it was one.
    user_id text,
    primary key (stream_id, kind, happened_at)
);

-- When an event of each kind came last for a Zoom user: whether Zoom tells of them at all.
create table zoom_event (
    zoom_user_id text not null references zoom_grant on delete cascade,
    kind text not null,
    received_at timestamptz not null default now(),
    primary key (zoom_user_id, kind)
);

-- Whether the command was a press on the card of a stream, or on the App Home: if it fails, only
-- the presser is told. Whether everybody of the workspace may read where it was given. And
-- whether it stops a stream of the account that the workspace shares, whatever account its asker
-- acts with otherwise.
alter table command
    add column is_from_card boolean not null default false,
    add column is_public boolean not null default false,
    add column stops_shared boolean not null default false;
