#!/usr/bin/env python3
"""Checks the include arrows of docs/design/layers.md: which folder may include which.

Prints one line per forbidden include and exits 1 when there is one.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)

# Folder under src/ -> folders under src/ that it may include besides itself.
ARROWS = {
    "core": set(),
    "net": {"core"},
    "schema": {"core"},
    "transform": {"core", "schema"},
    "mapping": {"core", "schema", "transform"},
    "connect/api": {"core", "schema"},
    "changes": {"core", "schema", "connect/api"},
    "connect/support": {"core", "schema", "connect/api", "changes"},
    "engine": {"core", "schema", "transform", "mapping", "connect/api", "changes"},
    "control": {"core", "schema", "mapping", "connect/api", "engine"},
}
# The Oracle client is a library without the rest: these files and folders alone of its folder, and tests, may
# include what belongs to migrations.
ORACLE_CONNECTOR = {"catalog", "catalog_rows", "chunk_plan", "chunk_planner", "connector",
                    "filter_sql", "settings", "snapshot", "type_map"}
ORACLE_MIGRATION = ("connect/oracle/changes/", "connect/oracle/preflight/")
ORACLE_CLIENT = {"core", "net", "connect/oracle"}
CONNECTOR = {"core", "net", "schema", "connect/api", "connect/support"}
# Tests of the engine and of what stands on it run on the in-memory connector.
TEST_EXTRA = {"engine": {"connect/memory"}, "control": {"connect/memory"}}
# Standard, system and third-party headers that only some folders may see.
LIBRARIES = {
    re.compile(r"^(libpq|postgresql)"): {"connect/postgres"},
    re.compile(r"^openssl/"): {"net", "connect/oracle", "connect/postgres", "transform"},
    re.compile(r"^sqlite3"): {"transform"},
    re.compile(r"^zstd"): {"changes"},
    re.compile(r"^CLI/"): set(),
}
ANGLE = re.compile(r"^\s*#\s*include\s+<([^>]+)>", re.M)


def room_of(path):
    """'connect/oracle/wire/x.h' -> 'connect/oracle'; 'core/x.h' -> 'core'."""
    parts = path.split("/")
    if parts[0] == "connect" and len(parts) > 2:
        return "connect/" + parts[1]
    return parts[0] if len(parts) > 1 else ""


def is_test_file(name):
    return name.endswith(("_test.cpp", "test_support.h"))


def allowed(room, is_test):
    rooms = ARROWS.get(room, CONNECTOR if room.startswith("connect/") else set()) | {room}
    return rooms | TEST_EXTRA.get(room, set()) if is_test else rooms


def is_oracle_connector(path):
    if path.startswith(ORACLE_MIGRATION):
        return True
    return path.rsplit("/", 1)[1].rsplit(".", 1)[0] in ORACLE_CONNECTOR


def check_source(errors):
    src = ROOT / "src"
    for file in sorted(p for p in src.rglob("*") if p.suffix in (".h", ".cpp")):
        name = file.relative_to(src).as_posix()
        room, text = room_of(name), file.read_text(encoding="utf-8")
        rooms = allowed(room, is_test_file(name))
        if room == "connect/oracle" and not is_test_file(name) and \
                not is_oracle_connector(name):
            rooms = ORACLE_CLIENT
        for include in INCLUDE.findall(text):
            if include.startswith("tests/support/") and is_test_file(name):
                continue
            if not (src / include).exists():
                errors.append(f"src/{name}: \"{include}\" is not a path from src/")
            elif rooms is ORACLE_CLIENT and is_oracle_connector(include):
                errors.append(f"src/{name}: the Oracle client must not include {include}")
            elif room_of(include) not in rooms:
                errors.append(f"src/{name}: {room} must not include {include}")
        for include in ANGLE.findall(text):
            for pattern, only in LIBRARIES.items():
                if pattern.match(include) and room not in only:
                    errors.append(f"src/{name}: {room} must not include <{include}>")


def check_simulator(errors):
    sim = ROOT / "tools" / "orasim"
    for file in sorted(p for p in sim.rglob("*") if p.suffix in (".h", ".cpp")):
        name = file.relative_to(ROOT).as_posix()
        for include in INCLUDE.findall(file.read_text(encoding="utf-8")):
            if not (sim / include).exists():
                errors.append(f"{name}: \"{include}\" is not a path from tools/orasim/ "
                              "(the simulator shares no code with src/)")


def check_pragma(errors):
    for folder in ("src", "tools", "apps"):
        for file in sorted((ROOT / folder).rglob("*.h")):
            if "#pragma once" not in file.read_text(encoding="utf-8"):
                errors.append(f"{file.relative_to(ROOT)}: no #pragma once")


def main():
    errors = []
    check_source(errors)
    check_simulator(errors)
    check_pragma(errors)
    for error in errors:
        print(error)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
