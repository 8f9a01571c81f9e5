-- A one-time link made for one Slack user by `connect`. Only the hash of its token is kept.
create table link_offer (
    token_hash bytea constraint link_offer_pkey primary key,
    enterprise_id text,
    team_id text not null,
    user_id text not null,
    -- The command that the user typed before; offered as a button once the link is made.
    command_text text,
    -- Where the user typed it. Sealed. Null for a link made in the App Home, where no
    -- message can answer.
    response_url bytea,
    -- An admin links an account for the workspace.
    is_shared boolean not null default false,
    expires_at timestamptz not null,
    used_at timestamptz
);

-- One browser in the linking flow, identified by the hash of its cookie. Its OAuth states,
-- nonce, PKCE verifier and CSRF token are derived from the cookie and stored nowhere.
create table link_session (
    session_hash bytea constraint link_session_pkey primary key,
    token_hash bytea not null
        constraint link_session_token_hash_fkey references link_offer on delete cascade,
    -- The step the browser has reached. Each callback advances it, once, before it exchanges
    -- its code.
    step text not null default 'slack'
        constraint link_session_step_check check (step in ('slack', 'slack_callback', 'zoom', 'zoom_callback', 'confirm')),
    expires_at timestamptz not null,
    -- The Slack user's identity, once they have signed in.
    slack_name text,
    slack_team text,
    -- The Zoom account, once its user has consented.
    zoom_user_id text,
    zoom_account_id text,
    email text,
    is_basic boolean,
    scope text,
    -- Sealed. Null if a grant of this Zoom user existed and took the new pair.
    access_token bytea,
    refresh_token bytea,
    token_expires_at timestamptz
);
