-- What Zoom said when it refused to refresh the pair, although it did not call the refresh token
-- invalid; null if it last gave a new pair. Without control characters and secrets.
alter table zoom_grant add column refresh_refusal text;

-- Another part of the few grants that need attention.
create index zoom_grant_refused_idx on zoom_grant (zoom_user_id) where refresh_refusal is not null;
