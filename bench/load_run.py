#!/usr/bin/env python3
"""Measures full loads beside their limit on one machine in one run, as a Markdown table on standard
output and all samples in $BUILD/load_bench.json: the engine beside psql's \\copy of the same rows, a
killed load that goes on, the dictionary of 2,000 tables, memory. Exit status 1: a goal was missed.

usage: load_run.py [--rounds N] [--scale FACTOR]
"""
import argparse
import contextlib
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = (ROOT / os.environ.get("BUILD", "build")).resolve()
os.environ["WHERRY_BUILD"] = str(BUILD)
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tests" / "integration"))

import measure  # noqa: E402: needs the path above
from support.orasim import PASSWORD, Orasim  # noqa: E402
from support.paths import WHERRY  # noqa: E402
from support.postgres import PASSWORD as TARGET_PASSWORD  # noqa: E402
from support.postgres import Postgres  # noqa: E402
from support.wherry import Task, selection  # noqa: E402

SHAPES = {"narrow": 3_000_000, "wide": 600_000}
SUBTASKS = 1  # as psql has one session
COPY_GOAL = 1.05
RESUME_GOAL = 0.2
DICTIONARY_GOAL = 5.0
MEMORY_GOAL_MIB = 200
TABLES = 2_000
TICK = os.sysconf("SC_CLK_TCK")


def server_cpu(pid):
    """CPU seconds of a server, its children that live and those that have ended."""
    total = 0
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    for index, process in enumerate([pid, *children]):
        with contextlib.suppress(OSError):
            fields = pathlib.Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
            total += sum(int(value) for value in fields[11:(15 if index == 0 else 13)])
    return total / TICK


class Server:
    def __init__(self, postgres):
        self.postgres = postgres
        self.pid = int((postgres.directory / "pgdata" / "postmaster.pid").read_text().split()[0])

    def wait_for_quiet(self):
        query = ("select count(*) from pg_stat_activity where backend_type = 'client backend' "
                 "and pid <> pg_backend_pid()")
        end = time.monotonic() + 30
        while self.postgres.query("postgres", query)[0][0] > 0 and time.monotonic() < end:
            pass

    @contextlib.contextmanager
    def measured(self, sample):
        self.wait_for_quiet()
        self.postgres.execute("postgres", "checkpoint")
        before = server_cpu(self.pid)
        yield
        self.wait_for_quiet()
        sample["server_cpu"] = server_cpu(self.pid) - before


def run_measured(server, command, env, sample):
    with server.measured(sample):
        started = time.monotonic()
        process = subprocess.Popen([str(part) for part in command], env={**os.environ, **env},
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        output, errors = process.communicate()
        sample["wall"] = time.monotonic() - started
    if process.returncode != 0:
        raise SystemExit(f"{command[0]} ended with {process.returncode}\n{errors}")
    return output


def children_cpu():
    times = os.times()
    return times.children_user + times.children_system


def load_with_engine(server, shape, rows):
    sample = {}
    before = children_cpu()
    run_measured(server, [BUILD / "load_bench", server.postgres.url("bench"), shape, rows, SUBTASKS],
                 {"WHERRY_TARGET_PASSWORD": TARGET_PASSWORD}, sample)
    sample["cpu"] = children_cpu() - before + sample["server_cpu"]
    return sample


def load_with_psql(server, shape, file, columns):
    sample = {}
    before = children_cpu()
    script = [f"drop table bench.{shape}", f"create table bench.{shape} ({columns})",
              f"\\copy bench.{shape} from '{file}' with (format binary)",
              f"alter table bench.{shape} add primary key (c0)", f"analyze bench.{shape}"]
    arguments = [part for line in script for part in ("-c", line)]
    run_measured(server, ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1",
                          server.postgres.url("bench"), *arguments],
                 {"PGPASSWORD": TARGET_PASSWORD}, sample)
    sample["cpu"] = children_cpu() - before + sample["server_cpu"]
    return sample


def columns_of(postgres, shape):
    return postgres.query("bench", f"""
        select string_agg(quote_ident(attname) || ' ' || format_type(atttypid, atttypmod) ||
                          case when attnotnull then ' not null' else '' end, ', ' order by attnum)
          from pg_attribute where attrelid = 'bench.{shape}'::regclass and attnum > 0""")[0][0]


def copy_lines(postgres, options):
    """The engine and psql in turns, on the same rows."""
    server = Server(postgres)
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
                ours, theirs = (statistics.median(s[what] for s in of_shape[who])
                                for who in ("wherry", "psql"))
                lines.append((f"load {rows:,} {shape} rows, {what}", f"{ours:.2f} s",
                              f"psql \\copy: {theirs:.2f} s", ours / theirs, COPY_GOAL))
    return lines, samples


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

        def timed(task, env=None):
            started = time.monotonic()
            done = subprocess.run(
                [WHERRY, "run", "--migration-type", "full-load", "--progress", "json",
                 *task.flags()], check=False, stdout=subprocess.PIPE, text=True,
                env={**os.environ, "WHERRY_SOURCE_PASSWORD": PASSWORD,
                     "WHERRY_TARGET_PASSWORD": TARGET_PASSWORD, **(env or {})})
            events = [json.loads(line) for line in done.stdout.splitlines()]
            return time.monotonic() - started, done.returncode, events[-1]

        def new_task(name):
            postgres.create_database(name)
            return Task(sim.url(), postgres.url(name), [selection("APP")], settings)

        whole, status, end = timed(new_task("whole"))
        if status != 0:
            raise SystemExit(f"the load failed: {end}")
        segments = next(t["chunks"] for t in end["tables"])
        task = new_task("killed")
        timed(task, {"WHERRY_FAILPOINT": f"load.after_commit:{max(1, int(segments * 0.9))}"})
        rest, status, end = timed(task)
        if status != 0:
            raise SystemExit(f"the second run failed: {end}")
        return (f"a load of {segments} segments, killed at 90 %: the second run", f"{rest:.2f} s",
                f"whole: {whole:.2f} s", rest / whole, RESUME_GOAL)
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
        return (f"`wherry plan` of {TABLES:,} tables", f"{wall:.2f} s", "seconds", wall,
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
        return ("peak memory, 8 subtasks, 1,000 columns of up to 4,000 bytes",
                f"{sample.peak_mib:.0f} MiB", f"goal {MEMORY_GOAL_MIB} MiB", sample.peak_mib,
                MEMORY_GOAL_MIB)
    finally:
        sim.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0, help="factor on the number of rows")
    options = parser.parse_args()
    postgres = Postgres()
    try:
        lines, samples = copy_lines(postgres, options)
        lines.append(resume_line(postgres, options))
        lines.append(dictionary_line(postgres))
        lines.append(memory_line(postgres, options))
    finally:
        postgres.close()
    print("| what | Wherry | reference | value | goal | |\n|---|---|---|---|---|---|")
    for what, ours, reference, value, goal in lines:
        verdict = "met" if value <= goal else "missed"
        print(f"| {what} | {ours} | {reference} | {value:.2f} | {goal} | {verdict} |")
    (BUILD / "load_bench.json").write_text(json.dumps({"lines": lines, "samples": samples},
                                                      indent=1))
    return 1 if any(line[3] > line[4] for line in lines) else 0


if __name__ == "__main__":
    sys.exit(main())
