#!/usr/bin/env bash
# Makes the Debian package, and beside it the list of what it is built of (SBOM, CycloneDX).
# Needs: cargo install --locked cargo-deb cargo-cyclonedx
set -euo pipefail
cd "$(dirname "$0")/.."

target=${CARGO_TARGET_DIR:-target}
manual=$target/release/manual
# The times inside the package: those of the last commit, so that one commit gives one package.
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH

LIVESTREAM_BOT_REVISION=$(git describe --always --exclude='*' --abbrev=40 --dirty)
export LIVESTREAM_BOT_REVISION

cargo build --release --locked --no-default-features --features otlp
rm -rf "$manual"
mkdir -p "$manual"
"$target/release/livestream-bot" manual "$manual"
gzip -9n "$manual"/*.1
gzip -9n --stdout CHANGELOG.md >"$manual/changelog.gz"
# Debian's own, of the package.
maintainer=$(sed -n 's/^maintainer = "\(.*\)"$/\1/p' Cargo.toml)
version=$(cargo pkgid | sed 's/.*[#@]//')
gzip -9n >"$manual/changelog.Debian.gz" <<CHANGELOG
livestream-bot ($version-1) unstable; urgency=medium

  * What is new: changelog.gz

 -- $maintainer  $(date --utc --rfc-email --date="@$SOURCE_DATE_EPOCH")
CHANGELOG

package=$(cargo deb --locked --no-build)
cargo cyclonedx --quiet --format json --spec-version 1.5 --no-default-features --features otlp \
  --override-filename livestream-bot.sbom
# Without the path of this folder.
sed "s#file://$PWD#file:///livestream-bot#g" livestream-bot.sbom.json >"${package%.deb}.cdx.json"
rm livestream-bot.sbom.json
printf '%s\n' "$package" "${package%.deb}.cdx.json"
