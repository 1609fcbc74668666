#!/usr/bin/env bash
# Builds the fuzz targets with the stable compiler and runs each for a bounded time; docs/fuzzing.md
# says what they try. New inputs stay in target/fuzz/corpus, an input that breaks something is left in
# target/fuzz/found, and then the command fails.
#
#   FUZZ_SECONDS=60 FUZZ_TARGETS="hl7 text mllp path csv" scripts/fuzz.sh
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${FUZZ_SECONDS:-60}
targets=${FUZZ_TARGETS:-hl7 text mllp path csv}

# What `cargo fuzz` sets, without a sanitizer: those need the nightly compiler. A target of its own
# keeps the flags away from build scripts.
export RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module"
for option in level=4 inline-8bit-counters pc-table trace-compares; do
    RUSTFLAGS+=" -Cllvm-args=-sanitizer-coverage-$option"
done
RUSTFLAGS+=" -Ccodegen-units=1"
triple=$(rustc -vV | sed -n 's/^host: //p')
cargo build --locked --manifest-path fuzz/Cargo.toml --release --target "$triple" --target-dir target/fuzz

failed=()
for target in $targets; do
    mkdir -p "target/fuzz/corpus/$target" target/fuzz/found
    printf 'fuzz: %s for %s seconds\n' "$target" "$seconds" >&2
    "target/fuzz/$triple/release/$target" \
        "target/fuzz/corpus/$target" "fuzz/corpus/$target" \
        -max_total_time="$seconds" -max_len=8192 -rss_limit_mb=1024 -timeout=5 \
        -artifact_prefix="target/fuzz/found/$target-" -verbosity=0 -print_final_stats=1 ||
        failed+=("$target")
done
if [ ${#failed[@]} -gt 0 ]; then
    printf 'fuzz: %s broke; the inputs are in target/fuzz/found\n' "${failed[*]}" >&2
    exit 1
fi
