insert into stream
    (enterprise_id, team_id, channel_id, is_public, user_id, zoom_user_id, meeting_id, command_id, uuid, topic, version,
    shown_version, card_channel, card_ts)
values ('E1', 'T1', 'C1', true, 'U1', 'zoom-1', 68423085, 1, 'uuid', 'Town Hall', 2, 2, 'C1', '1.1');
insert into stream_fact (stream_id, kind, happened_at, user_id)
select stream_id, 'start_asked', now(), 'U1' from stream union all select stream_id, 'on_air', now(), null from stream;
insert into zoom_event (zoom_user_id, kind) select zoom_user_id, 'meeting.live_streaming_started' from zoom_grant limit 1;
