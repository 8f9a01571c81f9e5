#!/usr/bin/env bash
# Restores a backup into a new PostgreSQL server that is deleted at the end, and checks that the service works
# over it: that every stored token opens, that the service becomes ready, and that it carries out a command.
#
#   TOKEN_KEYS=… deploy/restore-drill.sh livestream.dump            a file of pg_dump --format=custom
#   TOKEN_KEYS=… deploy/restore-drill.sh postgres://owner@host/db   dumps this database first, and only reads it
#
# TOKEN_KEYS_FILE may name a file instead. LIVESTREAM_BOT names the program if it is not in PATH, and PG_BIN the
# folder of PostgreSQL's programs. The copy reaches neither Zoom nor Slack: their addresses are a port of this
# machine on which nobody listens. Otherwise it would refresh tokens, and Zoom would end those of the service.
set -euo pipefail
umask 077

fail() { printf 'restore drill: %s\n' "$*" >&2; exit 1; }

[ $# -eq 1 ] || fail "name a dump or the address of a database"
source=$1
bot=$(command -v "${LIVESTREAM_BOT:-livestream-bot}") || fail "there is no livestream-bot in PATH; set LIVESTREAM_BOT"
if [ -z "${TOKEN_KEYS:-}" ]; then
  [ -n "${TOKEN_KEYS_FILE:-}" ] || fail "set TOKEN_KEYS or TOKEN_KEYS_FILE: without the keys no token opens"
  TOKEN_KEYS=$(cat "$TOKEN_KEYS_FILE")
fi
if [ -z "${PG_BIN:-}" ]; then
  PG_BIN=$(find /usr/lib/postgresql -path '*/bin/initdb' -printf '%h\n' 2>/dev/null | sort -V | tail -n 1 || true)
  [ -n "$PG_BIN" ] || PG_BIN=$(pg_config --bindir) || fail "PostgreSQL's programs are not found; set PG_BIN"
fi

dir=$(mktemp -d /var/tmp/restore-drill-XXXXXX)
service=
as_server=()
if [ "$(id -u)" = 0 ]; then
  # PostgreSQL refuses to run as root.
  as_server=(runuser -u postgres --)
  chown postgres "$dir"
fi
finish() {
  status=$?
  if [ -n "$service" ]; then
    kill "$service" 2>/dev/null || true
    wait "$service" 2>/dev/null || true
  fi
  "${as_server[@]}" "$PG_BIN/pg_ctl" stop -D "$dir/data" -m immediate -s 2>/dev/null || true
  rm -rf "$dir"
  exit $status
}
trap finish EXIT

start=
begin() { start=$(date +%s%N); }
done_in() { printf '%-16s %6d ms  %s\n' "$1" $((($(date +%s%N) - start) / 1000000)) "${2:-}"; }
sql() { "$PG_BIN/psql" -h "$dir" -U postgres -d livestream -v ON_ERROR_STOP=1 -qtA -c "$1"; }

case $source in
  postgres://* | postgresql://*)
    begin
    "$PG_BIN/pg_dump" --format=custom --file="$dir/dump" "$source"
    source=$dir/dump
    done_in dump "$(du -h "$source" | cut -f 1)"
    ;;
  *) [ -r "$source" ] || fail "$source cannot be read" ;;
esac

# They would lead to another server than the copy's.
unset PGHOST PGHOSTADDR PGPORT PGUSER PGPASSWORD PGDATABASE PGSSLMODE PGOPTIONS PGSERVICE
begin
"${as_server[@]}" "$PG_BIN/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C >/dev/null
"${as_server[@]}" "$PG_BIN/pg_ctl" start -D "$dir/data" -s -w -l "$dir/data/log" \
  -o "-c listen_addresses='' -c unix_socket_directories='$dir'"
"$PG_BIN/createdb" -h "$dir" -U postgres livestream
done_in "new server" "PostgreSQL $(sql 'show server_version')"

begin
# Policies name the roles of `migrate --grant-to`, which a new server does not have.
"$PG_BIN/pg_restore" --schema-only --file=- "$source" | sed -n 's/^CREATE POLICY .* TO \([^ ]*\) USING.*/\1/p' | sort -u |
  while read -r role; do sql "create role $role"; done
"$PG_BIN/pg_restore" -h "$dir" -U postgres -d livestream --no-owner --no-privileges --exit-on-error "$source"
done_in restore "$(sql "select pg_size_pretty(pg_database_size('livestream')) || ', links: ' || (select count(*) from zoom_link)
  || ', commands: ' || (select count(*) from command) || ', audit entries: ' || (select count(*) from audit)")"

# The copy's own keys and addresses. The first key is new, so that re-encrypting opens everything.
nowhere=http://127.0.0.1:9
secret=$(openssl rand -hex 16)
settings=(
  PATH="$PATH" DATABASE_URL="postgres://postgres@localhost/livestream?host=$dir"
  TOKEN_KEYS="drill-$(openssl rand -hex 4):$(openssl rand -base64 32),$TOKEN_KEYS"
  LISTEN_ADDR=127.0.0.1:0 SLACK_SIGNING_SECRET="$secret" SLACK_RESPONSE_ORIGINS="$nowhere" SLACK_URL="$nowhere"
  ZOOM_CLIENT_ID=drill ZOOM_CLIENT_SECRET=drill ZOOM_URL="$nowhere" ZOOM_API_URL="$nowhere"
  NO_COLOR=1 RUST_LOG=info
)

begin
env -i "${settings[@]}" "$bot" migrate 2>"$dir/migrate.log" || fail "the database cannot be brought up to date: $(cat "$dir/migrate.log")"
done_in migrate

begin
env -i "${settings[@]}" "$bot" rotate-keys 2>"$dir/keys.log" ||
  fail "TOKEN_KEYS does not open everything: $(sed -n '/^Error/,$p' "$dir/keys.log")"
done_in "tokens open" "$(grep -o 'records=[0-9]*' "$dir/keys.log" | tail -n 1)"

person=$(sql "select team_id || ' ' || user_id from zoom_link join zoom_grant using (zoom_user_id) where dead_at is null limit 1")
[ -n "$person" ] || fail "nobody is linked in this backup, so no command can be tried"
read -r team user <<<"$person"
# On the copy: nothing refuses this person, and no token is refreshed.
sql "delete from rules where team_id = '$team'; update zoom_grant set expires_at = now() + interval '1 hour', refresh_until = null;
  insert into membership (team_id, user_id, kind) values ('$team', '$user', 'member')
    on conflict (team_id, user_id) do update set kind = 'member', checked_at = now()"

begin
env -i "${settings[@]}" "$bot" serve 2>"$dir/serve.log" &
service=$!
deadline=$((SECONDS + 60))
address=
until [ -n "$address" ] && curl -sf "http://$address/readyz" >/dev/null; do
  kill -0 "$service" 2>/dev/null || fail "the service ended: $(cat "$dir/serve.log")"
  [ $SECONDS -lt $deadline ] || fail "the service is not ready: $(tail -n 20 "$dir/serve.log")"
  sleep 0.1
  address=$(sed -n 's/.*serving address=//p' "$dir/serve.log")
done
done_in "service ready"

begin
trigger=drill-$(openssl rand -hex 8)
body="team_id=$team&user_id=$user&channel_id=C0DRILL&command=%2Flivestream&text=start+99999999999&trigger_id=$trigger"
body="$body&response_url=http%3A%2F%2F127.0.0.1%3A9%2Fdrill"
now=$(date +%s)
signature=$(printf 'v0:%s:%s' "$now" "$body" | openssl dgst -sha256 -hmac "$secret" | sed 's/.* //')
curl -sf -o "$dir/answer" "http://$address/slack/commands" --data-raw "$body" \
  -H "X-Slack-Request-Timestamp: $now" -H "X-Slack-Signature: v0=$signature" || fail "the command was refused"
outcome=
until [ -n "$outcome" ]; do
  [ $SECONDS -lt $((deadline + 60)) ] || fail "the command has no outcome: $(tail -n 20 "$dir/serve.log")"
  outcome=$(sql "select outcome ->> 'kind' from command where trigger_id = '$trigger'")
  [ -n "$outcome" ] || sleep 0.1
done
# Nobody listens where the copy looks for Zoom, so this is the outcome of a command that went all the way.
[ "$outcome" = unreachable ] || fail "the command ended as $outcome instead of unreachable"
done_in "command run" "accepted, its token opened, and Zoom not reached, as it should be here"
echo "the backup works"
