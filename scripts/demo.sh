#!/usr/bin/env bash
# The whole job on this machine: a shop in a simulated Oracle, a private PostgreSQL, the migration,
# and the comparison of every value. Leaves no process and no file behind, however it ends.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
bin=$(realpath "${BUILD:-build}")
export WHERRY_SOURCE_PASSWORD=shop-demo WHERRY_TARGET_PASSWORD
work=

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
  local pid pids
  exec 2>/dev/null  # bash would tell of every child that it ended
  pids=$(jobs -p)
  for pid in $pids; do kill -TERM -- "-$pid"; done
  for pid in $pids; do end_group "$pid"; done
  if [ -n "$work" ]; then
    scripts/pg_cluster.sh stop "$work/postgres" >/dev/null
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

[ -x "$bin/wherry" ] && [ -x "$bin/orasim" ] || fail "no $bin/wherry; run make build first"
work=$(mktemp -d "${TMPDIR:-/tmp}/wherry-demo.XXXXXX")
chmod 755 "$work"  # the PostgreSQL server runs as another user

say "Starting a simulated Oracle with a shop of 237,000 rows, and a private PostgreSQL ..."
mkfifo "$work/ready"
simulator() {
  exec "$bin/orasim" --listen 127.0.0.1:0 --service SHOPDB --user "SHOP/$WHERRY_SOURCE_PASSWORD" \
    --script demo/shop.sql >"$work/ready" 2>"$work/orasim.log"
}
launch simulator
step scripts/pg_cluster.sh start "$work/postgres" $$ >"$work/url" || fail "PostgreSQL did not start"
step head -n 1 "$work/ready" >"$work/address"
read -r word address <"$work/address" && [ "$word" = ready ] || {
  cat "$work/orasim.log" >&2
  fail "the simulator did not start"
}
url=$(cat "$work/url")
WHERRY_TARGET_PASSWORD=${url#*://*:}
WHERRY_TARGET_PASSWORD=${WHERRY_TARGET_PASSWORD%%@*}
target="${url%%://*}://$(sed -E 's#^[^:]+://([^:@]+):[^@]*@#\1@#' <<<"$url")"
cat >"$work/settings.json" <<'JSON'
{"FullLoadSettings": {"TargetTablePrepMode": "DROP_AND_CREATE", "MaxFullLoadSubTasks": 4}}
JSON
task=(--source "oracle://SHOP@$address/SHOPDB" --target "$target"
  --table-mappings demo/mappings.json --task-settings "$work/settings.json" --state "$work/state"
  --log-file "$work/wherry.log")

say "Oracle      oracle://SHOP@$address/SHOPDB
PostgreSQL  $target"

# Shows a command's output and keeps it for the closing summary.
shown() {
  "$bin/wherry" "$1" "${task[@]}" --progress "$progress" "${@:2}" | tee "$work/$1.out"
  return "${PIPESTATUS[0]}"
}

# Table, rows, size and speed from the load, the verdict from the comparison.
summary() {
  awk '
    FNR == 1 { part = 0; ++file }
    { gsub(/\033\[[0-9]*[A-Za-z]|\r/, "") }  # what bars say to the terminal
    $1 == "Table" && $2 != "" { part = 1; next }
    part == 0 || NF < 5 { next }
    file == 1 { order[++count] = $1; rows[$1] = $2; size[$1] = $3 " " $4; rate[$1] = $5 }
    file == 2 { verdict[$1] = $5; for (i = 6; i <= NF; ++i) verdict[$1] = verdict[$1] " " $i }
    END {
      line = "%-24s %12s %10s %12s  %s\n"
      printf line, "Table", "Rows", "Size", "Rows/s", "Verdict"
      for (i = 1; i <= count; ++i) {
        t = order[i]
        printf line, t, rows[t], size[t], rate[t], verdict[t]
      }
    }' "$work/run.out" "$work/validate.out"
}

progress=lines
[ ! -t 1 ] || progress=bars
say "wherry run --migration-type full-load"
step shown run --migration-type full-load || fail "the migration failed"
say "wherry validate"
step shown validate || fail "source and target differ"
say "The shop has moved:"
summary
