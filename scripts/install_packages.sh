#!/usr/bin/env bash
# Installs the Debian packages of the named groups that are missing; says nothing when none is.
# usage: install_packages.sh {product|test|sanitized|bench|lint}...
set -eu

packages_of() {
  case "$1" in
    product) echo g++ cmake ninja-build pkg-config libpq-dev libssl-dev zlib1g-dev libsqlite3-dev libzstd-dev \
                  libspdlog-dev libfmt-dev nlohmann-json3-dev libcli11-dev postgresql tzdata \
                  ccache ;;
    test) echo libgtest-dev libgmock-dev python3 python3-oracledb python3-psycopg2 sqlite3 ca-certificates \
               git $(node_packages) $(peer_packages) ;;
    sanitized) echo clang-14 libclang-rt-14-dev llvm-14 libgtest-dev libgmock-dev ;;
    bench) echo libbenchmark-dev python3 python3-psycopg2 python3-oracledb ca-certificates pgcopydb pgloader \
                $(node_packages) $(peer_packages) ;;
    lint) echo clang-format-14 python3 ;;
    *) echo "install_packages.sh: unknown group '$1'" >&2; exit 2 ;;
  esac
}

# A node from elsewhere conflicts with Debian's npm, so Debian's comes only where there is none.
node_packages() {
  if ! command -v node >/dev/null || ! command -v npm >/dev/null; then echo nodejs npm; fi
}

# For the drivers that scripts/install_peers.sh installs; a toolchain from elsewhere will do.
peer_packages() {
  echo python3-venv
  command -v go >/dev/null || echo golang-go
  command -v javac >/dev/null || echo default-jdk-headless
  command -v mvn >/dev/null || echo maven
}

is_installed() {
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

missing=()
for group in "$@"; do
  for package in $(packages_of "$group"); do
    is_installed "$package" || missing+=("$package")
  done
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null || {
    echo "missing packages: ${missing[*]}" >&2
    echo "install them as root, or install sudo and run this again" >&2
    exit 1
  }
  as_root=(sudo)
fi

echo "installing: ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
run() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive "$@" >"$log" 2>&1 || {
    cat "$log" >&2
    echo "failed: $*" >&2
    exit 1
  }
}

# Debian's package would create and start a cluster of its own; Wherry's tests and demo make private
# ones. Only a machine without PostgreSQL is told so.
if [[ " ${missing[*]} " == *" postgresql "* ]] && ! is_installed postgresql-common; then
  run mkdir -p /etc/postgresql-common/createcluster.d
  run sh -c "echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.d/no-main-cluster.conf"
fi
run apt-get update -q
run apt-get install -y -q --no-install-recommends -o Dpkg::Options::=--force-confold "${missing[@]}"
