-- A one-time link, made for one Slack person by `connect`. Only its hash is here.
create table link_offer (
    token_hash bytea constraint link_offer_pkey primary key,
    team_id text not null,
    user_id text not null,
    -- What the person typed before, offered as a button afterwards.
    typed text,
    -- Where they typed it. Sealed.
    response_url bytea not null,
    expires_at timestamptz not null,
    used_at timestamptz
);

-- One browser on its way through a link. Named by the hash of its cookie; its OAuth
-- states, nonce, PKCE verifier and CSRF token are derived from the cookie and stored nowhere.
create table link_session (
    session_hash bytea constraint link_session_pkey primary key,
    token_hash bytea not null
        constraint link_session_token_hash_fkey references link_offer on delete cascade,
    -- Where the browser is. Each callback moves it on, once, before it trades its code.
    leg text not null default 'slack'
        constraint link_session_leg_check check (leg in ('slack', 'slack_back', 'zoom', 'zoom_back', 'confirm')),
    expires_at timestamptz not null,
    -- What Slack says of the person, once they have signed in.
    slack_name text,
    slack_team text,
    -- What Zoom says of the account, once its user has consented.
    zoom_user_id text,
    zoom_account_id text,
    email text,
    is_basic boolean,
    scope text,
    -- Sealed; null if the user's grant stood here before and took the new pair.
    access_token bytea,
    refresh_token bytea,
    token_expires_at timestamptz
);

-- Who linked and unlinked what, and what was refused.
create table audit (
    audit_id bigint generated always as identity constraint audit_pkey primary key,
    happened_at timestamptz not null default now(),
    kind text not null,
    team_id text,
    user_id text,
    zoom_user_id text,
    -- More of it, in words; no secret.
    detail text
);
