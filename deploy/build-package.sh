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

cargo build --release --locked --no-default-features --features otlp
rm -rf "$manual"
mkdir -p "$manual"
"$target/release/livestream-bot" manual "$manual"
gzip -9n "$manual"/*.1

package=$(cargo deb --locked --no-build)
cargo cyclonedx --quiet --format json --spec-version 1.5 --no-default-features --features otlp \
  --override-filename livestream-bot.sbom
# Without the path of this folder.
sed "s#file://$PWD#file:///livestream-bot#g" livestream-bot.sbom.json >"${package%.deb}.cdx.json"
rm livestream-bot.sbom.json
printf '%s\n' "$package" "${package%.deb}.cdx.json"
