insert into withdrawal (withdrawal_id, enterprise_id, team_id, zoom_user_id, consented_at, access_token,
    refresh_token, token_expires_at)
overriding system value
values (1, null, 'T0ACME', 'zoom-gus', now(), 'sealed', 'sealed', now());
insert into oauth_state (state_hash, expires_at) values ('used', now());
