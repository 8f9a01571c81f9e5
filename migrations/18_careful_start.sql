alter table stream
    -- The stream whose place it takes, which goes on after all if Zoom refuses this one.
    add column replaces bigint,
    -- When Zoom last reported a livestream of the meeting that somebody began in Zoom once this one was
    -- over, and when such a one ended.
    add column by_hand_since timestamptz,
    add column by_hand_until timestamptz;
create index stream_replaces_idx on stream (replaces) where replaces is not null and closed_at is null;
