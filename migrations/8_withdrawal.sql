-- When the consent was given that the present pair comes from: of two consents of one Zoom
-- user the newer one counts, whichever is stored last.
alter table zoom_grant add column consented_at timestamptz;
update zoom_grant set consented_at = created_at;
alter table zoom_grant alter column consented_at set not null, alter column consented_at set default now();

-- When the browser came back from Zoom with its consent.
alter table link_session add column consented_at timestamptz;
update link_session set consented_at = now() where step in ('zoom_callback', 'confirm');
-- The same Zoom user has consented again since, which ended this browser's tokens.
alter table link_session drop constraint link_session_step_check;
alter table link_session add constraint link_session_step_check
    check (step in ('slack', 'slack_callback', 'zoom', 'zoom_callback', 'confirm', 'superseded'));
create index link_session_zoom_user_id_idx on link_session (zoom_user_id) where zoom_user_id is not null;
create index link_session_expires_at_idx on link_session (expires_at);
create index link_session_token_hash_idx on link_session (token_hash);
create index link_offer_user_idx on link_offer (user_id);

-- Permissions that nobody here uses any more, until Zoom has confirmed that they are withdrawn.
create table withdrawal (
    withdrawal_id bigint generated always as identity constraint withdrawal_pkey primary key,
    -- The workspace or organisation whose link, offer or sharing ended.
    enterprise_id text,
    team_id text,
    -- Null if Zoom did not say whose permission it is.
    zoom_user_id text,
    consented_at timestamptz not null,
    -- Sealed as those of a grant; null once they have been given up.
    access_token bytea,
    refresh_token bytea,
    token_expires_at timestamptz not null,
    -- Lease of whoever is withdrawing it.
    leased_until timestamptz,
    attempts integer not null default 0,
    created_at timestamptz not null default now(),
    -- When Zoom had failed to confirm for so long that it is asked no more.
    abandoned_at timestamptz
);

create index withdrawal_zoom_user_id_idx on withdrawal (zoom_user_id);

-- A used state of a browser that came back from Slack, so that it works once. Browsers that
-- are on their way hold theirs in a sealed cookie, and have no row.
delete from oauth_state;
create index oauth_state_expires_at_idx on oauth_state (expires_at);
