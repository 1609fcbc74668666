#!/usr/bin/env bash
# Makes sure that what `make demo`, `make test` or `make fuzz` needs is installed. On Debian it
# installs what is missing, where root or sudo allows; otherwise it says in one line what to install.
#
#   scripts/setup.sh demo | test | fuzz
set -euo pipefail

purpose=${1:-test}

say() { printf 'setup: %s\n' "$*" >&2; }
has() { command -v "$1" >/dev/null 2>&1; }

# A PostgreSQL server that the tests may start, or the client that reaches the one they are given.
has_postgres() {
    if [ -n "${MUSUBI_TEST_POSTGRES:-}" ]; then
        has createdb
    else
        compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null
    fi
}

# Prints the Debian packages that are missing.
missing() {
    has cc || echo gcc libc6-dev
    has tar || echo tar
    has xz || echo xz-utils
    has curl || echo curl
    if [ "$purpose" = fuzz ]; then
        has c++ || echo g++
    fi
    if [ "$purpose" = test ]; then
        has python3 || echo python3
        has strace || echo strace
        has psql || echo postgresql-client-15
        has_postgres || echo postgresql-15
    fi
}

# Prints how to become root without a question, if there is a way.
root() {
    if [ "$(id -u)" = 0 ]; then
        echo env
    elif has sudo && sudo -n true 2>/dev/null; then
        echo sudo -n env
    else
        return 1
    fi
}

# PostgreSQL's package creates a cluster and starts it; nobody asked for one. While it is being
# installed, and no longer, its own configuration says so.
no_cluster=/etc/postgresql-common/createcluster.d/musubi-setup.conf

# install_packages PACKAGE...: installs as root by way of $as_root.
install_packages() {
    if [[ " $* " == *" postgresql-15 "* ]]; then
        $as_root mkdir -p "${no_cluster%/*}"
        trap '$as_root rm -f "$no_cluster"' EXIT
        echo 'create_main_cluster = false' | $as_root tee "$no_cluster" >/dev/null
    fi
    $as_root DEBIAN_FRONTEND=noninteractive apt-get -qq update
    $as_root DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends "$@"
}

# Rust is not installed from here: which one, and for whom, is the owner's choice.
check_rust() {
    local wanted
    wanted=$(sed -n 's/^channel = "\(.*\)"$/\1/p' rust-toolchain.toml)
    if ! has cargo; then
        say "cargo is missing: install the Rust toolchain $wanted, for example with rustup"
        exit 1
    fi
    local found
    found=$(rustc --version | cut -d' ' -f2)
    if [ "$(printf '%s\n' "${wanted%.*}" "$found" | sort --version-sort | head -n1)" != "${wanted%.*}" ]; then
        say "Rust $found is too old: install the Rust toolchain $wanted, for example with rustup"
        exit 1
    fi
}

cd "$(dirname "$0")/.."
mapfile -t packages < <(missing | tr ' ' '\n')
if [ "${#packages[@]}" -gt 0 ]; then
    if has apt-get && as_root=$(root); then
        say "installing ${packages[*]}"
        install_packages "${packages[@]}" >&2
    else
        say "please install these (names of Debian packages): ${packages[*]}"
        exit 1
    fi
fi
check_rust
