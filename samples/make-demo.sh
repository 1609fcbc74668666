#!/bin/sh
# Writes demo-hospital.tar.xz and demo-hospital.truth.json.xz again, byte for byte.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cargo run --quiet --release -p samples --bin samples-generate -- \
    --demo --out "$work" --truth "$work/demo-hospital.truth.json"
tar --create --directory "$work" --sort=name --format=ustar --mtime=@0 \
    --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX 1319999901 |
    xz -9e >demo-hospital.tar.xz
xz -9e --stdout "$work/demo-hospital.truth.json" >demo-hospital.truth.json.xz
