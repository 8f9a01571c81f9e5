-- What became of a browser that came back from signing in, installing the app or linking an
-- account, as JSON: its last page is shown again from this, however often it is loaded. Null
-- while that is being found out.
alter table oauth_state add column result jsonb;
-- When a browser came back last. Whoever works on it may have crashed after a while.
alter table oauth_state add column returned_at timestamptz not null default now();
alter table link_session add column returned_at timestamptz not null default now();
