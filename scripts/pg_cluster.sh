#!/usr/bin/env bash
# A private PostgreSQL cluster in DIR/pgdata for tests and the demo: a free port on 127.0.0.1, a
# socket in DIR, no durability. PostgreSQL refuses to run as root, so root becomes user postgres.
#
# usage: pg_cluster.sh start DIR [OWNER-PID]   makes it (or starts it again), prints its URL
#        pg_cluster.sh stop DIR                stops it and removes DIR/pgdata
# The server is the newest that is installed, or the one that is somewhere below $WHERRY_POSTGRES.
# With OWNER-PID the cluster is stopped and removed when that process is gone, however it ended.
set -eu
action=${1:-}
dir=${2:-}
owner=${3:-}
[ -n "$dir" ] && { [ "$action" = start ] || [ "$action" = stop ] || [ "$action" = watch ]; } || {
  sed -n '5,6s/^# //p' "$0" >&2
  exit 2
}
user=wherry
password=wherry-test

# A tree that the server's user cannot reach is copied into DIR.
server_bin() {
  if [ -z "${WHERRY_POSTGRES:-}" ]; then
    newest_bin
    return
  fi
  local tree=$WHERRY_POSTGRES
  if ! as_server_user test -r "$tree"; then
    tree=$dir/server
    [ -d "$tree" ] || { mkdir -p "$dir" && cp -r "$WHERRY_POSTGRES" "$tree"; }
  fi
  dirname "$(find "$tree" -type f -name initdb)"
}

newest_bin() {
  local newest
  newest=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1)
  if [ -n "$newest" ] && [ -x "$newest/initdb" ]; then
    echo "$newest"
  elif command -v initdb >/dev/null; then
    dirname "$(command -v initdb)"
  else
    echo "pg_cluster.sh: no PostgreSQL server is installed; apt-get install postgresql" >&2
    exit 1
  fi
}

as_server_user() {
  if [ "$(id -u)" = 0 ]; then
    (cd / && runuser -u postgres -- "$@")
  else
    "$@"
  fi
}

free_port() {
  /usr/bin/env python3 -c 'import socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])' 2>/dev/null || echo $((20000 + RANDOM % 20000))
}

make_cluster() {
  mkdir -p "$dir"
  [ "$(id -u)" != 0 ] || chown postgres "$dir"
  as_server_user test -w "$dir" || {
    echo "pg_cluster.sh: the server's user cannot reach $dir; choose a directory open to it" >&2
    exit 1
  }
  local log
  as_server_user tee "$dir/password" <<<"$password" >/dev/null
  log=$(as_server_user "$bin/initdb" -D "$dir/pgdata" -U "$user" -E UTF8 --locale=C.UTF-8 \
    --no-sync --auth-local=trust --auth-host=scram-sha-256 --pwfile="$dir/password" 2>&1) || {
    echo "$log" >&2
    exit 1
  }
  rm -f "$dir/password"
  as_server_user tee -a "$dir/pgdata/postgresql.conf" >/dev/null <<CONF
listen_addresses = '127.0.0.1'
unix_socket_directories = '$dir'
fsync = off
full_page_writes = off
shared_buffers = 64MB
max_connections = 60
max_wal_size = 2GB
wal_level = logical
max_wal_senders = 20
max_replication_slots = 20
log_min_messages = fatal
lc_messages = 'C'
CONF
}

# A free port can be taken before the server binds it: try a few.
start_server() {
  local try
  for try in 1 2 3 4 5; do
    port=$(free_port)
    if as_server_user "$bin/pg_ctl" -D "$dir/pgdata" -l "$dir/pgdata/server.log" -w -t 60 \
      -o "-p $port" start >/dev/null 2>&1; then
      return
    fi
  done
  cat "$dir/pgdata/server.log" >&2
  exit 1
}

# Servers of this cluster; one that has just been started has no postmaster.pid yet.
server_pids() {
  local entry
  for entry in /proc/[0-9]*; do
    { tr '\0' ' ' <"$entry/cmdline" | grep -q -- " -D $dir/pgdata "; } 2>/dev/null || continue
    [ "${entry#/proc/}" = $$ ] || echo "${entry#/proc/}"
  done
}

stop_server() {
  local try pids signal=QUIT
  if [ -f "$dir/pgdata/postmaster.pid" ]; then
    as_server_user "$bin/pg_ctl" -D "$dir/pgdata" -m immediate -w stop >/dev/null 2>&1 || true
  fi
  for try in {1..100}; do
    pids=$(server_pids)
    [ -n "$pids" ] || return 0
    [ "$try" -lt 50 ] || signal=KILL
    kill -$signal $pids 2>/dev/null || true
    sleep 0.1
  done
}

dir=$(realpath -m "$dir")
bin=$(server_bin)
case $action in
  start)
    [ -d "$dir/pgdata" ] || make_cluster
    start_server
    if [ -n "$owner" ] && [ ! -f "$dir/watcher" ]; then
      setsid "$0" watch "$dir" "$owner" </dev/null >/dev/null 2>&1 &
    fi
    echo "postgresql://$user:$password@127.0.0.1:$port/postgres"
    ;;
  watch)
    echo $$ >"$dir/watcher"
    tail --pid="$owner" -f /dev/null
    if [ -d "$dir/pgdata" ]; then
      stop_server
      rm -rf "$dir"
    fi
    ;;
  stop)
    if [ -f "$dir/watcher" ]; then kill -- "-$(cat "$dir/watcher")" 2>/dev/null || true; fi
    stop_server
    rm -rf "$dir/pgdata" "$dir/server" "$dir/watcher" "$dir"/.s.PGSQL.*
    ;;
esac
