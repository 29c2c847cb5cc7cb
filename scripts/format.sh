#!/usr/bin/env bash
# Formats every C++ file, or with --check lists those that differ and fails.
set -eu
cd "$(dirname "$0")/.."
mode=(-i)
[ "${1:-}" != --check ] || mode=(--dry-run -Werror)
find src apps tools tests bench fuzz \( -name '*.h' -o -name '*.cpp' \) -print0 |
  xargs -0 --no-run-if-empty clang-format-14 "${mode[@]}"
