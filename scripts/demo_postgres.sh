#!/usr/bin/env bash
# Ongoing replication on this machine: two private PostgreSQL servers, a shop that is written to all
# the time, a load, a kill -9 in the middle of the changes, and the comparison of every value. Leaves
# no process and no file behind, however it ends.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
bin=$(realpath "${BUILD:-build}")
export WHERRY_SOURCE_PASSWORD WHERRY_TARGET_PASSWORD
work=
source scripts/demo_common.sh

[ -x "$bin/wherry" ] || fail "no $bin/wherry; run make build first"
find_psql
[ -x "$psql_bin/pgbench" ] || fail "there is no pgbench; apt-get install postgresql"
work=$(mktemp -d "${TMPDIR:-/tmp}/wherry-demo.XXXXXX")
chmod 755 "$work"  # the PostgreSQL servers run as another user

say "Starting two private PostgreSQL servers, and a shop of 232,000 rows in one of them ..."
step scripts/pg_cluster.sh start "$work/postgres-source" $$ >"$work/source" || fail "no source"
step scripts/pg_cluster.sh start "$work/postgres-target" $$ >"$work/target" || fail "no target"
source_url=$(cat "$work/source") target_url=$(cat "$work/target")
step psql_file "$source_url" demo/shop_postgres.sql ||
  fail "the shop could not be made"
url_parts "$source_url"
WHERRY_SOURCE_PASSWORD=$password source=$plain
url_parts "$target_url"
WHERRY_TARGET_PASSWORD=$password target=$plain
say "source  $source
target  $target"
cat >"$work/settings.json" <<'JSON'
{"FullLoadSettings": {"TargetTablePrepMode": "DROP_AND_CREATE", "MaxFullLoadSubTasks": 4},
 "ControlTablesSettings": {"StatusTableEnabled": true}}
JSON
cat >"$work/mappings.json" <<'JSON'
{"rules": [{"rule-type": "selection", "rule-id": "1", "rule-name": "1", "rule-action": "include",
            "object-locator": {"schema-name": "shop", "table-name": "%"}}]}
JSON
task=(--source "$source" --target "$target" --table-mappings "$work/mappings.json"
  --task-settings "$work/settings.json" --state "$work/state" --log-file "$work/wherry.log")

# Runs wherry in the background until it follows the changes.
follow() {
  : >"$work/run.out"
  launch "$bin/wherry" run "${task[@]}" --progress lines >"$work/run.out"
  run=$!
  step tail -n +1 --pid="$run" -f "$work/run.out" | sed '/^ongoing replication$/q'
  grep -q '^ongoing replication$' "$work/run.out" || fail "wherry did not follow the changes"
}

money="select sum(balance) from shop.customers"

say "pgbench writes to the shop, 200 transactions a second, while wherry run loads it:"
launch "$psql_bin/pgbench" -n -f demo/shop_writes.sql -c 2 -R 200 -T 600 "$source_url" \
  >"$work/pgbench.log" 2>&1
writers=$!
follow
say "The shop's money on the target, each time as one moment of the source has it:"
for look in 1 2 3; do
  step sleep 1
  echo "look $look: $(ask "$target_url" "$money"), $(ask "$target_url" "select count(*) from shop.orders") orders"
done

say "kill -9, and the same command again:"
kill -KILL -- "-$run"
wait "$run" 2>/dev/null
follow
step sleep 2
kill -TERM -- "-$run"
wait "$run" || fail "wherry did not stop cleanly"
tail -n 5 "$work/run.out"

say "The writers stop; wherry run --stop-when caught-up takes what is left:"
kill -TERM -- "-$writers" 2>/dev/null
wait "$writers" 2>/dev/null
step "$bin/wherry" run "${task[@]}" --progress lines --stop-when caught-up ||
  fail "the last changes did not arrive"
say "wherry validate"
step "$bin/wherry" validate "${task[@]}" --progress lines || fail "source and target differ"
[ "$(ask "$source_url" "$money")" = "$(ask "$target_url" "$money")" ] || fail "money was lost"
say "The shop has moved, and nothing of it was lost or doubled:"
echo "$(ask "$target_url" "select count(*) from shop.orders") orders, $(ask "$target_url" "$money") in money"
