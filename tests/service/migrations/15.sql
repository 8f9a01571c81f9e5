insert into destination (team_id, name, service, server_url, stream_key, key_set_by, page_url, changed_by)
values ('T0ACME', 'townhall', 'youtube', 'rtmps://a.rtmps.youtube.com:443/live2', '\x00', 'U0ADA',
    'https://video.acme.example/townhall', 'U0ADA');
