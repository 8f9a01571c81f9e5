#!/usr/bin/env bash
# Builds the image by its recipe and runs it as compose.yaml does: as nobody of the system, over a root that is read-only,
# without capabilities. Its base images are made here with debootstrap and the Rust of this machine, so that nothing is
# pulled from a registry of images.
#
#   sudo deploy/try-image.sh
#
# Needs root, podman, buildah, debootstrap, postgresql, a mirror of Debian and crates.io. Leaves nothing behind. Takes as
# long as a release build and five minutes.
set -euo pipefail
cd "$(dirname "$(realpath "$0")")/.."

# crun refuses to run where both versions of cgroups are mounted. None are used here, so one is hidden.
if mountpoint -q /sys/fs/cgroup/unified && [ -z "${TRY_IMAGE_ALONE:-}" ]; then
  TRY_IMAGE_ALONE=1 exec unshare --mount bash -c 'umount /sys/fs/cgroup/unified && exec deploy/try-image.sh'
fi

work=$(mktemp -d /var/tmp/try-image.XXXXXX)
revision=$(git rev-parse HEAD)
store=(--root "$work/store" --runroot "$work/run")
pod() { podman "${store[@]}" "$@"; }
bin=$(find /usr/lib/postgresql -path '*/bin/initdb' -printf '%h\n' | sort -V | tail -n 1)
end() {
  pod rm --force --all >/dev/null 2>&1 || true
  [ ! -e "$work/data/postmaster.pid" ] || runuser -u postgres -- "$bin/pg_ctl" -D "$work/data" -m fast stop >/dev/null
  umount "$work/store/overlay" 2>/dev/null || true
  rm -rf --one-file-system "$work"
}
trap end EXIT

printf '== the base images\n'
debootstrap --variant=minbase bookworm "$work/root" >"$work/log" || { tail -n 5 "$work/log"; exit 1; }
tar --directory="$work/root" --create . | pod import --quiet - localhost/debian >/dev/null
chroot "$work/root" apt-get install -qq --no-install-recommends ca-certificates gcc libc6-dev >"$work/log" 2>&1 ||
  { tail -n 5 "$work/log"; exit 1; }
cp -a "$(rustc --print sysroot)"/{bin,lib} "$work/root/usr/local/"
tar --directory="$work/root" --create . | pod import --quiet - localhost/rust >/dev/null
rm -rf --one-file-system "$work/root"

printf '== the image\n'
buildah "${store[@]}" build --isolation chroot --format docker --pull-never --tag livestream-bot \
  --volume "${CARGO_HOME:-$HOME/.cargo}/registry:/root/.cargo/registry" \
  --build-arg RUST=localhost/rust --build-arg DEBIAN=localhost/debian \
  --build-arg LIVESTREAM_BOT_REVISION="$revision" --file deploy/Dockerfile . >"$work/log" 2>&1 ||
  { tail -n 20 "$work/log"; exit 1; }
pod images --format '{{.Repository}} {{.Size}}' livestream-bot

printf '== run\n'
chmod 0755 "$work"
install -d -o postgres "$work/data" "$work/socket"
chmod 0777 "$work/socket"
runuser -u postgres -- "$bin/initdb" --auth=trust --encoding=UTF8 --pgdata="$work/data" >/dev/null
runuser -u postgres -- "$bin/pg_ctl" -D "$work/data" -w -l "$work/data/log" \
  -o "-k $work/socket -c listen_addresses=" start >/dev/null
# No cgroups, and the health check by hand: also where systemd does not run outside.
pod run --detach --name try --network=none --read-only --cap-drop=all --security-opt=no-new-privileges \
  --cgroups=disabled --health-interval=disable --ulimit=nofile=1024:1024 --ulimit=nproc=1024:1024 \
  --volume "$work/socket:/socket" --env DATABASE_URL='postgres://postgres@localhost/postgres?host=/socket' \
  --env SLACK_SIGNING_SECRET=try-signing-secret --env ZOOM_CLIENT_ID=client --env ZOOM_CLIENT_SECRET=try-client-secret \
  --env TOKEN_KEYS="k1:$(openssl rand -base64 32)" livestream-bot >/dev/null
for _ in {1..30}; do
  pod healthcheck run try >"$work/health" 2>&1 && break
  sleep 1
done
[ ! -s "$work/health" ] || { cat "$work/health"; pod logs try; exit 1; }
echo "healthy"
pod exec try livestream-bot --version | tee "$work/version"
grep --quiet --fixed-strings "$revision" "$work/version"
pod exec try bash -c 'id; grep -E "^(NoNewPrivs|CapEff|Seccomp):" /proc/1/status; ! touch /x'
pod stop --time 60 try >/dev/null
pod logs try 2>&1 | tail -n 5
[ "$(pod inspect --format '{{.State.ExitCode}}' try)" = 0 ]
printf '== passed\n'
