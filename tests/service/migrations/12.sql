insert into oauth_state (state_hash, expires_at, result) values ('done', now(), '{"kind": "declined"}');
