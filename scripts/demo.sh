#!/usr/bin/env bash
# The whole job on this machine: a shop in a simulated Oracle that is written to all the time, a
# private PostgreSQL, the load and the changes, a kill -9 in the middle of them, and the comparison
# of every value. Leaves no process and no file behind, however it ends.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
bin=$(realpath "${BUILD:-build}")
export WHERRY_SOURCE_PASSWORD=shop-demo WHERRY_TARGET_PASSWORD
export ORACLE_PASSWORD=$WHERRY_SOURCE_PASSWORD  # shop_writer's
work=
source scripts/demo_common.sh

for program in wherry orasim shop_writer; do
  [ -x "$bin/$program" ] || fail "no $bin/$program; run make build first"
done
find_psql
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
target_url=$(cat "$work/url")
url_parts "$target_url"
WHERRY_TARGET_PASSWORD=$password target=$plain
cat >"$work/settings.json" <<'JSON'
{"FullLoadSettings": {"TargetTablePrepMode": "DO_NOTHING", "MaxFullLoadSubTasks": 4,
                      "StopTaskCachedChangesApplied": true}}
JSON
task=(--source "oracle://SHOP@$address/SHOPDB?AddSupplementalLogging=true" --target "$target"
  --table-mappings demo/mappings.json --task-settings "$work/settings.json" --state "$work/state"
  --log-file "$work/wherry.log")
say "Oracle      oracle://SHOP@$address/SHOPDB?AddSupplementalLogging=true
            (so that wherry has Oracle's redo say which rows change)
PostgreSQL  $target"

progress=lines
[ ! -t 1 ] || progress=bars
# shown NAME COMMAND …: shows what wherry prints and keeps it for the closing summary.
shown() {
  "$bin/wherry" "$2" "${task[@]}" --progress "$progress" "${@:3}" | tee "$work/$1.out"
  return "${PIPESTATUS[0]}"
}

# Runs wherry in the background until it follows the changes.
follow() {
  local reached='"phase":"ongoing replication"'
  : >"$work/run.json"
  launch "$bin/wherry" run "${task[@]}" --progress json >"$work/run.json"
  run=$!
  step tail -n +1 --pid="$run" -f "$work/run.json" | sed -n "/$reached/q"
  grep -q "$reached" "$work/run.json" || fail "wherry did not follow the changes"
}

# What the target has. Orders bear the time at which they were made at the source.
look() {
  local money
  money=$(ask "$target_url" "select sum(balance) from shop.customers")
  echo "look $1: $money in money, $(ask "$target_url" "select count(*) || ' orders, the newest ' ||
    round(extract(epoch from clock_timestamp() at time zone 'UTC' - max(ordered_at)), 1) || ' s old'
    from shop.orders")"
  [ "$money" = 20000000.00 ] || fail "money was lost"
}

# What the last event of the running task tells.
latency() {
  echo "event cdc: $(grep '"event":"cdc"' "$work/run.json" | tail -n 1 |
    grep -o '"[a-z]*_latency_seconds":[^,}]*' | tr -d '"' | tr ':' ' ' | paste -s -d ,)"
}

in_the_way() {
  ask "$target_url" "select 'foreign keys: ' || count(*) || ', triggers: ' ||
    (select count(*) from pg_trigger where tgenabled = 'O' and not tgisinternal)
    from pg_constraint where contype = 'f'"
}

# Rows and verdict from the comparison, size and speed from the load, changes from the last run.
summary() {
  awk '
    FNR == 1 { part = ""; ++file }
    { gsub(/\033\[[0-9]*[A-Za-z]|\r/, "") }  # what bars say to the terminal
    $1 == "Table" && $2 != "" { part = $2; next }
    part == "" || NF < 5 || $1 == "Total" { next }
    file == 1 && part == "Rows" { order[++count] = $1; size[$1] = $3 " " $4; rate[$1] = $5 }
    file == 2 && part == "Inserts" { gsub(/,/, ""); changes[$1] = $2 + $3 + $4 }
    file == 3 {
      rows[$1] = $3
      verdict[$1] = $5
      for (i = 6; i <= NF; ++i) verdict[$1] = verdict[$1] " " $i
    }
    function grouped(n) { return n < 1000 ? n : grouped(int(n / 1000)) sprintf(",%03d", n % 1000) }
    END {
      line = "%-18s %10s %10s %12s %9s  %s\n"
      printf line, "Table", "Rows", "Size", "Rows/s", "Changes", "Verdict"
      for (i = 1; i <= count; ++i) {
        t = order[i]
        printf line, t, rows[t], size[t], rate[t], grouped(changes[t]), verdict[t]
      }
    }' "$work/load.out" "$work/rest.out" "$work/validate.out"
}

say "The shop's tables in PostgreSQL have foreign keys and a trigger. wherry scripts writes
disable.sql and enable.sql for them, and psql runs disable.sql:"
step psql_file "$target_url" demo/shop_target.sql || fail "the target's tables could not be made"
echo "before: $(in_the_way)"
step "$bin/wherry" scripts --target "$target" --schema shop --output "$work" >"$work/scripts.out" ||
  fail "wherry scripts failed"
step psql_file "$target_url" "$work/disable.sql" || fail "disable.sql failed"
echo "now:    $(in_the_way)"

say "shop_writer writes to the shop, a hundred transactions a second, from here on."
launch "$bin/shop_writer" "$address/SHOPDB" SHOP >"$work/writer.out"
writer=$!
say "wherry run: the load, then the changes that were cached meanwhile; then it stops by itself:"
step shown load run || fail "the load failed"
look 1

say "The target is as the source was at one moment. psql runs enable.sql:"
step psql_file "$target_url" "$work/enable.sql" || fail "enable.sql failed"
echo "now:    $(in_the_way)"

say "The same wherry run again: it goes on with the changes:"
follow
for number in 2 3 4; do
  step sleep 1
  look $number
done
latency

say "kill -9, and two seconds without wherry; then the same command again:"
kill -KILL -- "-$run"
wait "$run" 2>/dev/null
step sleep 2
look 5
follow
for number in 6 7 8; do
  step sleep 1
  look $number
done
latency
kill -TERM -- "-$run"
wait "$run" || fail "wherry did not stop cleanly"

say "The writer stops; wherry run --stop-when caught-up takes what is left:"
kill -TERM -- "-$writer" 2>/dev/null
wait "$writer" || fail "shop_writer failed"
cat "$work/writer.out"
step shown rest run --stop-when caught-up || fail "the last changes did not arrive"
look 9

say "wherry validate"
step shown validate validate || fail "source and target differ"

say "Applications find the foreign keys and the trigger at work; no replicated order fired it:"
letters="select 'letters to the warehouse: ' || count(*) from shop.warehouse_letters"
order="insert into shop.orders values"
ask "$target_url" "$letters"
ask "$target_url" "$order (2000001, 999999, now(), 'NEW', null)" 2>&1 | sed '/^DETAIL/d'
ask "$target_url" "$order (2000002, 1, now(), 'NEW', null)"
ask "$target_url" "$letters"

say "The shop has moved, and nothing of it was lost or doubled:"
summary
