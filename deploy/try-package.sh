#!/usr/bin/env bash
# Plays the life of the Debian package on a bare Debian of its own: install, settings, start, a crash, upgrade, rollback,
# remove, install again, purge; with Caddy before it. systemd runs there as on a machine, so the unit is tried as it stands.
#
#   sudo deploy/try-package.sh <package.deb> [suite]
#
# Needs root, debootstrap, systemd-container and a mirror of Debian. Leaves nothing behind. Takes about four minutes.
set -euo pipefail

package=$(realpath "${1:?which package?}")
suite=${2:-bookworm}
here=$(dirname "$(realpath "$0")")
work=$(mktemp -d /var/tmp/try-package.XXXXXX)
trap 'rm -rf --one-file-system "$work"' EXIT
root=$work/root

debootstrap --variant=minbase \
  --include=systemd-sysv,dbus,adduser,ca-certificates,init-system-helpers,caddy,curl,man-db,openssl,postgresql \
  "$suite" "$root" >"$work/debootstrap.log" || { tail -n 5 "$work/debootstrap.log"; exit 1; }

# The same program as a later version, with a template of settings that has changed.
install -d "$root/try"
cp "$package" "$root/try/now.deb"
dpkg-deb -R "$package" "$work/later"
sed -i 's/^Version: .*/&+later/' "$work/later/DEBIAN/control"
echo '# A later version.' >>"$work/later/usr/share/livestream-bot/environment"
(cd "$work/later" && find usr -type f -exec md5sum {} + >DEBIAN/md5sums)
dpkg-deb --root-owner-group -Zgzip -z1 -b "$work/later" "$root/try/later.deb" >"$work/dpkg-deb.log"

cp "$here/try-package-inside.sh" "$root/try/inside.sh"
cat >"$root/etc/systemd/system/try.service" <<'UNIT'
[Unit]
After=postgresql.service
Wants=postgresql.service
SuccessAction=poweroff
FailureAction=poweroff
[Service]
Type=oneshot
ExecStart=/bin/bash /try/inside.sh
StandardOutput=append:/try/log
StandardError=append:/try/log
TimeoutStartSec=400
[Install]
WantedBy=multi-user.target
UNIT
systemctl --quiet --root="$root" enable try.service

# No network but its own loopback. `--register=no`, `--keep-unit`: also where systemd does not run outside.
timeout 500 systemd-nspawn --quiet --directory="$root" --boot --private-network --register=no --keep-unit \
  --console=pipe >"$work/console.log" 2>&1 </dev/null || tail -n 20 "$work/console.log"
cat "$root/try/log"
[ -e "$root/try/passed" ]
