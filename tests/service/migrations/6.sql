insert into zoom_grant (zoom_user_id, zoom_account_id, email, scope, access_token, refresh_token, expires_at)
    values ('zoom-dana', 'acme', 'dana@acme.example', 'meeting:update:livestream_status', '\x01', '\x02', now()),
        ('zoom-acme', 'acme', 'shows@acme.example', 'meeting:write', '\x01', '\x02', now());
insert into zoom_link (enterprise_id, team_id, user_id, zoom_user_id, slack_name, search)
    values (null, 'T0ACME', 'U0DANA', 'zoom-dana', 'Dana', 'dana u0dana'),
        ('E0GLOBEX', 'T0GLOBEX', 'W0DANA', 'zoom-dana', null, '');
insert into shared_account (team_id, zoom_user_id, people, linked_by) values ('T0ACME', 'zoom-acme', '{U0ELI}', 'U0ADA');
insert into link_offer (token_hash, team_id, user_id, command_text, response_url, expires_at)
    values ('\x01', 'T0ACME', 'U0ELI', 'start 68423085', '\x01', now()),
        ('\x02', 'T0ACME', 'U0ADA', null, null, now());
insert into link_session (session_hash, token_hash, step, expires_at) values ('\x01', '\x01', 'slack', now());
insert into link_session (session_hash, token_hash, step, expires_at, slack_name, slack_team, zoom_user_id,
        zoom_account_id, email, is_basic, scope, access_token, refresh_token, token_expires_at)
    values ('\x02', '\x02', 'confirm', now(), 'Ada', 'Acme', 'zoom-ada', 'acme', 'ada@acme.example', false,
        'meeting:write user:read', '\x01', '\x02', now());
insert into command (trigger_id, team_id, user_id, channel_id, zoom_user_id, action, meeting_id, settings, response_url)
    values ('1.1', 'T0ACME', 'U0DANA', 'C0TOWNHALL', 'zoom-dana', 'start', 68423085, '{"display_name": "Town Hall"}', '\x01');
insert into command (trigger_id, team_id, user_id, channel_id, zoom_user_id, action, meeting_id, settings, attempts,
        outcome, finished_at, posts, delivered_at)
    values ('1.2', 'T0ACME', 'U0DANA', 'C0TOWNHALL', 'zoom-dana', 'stop', 68423085, '{}', 1,
        '{"kind": "other", "status": 400, "code": 200, "message": "x"}', now(), 1, now());
insert into command (enterprise_id, team_id, trigger_id, user_id, channel_id, zoom_user_id, action, meeting_id, settings, response_url)
    values ('E0GLOBEX', 'T0GLOBEX', '2.1', 'W0DANA', 'C0ALLHANDS', 'zoom-dana', 'start', 68423085, '{}', '\x01');
insert into installation (enterprise_id, team_id, name, bot_token, scope, installed_by)
    values (null, 'T0ACME', 'Acme', '\x01', 'commands', 'U0ADA'), ('E0GLOBEX', null, 'Globex', null, null, null);
insert into oauth_state (state_hash, expires_at) values ('\x01', now());
insert into slack_request (request_id) values ('Ev1');
insert into membership (team_id, user_id, kind) values ('T0ACME', 'U0DANA', 'member'), ('T0ACME', 'U0GUS', 'guest');
insert into user_group (team_id, group_id, people) values ('T0ACME', 'S0HOSTS', '{U0DANA}');
insert into rules (team_id, who, people, channel_policy, channels, confirm_over, changed_by)
    values ('T0ACME', 'named', '{U0DANA}', 'only', '{C0TOWNHALL}', 500, 'U0ADA');
insert into named_admin (team_id, user_id, named_by) values ('T0ACME', 'U0HAL', 'U0ADA');
insert into admin_session (session_hash, team_id, user_id, name, team_name)
    values ('\x01', 'T0ACME', 'U0ADA', 'Ada', 'Acme');
insert into audit (kind, team_id, person_id, actor_id, people, account_id, meeting_id, outcome, duration, detail)
    select 'start', 'T0ACME', person_key(null, 'T0ACME', 'U0DANA'), null, '{}', account_id, 68423085, 'accepted',
        interval '1 second', null
    from zoom_account where zoom_user_id = 'zoom-dana';
insert into audit (kind, team_id, person_id, people, detail)
    values ('rules_changed', 'T0ACME', person_key(null, 'T0ACME', 'U0ADA'),
        array[person_key(null, 'T0ACME', 'U0DANA')], 'who: named');
