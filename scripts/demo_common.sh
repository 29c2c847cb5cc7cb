# What the demos share: their children end with them, and their files go, however they end. Sourced,
# with `work` empty until there is a temporary directory; clusters are in $work/postgres*.
# shellcheck shell=bash

# A child may be gone before those that it started (initdb, say), and they would go on writing.
end_group() {
  local try
  wait "$1"
  for try in {1..200}; do
    kill -0 -- "-$1" || return
    sleep 0.05
  done
  kill -KILL -- "-$1"
}

cleanup() {
  trap '' INT TERM HUP
  local pid pids cluster
  exec 2>/dev/null  # bash would tell of every child that it ended
  pids=$(jobs -p)
  for pid in $pids; do kill -TERM -- "-$pid"; done
  for pid in $pids; do end_group "$pid"; done
  if [ -n "$work" ]; then
    for cluster in "$work"/postgres*; do
      [ ! -d "$cluster" ] || scripts/pg_cluster.sh stop "$cluster" >/dev/null
    done
    rm -rf "$work"
  fi
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

fail() {
  echo "demo: $*" >&2
  exit 1
}

# Starts a command in the background as the leader of a process group, so that it can be ended with
# all that it started. Job control is on for that moment only: with it, a terminal's Ctrl-C would go
# to a foreground command and not to this script.
launch() {
  set -m
  "$@" &
  set +m
}

# Runs a command so that a signal is obeyed at once: bash interrupts `wait`, not a foreground child.
step() {
  launch "$@"
  wait $!
}

say() { printf '\n%s\n' "$*"; }

# Sets `psql_bin`, the directory of the newest psql, or fails.
find_psql() {
  psql_bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1)
  [ -x "$psql_bin/psql" ] || fail "there is no psql; apt-get install postgresql"
}

# ask URL SQL: prints the answer.
ask() { "$psql_bin/psql" -qAtX -c "$2" "$1"; }

# psql_file URL FILE
psql_file() { "$psql_bin/psql" -qX -v ON_ERROR_STOP=1 -f "$2" "$1"; }

# url_parts URL: sets `password`, and `plain` to the URL without it.
url_parts() {
  password=${1#*://*:}
  password=${password%%@*}
  plain="${1%%://*}://$(sed -E 's#^[^:]+://([^:@]+):[^@]*@#\1@#' <<<"$1")"
}
