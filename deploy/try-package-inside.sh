#!/usr/bin/env bash
# What try-package.sh runs on its own Debian, as root, while systemd runs there. Not for a machine that is in use.
set -Eeuo pipefail
export DEBIAN_FRONTEND=noninteractive HOME=/root LC_ALL=C.UTF-8
trap 'echo "FAILED: line $LINENO: $BASH_COMMAND"; journalctl --unit=livestream-bot --lines=20 --no-pager' ERR

settings=/etc/livestream-bot/environment
secret=$(openssl rand -hex 16)

step() { printf '== %s\n' "$*"; }
fails() { if "$@"; then return 1; fi; }
install_package() { apt-get install -qq --allow-downgrades "/try/$1.deb" >/dev/null; }
main_pid() { systemctl show --property=MainPID --value livestream-bot; }
# Each request is tried again while nobody listens yet, or until the service is ready.
request() { curl --silent --show-error --retry 30 --retry-delay 1 --retry-all-errors --fail --output /dev/null "$@"; }
ready() { request http://127.0.0.1:3000/readyz; }
# Sends a slash command to a port, signed as Slack does, and prints the answer.
command() {
  local body="command=%2Flivestream&text=$1&team_id=T0TRY&user_id=U0TRY&channel_id=C0TRY&api_app_id=A0TRY"
  body+="&trigger_id=1.$RANDOM&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2F1"
  local at signature
  at=$(date +%s)
  signature=$(printf 'v0:%s:%s' "$at" "$body" | openssl dgst -sha256 -hmac "${3:-$secret}" -hex | sed 's/.* //')
  curl --silent --fail --header "X-Slack-Request-Timestamp: $at" --header "X-Slack-Signature: v0=$signature" \
    --data-raw "$body" "http://localhost:$2/slack/commands"
}
helps() { command help "$1" | tee /try/answer | grep --quiet 'starts and stops'; }
migrations() { runuser -u postgres -- psql -tAc 'select count(*) from _sqlx_migrations' livestream-bot; }

step "install"
install_package now
id livestream-bot
[ "$(stat --format='%a %U:%G' "$settings")" = '640 root:livestream-bot' ]
systemctl is-enabled livestream-bot
fails systemctl is-active --quiet livestream-bot
livestream-bot --version | grep -E 'commit [0-9a-f]{40}'
[ -s /usr/share/doc/livestream-bot/examples/prometheus/alerts.yaml ]
[ -s /usr/share/doc/livestream-bot/examples/grafana/livestream-bot.json ]
man --where livestream-bot livestream-bot-rotate-keys
# shellcheck source=/dev/null
(. /usr/share/bash-completion/completions/livestream-bot && complete -p livestream-bot)

step "start without settings: the log names what is missing, and it is not tried again"
systemctl start livestream-bot
while systemctl is-active --quiet livestream-bot; do sleep 0.1; done
systemctl show --property=ActiveState,ExecMainStatus,NRestarts livestream-bot | tee /try/state
grep --quiet ActiveState=failed /try/state
grep --quiet ExecMainStatus=78 /try/state
journalctl --unit=livestream-bot --output=cat --no-pager >/try/missing
grep SLACK_SIGNING_SECRET /try/missing
grep TOKEN_KEYS /try/missing

step "the same without a database: the way out is named"
status=0
systemd-run --quiet --wait --pipe --uid=livestream-bot livestream-bot migrate 2>/try/missing || status=$?
[ "$status" = 78 ]
grep 'DATABASE_URL: it is not set' /try/missing

step "settings, and a database of the server on this machine"
cd /
runuser -u postgres -- createuser livestream-bot
runuser -u postgres -- createdb --owner=livestream-bot --encoding=UTF8 --template=template0 livestream-bot
sed -i -e 's/^PUBLIC_URL=$/&https:\/\/livestream.example.com/' -e 's/^SLACK_CLIENT_ID=$/&1.2/' \
  -e "s/^SLACK_CLIENT_SECRET=$/&$(openssl rand -hex 16)/" \
  -e "s/^SLACK_SIGNING_SECRET=$/&$secret/" -e 's/^SLACK_APP_ID=$/&A0TRY/' \
  -e 's/^ZOOM_CLIENT_ID=$/&client/' -e 's/^ZOOM_CLIENT_SECRET=$/&try-client-secret/' \
  -e "s#^TOKEN_KEYS=\$#&k1:$(openssl rand -base64 32)#" "$settings"
before=$(sha256sum "$settings")

step "start"
systemctl start livestream-bot
ready
[ "$(stat --format=%U "/proc/$(main_pid)")" = livestream-bot ]
grep -E '^(NoNewPrivs:.1|Seccomp:.2|CapEff:.0+)$' "/proc/$(main_pid)/status"
helps 3000
fails journalctl --unit=livestream-bot --grep='WARN|ERROR' --no-pager
fails command help 3000 another-secret
systemd-analyze security --no-pager livestream-bot | tail -n 1
systemd-analyze verify livestream-bot.service
made=$(migrations)

step "Caddy before it, as in the example"
sed 's#livestream.example.com#http://localhost:8080#' /usr/share/doc/livestream-bot/examples/Caddyfile >/etc/caddy/Caddyfile
systemctl restart caddy
request http://localhost:8080/healthz
helps 8080

step "PostgreSQL away: the service is tried again until it is back"
systemctl stop postgresql
systemctl restart livestream-bot
while [ "$(systemctl show --property=NRestarts --value livestream-bot)" = 0 ]; do sleep 0.5; done
systemctl show --property=ExecMainStatus,NRestarts livestream-bot
systemctl start postgresql
ready

step "the other commands, with the same settings"
systemd-run --quiet --wait --pipe --uid=livestream-bot --property=EnvironmentFile=$settings livestream-bot rotate-keys

step "a crash: systemd starts it again"
crashed=$(main_pid)
kill -9 "$crashed"
ready
fails [ "$(main_pid)" = "$crashed" ]

for version in later now; do
  step "upgrade and rollback: $version; through Caddy, no request fails meanwhile"
  old=$(main_pid)
  while [ ! -e /try/installed ]; do
    curl --silent --show-error --fail --output /dev/null http://localhost:8080/healthz || exit 1
    echo
  done >/try/requests &
  install_package "$version"
  touch /try/installed
  wait $!
  rm /try/installed
  echo "$(wc -l </try/requests) requests"
  ready
  fails [ "$(main_pid)" = "$old" ]
  [ "$(sha256sum "$settings")" = "$before" ]
  [ "$(migrations)" = "$made" ]
  dpkg-query --show livestream-bot
done

step "an upgrade leaves a stopped service stopped"
systemctl stop livestream-bot
install_package later
fails systemctl is-active --quiet livestream-bot
install_package now
systemctl start livestream-bot
ready

step "remove: it ends in order, and its settings and data stay"
apt-get remove -qq livestream-bot >/dev/null
fails systemctl is-active --quiet livestream-bot
journalctl --unit=livestream-bot --lines=8 --no-pager --output=cat | grep -E 'shutting down|Deactivated successfully'
[ "$(sha256sum "$settings")" = "$before" ]

step "install again: it starts with the settings of before"
install_package now
ready
helps 3000

step "purge: settings gone, the database is the operator's"
apt-get purge -qq livestream-bot >/dev/null
fails [ -e /etc/livestream-bot ]
fails systemctl is-active --quiet livestream-bot
fails systemctl cat livestream-bot 2>/dev/null
find / -xdev \( -path /proc -o -path /sys -o -path /try -o -path /var/lib/postgresql -o -path /var/log -o -path /var/cache/man \) -prune \
  -o -name '*livestream*' -print | tee /try/left
fails [ -s /try/left ]
[ "$(migrations)" = "$made" ]

touch /try/passed
step "passed"
