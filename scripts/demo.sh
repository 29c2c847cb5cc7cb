#!/usr/bin/env bash
# The whole job on this machine: a shop in a simulated Oracle, a private PostgreSQL, the migration,
# and the comparison of every value. Leaves no process and no file behind, however it ends.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
bin=$(realpath "${BUILD:-build}")
export WHERRY_SOURCE_PASSWORD=shop-demo WHERRY_TARGET_PASSWORD
work=

source scripts/demo_common.sh

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
url_parts "$url"
WHERRY_TARGET_PASSWORD=$password target=$plain
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
