#!/usr/bin/env bash
# Installs the node driver of tests/integration/drivers/package.json into $BUILD/node, once.
set -eu
cd "$(dirname "$0")/.."
from=tests/integration/drivers
to=${BUILD:-build}/node
mkdir -p "$to"
if cmp -s "$from/package-lock.json" "$to/package-lock.json" && [ -d "$to/node_modules/oracledb" ]; then
  exit 0
fi
rm -rf "$to/node_modules"
cp "$from/package.json" "$to/"
# The thin driver is plain JavaScript: no install script has to run.
cp "$from/package-lock.json" "$to/"
if ! (cd "$to" && npm ci --ignore-scripts --no-audit --no-fund >npm.log 2>&1); then
  cat "$to/npm.log" >&2
  rm -rf "$to"
  exit 1
fi
