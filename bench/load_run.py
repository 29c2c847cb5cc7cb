#!/usr/bin/env python3
"""Measures full loads beside their limit on one machine in one run, as a Markdown table on standard
output and all samples in $BUILD/load_bench.json: the engine beside psql's \\copy of the same rows, large
values beside rows, a killed load that goes on, the dictionary of 2,000 tables, memory. Exit status 1: a
goal was missed. `--rounds 1 --scale 0.1` is quick and rough.

usage: load_run.py [--rounds N] [--scale FACTOR]
"""
import argparse
import contextlib
import dataclasses
import json
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import time

import oracledb

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = (ROOT / os.environ.get("BUILD", "build")).resolve()
os.environ["WHERRY_BUILD"] = str(BUILD)
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tests" / "integration"))

import measure  # noqa: E402: needs the path above
import workloads  # noqa: E402
from measure import Line  # noqa: E402
from support.orasim import PASSWORD, Orasim  # noqa: E402
from support.paths import WHERRY  # noqa: E402
from support.postgres import PASSWORD as TARGET_PASSWORD  # noqa: E402
from support.postgres import Postgres  # noqa: E402
from support.wherry import Task, selection  # noqa: E402

SHAPES = {"narrow": 3_000_000, "wide": 600_000}
SUBTASKS = 8  # the settings' default; psql has one session
COPY_GOAL = 1.05
LOB_ROWS, LOB_BYTES, WIDE_ROWS = 1_000, 200_000, 200_000
LOB_GOAL = 0.67
RESUME_GOAL = 0.2
DICTIONARY_GOAL = 5.0
MEMORY_GOAL_MIB = 200
TABLES = 2_000


def load_with_engine(server, shape, rows):
    return measure.measured([server], lambda: measure.run_command(
        BUILD / "load_bench", server.postgres.url("bench"), shape, rows, SUBTASKS,
        env={"WHERRY_TARGET_PASSWORD": TARGET_PASSWORD}))


def load_with_psql(server, shape, file, columns):
    script = [f"drop table bench.{shape}", f"create table bench.{shape} ({columns})",
              f"\\copy bench.{shape} from '{file}' with (format binary)",
              f"alter table bench.{shape} add primary key (c0)", f"analyze bench.{shape}"]
    arguments = [part for line in script for part in ("-c", line)]
    return measure.measured([server], lambda: measure.run_command(
        "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", server.postgres.url("bench"), *arguments,
        env={"PGPASSWORD": TARGET_PASSWORD}))


def columns_of(postgres, shape):
    return postgres.query("bench", f"""
        select string_agg(quote_ident(attname) || ' ' || format_type(atttypid, atttypmod) ||
                          case when attnotnull then ' not null' else '' end, ', ' order by attnum)
          from pg_attribute where attrelid = 'bench.{shape}'::regclass and attnum > 0""")[0][0]


def copy_lines(postgres, options):
    """The engine and psql in turns, on the same rows."""
    server = measure.Server(postgres)
    postgres.create_database("bench")
    lines = []
    samples = {}
    with tempfile.TemporaryDirectory(prefix="load-bench-") as directory:
        for shape, rows in SHAPES.items():
            rows = int(rows * options.scale)
            load_with_engine(server, shape, rows)  # also warms up
            file = pathlib.Path(directory) / f"{shape}.copy"
            subprocess.run(["psql", "-X", "-q", postgres.url("bench"), "-c",
                            f"\\copy bench.{shape} to '{file}' with (format binary)"], check=True,
                           env={**os.environ, "PGPASSWORD": TARGET_PASSWORD})
            columns = columns_of(postgres, shape)
            of_shape = samples[shape] = {"wherry": [], "psql": []}
            for _ in range(options.rounds):
                of_shape["psql"].append(load_with_psql(server, shape, file, columns))
                of_shape["wherry"].append(load_with_engine(server, shape, rows))
            file.unlink()
            for what in ("wall", "cpu"):
                lines.append(Line(f"load {rows:,} {shape} rows, {what}",
                                  f"{measure.median_of(of_shape['wherry'], what):.2f} s",
                                  f"psql \\copy: {measure.median_of(of_shape['psql'], what):.2f} s",
                                  measure.ratio_of(of_shape, "wherry", "psql", what), COPY_GOAL))
    return lines, samples


def run_task(task, env=None):
    """Seconds, exit status and last event of a load."""
    started = time.monotonic()
    done = subprocess.run(
        [WHERRY, "run", "--migration-type", "full-load", "--progress", "json", *task.flags()],
        check=False, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "WHERRY_SOURCE_PASSWORD": PASSWORD,
             "WHERRY_TARGET_PASSWORD": TARGET_PASSWORD, **(env or {})})
    events = [json.loads(line) for line in done.stdout.splitlines()]
    return time.monotonic() - started, done.returncode, events[-1]


def fill_large_values(sim, rows):
    """Half of them CLOBs of random hexadecimal digits, half BLOBs of random bytes."""
    sim.execute("create table lobs (id number(9) primary key, body clob, picture blob)")
    chance = random.Random(4)
    with sim.connect() as connection, connection.cursor() as cursor:
        for number in range(rows):
            cursor.setinputsizes(None, oracledb.DB_TYPE_CLOB, oracledb.DB_TYPE_BLOB)
            is_text = number % 2 == 0
            cursor.execute("insert into lobs values (:1, :2, :3)", [
                number, chance.randbytes(LOB_BYTES // 2).hex() if is_text else None,
                None if is_text else chance.randbytes(LOB_BYTES)])
        connection.commit()


def lob_line(postgres, options):
    """Bytes a second of a table of large values and of one of wide rows, in turns."""
    sim = Orasim()
    try:
        _, create, fill = workloads.MEASURED["WIDE"]
        sim.execute(create, fill.format(rows=int(WIDE_ROWS * options.scale)))
        fill_large_values(sim, int(LOB_ROWS * options.scale))
        postgres.create_database("lobs")
        bytes_of = {"WIDE": 'select sum(pg_column_size(w)) from "APP"."WIDE" w',
                    "LOBS": """select sum(coalesce(octet_length("BODY"), 0) +
                               coalesce(octet_length("PICTURE"), 0)) from "APP"."LOBS" """}
        rates = {table: [] for table in bytes_of}
        for _ in range(options.rounds):
            for table, query in bytes_of.items():
                with contextlib.closing(Task(sim.url(), postgres.url("lobs"),
                                             [selection("APP", table)])) as task:
                    _, status, end = run_task(task)
                if status != 0:
                    raise SystemExit(f"the load failed: {end}")
                loaded = float(postgres.query("lobs", query)[0][0])
                rates[table].append(loaded / end["tables"][0]["elapsed_seconds"])
        lobs, wide = (statistics.median(rates[table]) for table in ("LOBS", "WIDE"))
        return Line(f"{LOB_BYTES // 1000} kB LOBs from orasim, bytes a second",
                    f"{lobs / 1e6:.0f} MB/s", f"wide rows: {wide / 1e6:.0f} MB/s", lobs / wide,
                    LOB_GOAL, is_least=True)
    finally:
        sim.close()


def resume_line(postgres, options):
    """Killed at 90 % of its segments, then started again."""
    sim = Orasim()
    try:
        rows = int(400_000 * options.scale)
        sim.execute("create table big (id number(9) primary key, name varchar2(300))",
                    "insert into big select level, rpad('row ' || level, 250, 'x') from dual "
                    f"connect by level <= {rows}")
        settings = {"FullLoadSettings": {"TargetTablePrepMode": "DROP_AND_CREATE",
                                         "MaxFullLoadSubTasks": 1},
                    "WherrySettings": {"SegmentSizeMB": 4}}

        def new_task(name):
            postgres.create_database(name)
            return Task(sim.url(), postgres.url(name), [selection("APP")], settings)

        whole, status, end = run_task(new_task("whole"))
        if status != 0:
            raise SystemExit(f"the load failed: {end}")
        segments = next(t["chunks"] for t in end["tables"])
        task = new_task("killed")
        run_task(task, {"WHERRY_FAILPOINT": f"load.after_commit:{max(1, int(segments * 0.9))}"})
        rest, status, end = run_task(task)
        if status != 0:
            raise SystemExit(f"the second run failed: {end}")
        if postgres.query("killed", 'select count(*) from "APP"."BIG"') != [(rows,)]:
            raise SystemExit("the second run left other rows than there are")
        return Line(f"a load of {segments} segments, killed at 90 %: the second run",
                    f"{rest:.2f} s", f"whole: {whole:.2f} s", rest / whole, RESUME_GOAL)
    finally:
        sim.close()


def dictionary_line(postgres):
    sim = Orasim()
    try:
        sim.execute(*[f"create table t{i} (id number(9) primary key, a varchar2(20), b date, "
                      "c number(12,2), d varchar2(200))" for i in range(TABLES)])
        task = Task(sim.url(), postgres.url("postgres"), [selection("APP")])
        started = time.monotonic()
        done = subprocess.run([WHERRY, "plan", *task.flags()], check=False, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env={**os.environ, "WHERRY_SOURCE_PASSWORD": PASSWORD,
                                   "WHERRY_TARGET_PASSWORD": TARGET_PASSWORD})
        wall = time.monotonic() - started
        if done.returncode != 0 or f"T{TABLES - 1}" not in done.stdout:
            raise SystemExit(f"the plan failed: {done.returncode}\n{done.stdout[-2000:]}")
        return Line(f"`wherry plan` of {TABLES:,} tables", f"{wall:.2f} s", "seconds", wall,
                    DICTIONARY_GOAL)
    finally:
        sim.close()


def memory_line(postgres, options):
    """Eight subtasks, each with a table of 1,000 columns of up to 4,000 bytes. A row of PostgreSQL's
    holds a few hundred such values at most, so only some of a row are there."""
    sim = Orasim()
    try:
        columns = ", ".join(f"c{i} varchar2(4000)" for i in range(999))
        rows = max(2, int(200 * options.scale))
        for number in range(8):
            values = ", ".join(f"case when mod(level + {i}, 50) = 0 then rpad('x', 4000, 'y') end"
                               for i in range(999))
            sim.execute(f"create table w{number} (id number(9) primary key, {columns})",
                        f"insert into w{number} select level, {values} from dual "
                        f"connect by level <= {rows}")
        postgres.create_database("memory")
        task = Task(sim.url(), postgres.url("memory"), [selection("APP")])
        sample = measure.run_wherry(["run", "--migration-type", "full-load"], task, lambda _: rows)
        return Line("peak memory, 8 subtasks, 1,000 columns of up to 4,000 bytes",
                    f"{sample.peak_mib:.0f} MiB", "MiB", sample.peak_mib, MEMORY_GOAL_MIB)
    finally:
        sim.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--scale", type=float, default=1.0, help="factor on the number of rows")
    options = parser.parse_args()
    postgres = Postgres()
    try:
        lines, samples = copy_lines(postgres, options)
        lines.append(lob_line(postgres, options))
        lines.append(resume_line(postgres, options))
        lines.append(dictionary_line(postgres))
        lines.append(memory_line(postgres, options))
    finally:
        postgres.close()
    measure.print_lines(lines)
    (BUILD / "load_bench.json").write_text(json.dumps(
        {"lines": [dataclasses.asdict(line) for line in lines], "samples": samples}, indent=1))
    return 0 if all(line.is_met for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
