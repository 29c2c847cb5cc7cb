#!/usr/bin/env bash
# Oracle's HR and CO scripts into orasim, from there into PostgreSQL with the walkthrough's two
# lower-case rules beside a selection rule, and both sides compared value by value.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
build=${WHERRY_BUILD:-$root/build}
samples=${WHERRY_SHARED:-$root/../shared}/data/oracle-samples
if [ ! -d "$samples" ]; then
  echo "the sample schemas are not at $samples" >&2
  exit 1
fi
work=$(mktemp -d)
chmod 755 "$work"
sim=
finish() {
  [ -z "$sim" ] || kill "$sim" 2>/dev/null || true
  "$root/scripts/pg_cluster.sh" stop "$work/pg" >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap finish EXIT

mkfifo "$work/ready"
"$build/orasim" --listen 127.0.0.1:0 --service SIM --user HR/hr \
  --script "$samples/human_resources/hr_create.sql" \
  --script "$samples/human_resources/hr_populate.sql" \
  --script "$samples/customer_orders/co_create.sql" \
  --script "$samples/customer_orders/co_populate.sql" >"$work/ready" &
sim=$!
read -r _ address <"$work/ready"
target=$("$root/scripts/pg_cluster.sh" start "$work/pg" | tail -n 1)

cat >"$work/mappings.json" <<'RULES'
{"rules": [
  {"rule-type": "transformation", "rule-id": "1", "rule-name": "1", "rule-target": "schema",
   "object-locator": {"schema-name": "%"}, "rule-action": "convert-lowercase"},
  {"rule-type": "transformation", "rule-id": "2", "rule-name": "2", "rule-target": "table",
   "object-locator": {"schema-name": "%", "table-name": "%"}, "rule-action": "convert-lowercase"},
  {"rule-type": "selection", "rule-id": "3", "rule-name": "3",
   "object-locator": {"schema-name": "HR", "table-name": "%"}, "rule-action": "include"}]}
RULES
echo '{"FullLoadSettings": {"TargetTablePrepMode": "DROP_AND_CREATE"}}' >"$work/settings.json"
export WHERRY_SOURCE_PASSWORD=hr
flags=(--source "oracle://HR@$address/SIM" --target "$target" --log-level error
  --table-mappings "$work/mappings.json" --task-settings "$work/settings.json"
  --state "$work/state")
"$build/wherry" run --migration-type full-load --progress none "${flags[@]}"
"$build/wherry" validate --progress lines "${flags[@]}" >"$work/verdict"
for line in 'HR.EMPLOYEES +107 +107 +0  Validated' 'HR.ORDERS +1,950 +1,950 +0  Validated' \
  'HR.ORDER_ITEMS +3,914 +3,914 +0  Validated' 'HR.COUNTRIES +25 +25 +0  Validated'; do
  if ! grep -Eq "$line" "$work/verdict"; then
    echo "expected '$line' in:" >&2
    cat "$work/verdict" >&2
    exit 1
  fi
done
