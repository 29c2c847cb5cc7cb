#!/usr/bin/env python3
"""Measures loads from PostgreSQL to PostgreSQL beside their limit, a relay of binary COPY, and
beside pgcopydb, pgloader and the first copy of a subscription, all in one run: a Markdown table on
standard output, all samples in $BUILD/postgres_bench.json. Exit status 1: a goal was missed.

usage: postgres_run.py [--rounds N] [--scale FACTOR] [--peers NAME,NAME…]
"""
import argparse
import contextlib
import json
import os
import pathlib
import shutil
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

from support.paths import WHERRY  # noqa: E402: needs the path above
from support.postgres import PASSWORD, Postgres  # noqa: E402
from support.wherry import Task, selection  # noqa: E402

DATABASE = "bench"
DEADLINE_SECS = 600  # for one load
TICK = os.sysconf("SC_CLK_TCK")
WIDE = """create table app.wide (id bigint, a integer not null, b numeric(12,2), c numeric, d text,
    e varchar(50), f timestamptz, g date, h uuid, i jsonb, j bytea, k double precision, l text)"""
WIDE_ROWS = """insert into app.wide select n, n % 1000, n * 1.25, n / 7.0,
    repeat(md5(n::text), 6), 'code ' || n, timestamptz '2024-01-01' + n * interval '1 second',
    date '2024-01-01' + n % 3000, md5(n::text)::uuid,
    jsonb_build_object('n', n, 'tag', md5((n % 97)::text)), decode(repeat(md5(n::text), 5), 'hex'),
    n * 0.37, repeat(md5((n + 1)::text), 8) from generate_series(1, {rows}) n"""
NARROW = """create table app.narrow (aid integer not null, bid integer, abalance integer,
    filler char(84))"""
NARROW_ROWS = """insert into app.narrow select n, n % 50, 0, '' from generate_series(1, {rows}) n"""
SHAPES = {"narrow": (NARROW, NARROW_ROWS, "aid", 5_000_000),
          "wide": (WIDE, WIDE_ROWS, "id", 1_000_000)}
WALL_GOAL, CPU_GOAL, WIDE_PGCOPYDB_GOAL = 1.05, 1.1, 1 / 1.8


def tree_cpu(pid):
    """CPU seconds of a server, its children that live and those that have ended."""
    total = 0
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    for index, process in enumerate([pid, *children]):
        with contextlib.suppress(OSError):
            fields = pathlib.Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
            total += sum(int(value) for value in fields[11:(15 if index == 0 else 13)])
    return total / TICK


def own_cpu():
    times = os.times()
    return times.children_user + times.children_system


class Pair:
    """Two servers; the source has the tables of the benchmark."""

    def __init__(self, scale):
        self.source, self.target = Postgres(), Postgres()
        for server in (self.source, self.target):
            server.execute("postgres", "alter system set wal_level = logical",
                           "alter system set shared_buffers = '256MB'",
                           "alter system set autovacuum = off",
                           f"create database {DATABASE}")
            server.crash()
            server.start()
            server.execute(DATABASE, "create schema app")
        self.rows = {}
        for shape, (create, fill, key, rows) in SHAPES.items():
            self.rows[shape] = max(1000, int(rows * scale))
            self.source.execute(DATABASE, create, fill.format(rows=self.rows[shape]),
                                f"alter table app.{shape} add primary key ({key})",
                                f"vacuum (freeze, analyze) app.{shape}")

    def close(self):
        self.source.close()
        self.target.close()

    def pids(self):
        return [int((server.directory / "pgdata" / "postmaster.pid").read_text().split()[0])
                for server in (self.source, self.target)]

    def url(self, server, password=True):
        url = server.url(DATABASE)
        return url.replace("@", f":{PASSWORD}@", 1) if password else url

    def empty(self, shape=None):
        self.target.execute(DATABASE, "drop schema if exists app cascade")
        if shape:
            self.target.execute(DATABASE, "create schema app", SHAPES[shape][0])

    def measured(self, run):
        for server in (self.source, self.target):
            server.execute("postgres", "checkpoint")
        before, started = own_cpu() + sum(map(tree_cpu, self.pids())), time.monotonic()
        run()
        wall = time.monotonic() - started
        return {"wall": wall, "cpu": own_cpu() + sum(map(tree_cpu, self.pids())) - before}

    def check(self, shape):
        count, = self.target.query(DATABASE, f"select count(*) from app.{shape}")[0]
        if count != self.rows[shape]:
            raise SystemExit(f"{count} of {self.rows[shape]} rows of {shape} arrived")


def command(*arguments, env=None):
    # pgcopydb ends its whole process group when something goes wrong.
    done = subprocess.run([str(part) for part in arguments], env={**os.environ, **(env or {})},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                          start_new_session=True, timeout=DEADLINE_SECS)
    if done.returncode != 0:
        raise SystemExit(f"{arguments[0]} ended with {done.returncode}\n{done.stdout[-3000:]}")


def by_wherry(pair, shape):
    pair.empty()
    task = Task(pair.url(pair.source, False), pair.url(pair.target, False),
                [selection("app", shape)])
    try:
        return pair.measured(lambda: command(
            WHERRY, "run", "--migration-type", "full-load", "--progress", "none", *task.flags(),
            env={"WHERRY_SOURCE_PASSWORD": PASSWORD, "WHERRY_TARGET_PASSWORD": PASSWORD}))
    finally:
        task.close()


def by_relay(pair, shape):
    pair.empty(shape)
    return pair.measured(lambda: command(BUILD / "copy_relay", pair.url(pair.source),
                                         pair.url(pair.target), f"app.{shape}", SHAPES[shape][2]))


def by_pgcopydb(pair, shape):
    pair.empty()
    with tempfile.TemporaryDirectory(prefix="pgcopydb-") as directory:
        filters = pathlib.Path(directory) / "filters.ini"
        filters.write_text(f"[include-only-table]\napp.{shape}\n")
        return pair.measured(lambda: command(
            "pgcopydb", "clone", "--source", pair.url(pair.source), "--target",
            pair.url(pair.target), "--dir", f"{directory}/work", "--filters", filters,
            "--table-jobs", "1", "--index-jobs", "1", "--no-owner", "--no-acl", "--skip-extensions",
            "--not-consistent"))


def by_pgloader(pair, shape):
    pair.empty()
    with tempfile.NamedTemporaryFile("w", suffix=".load") as script:
        script.write(f"load database from {pair.url(pair.source)} into {pair.url(pair.target)}\n"
                     f"with include drop, create tables, create indexes, workers = 1, "
                     f"concurrency = 1 including only table names matching '{shape}' "
                     "in schema 'app';\n")
        script.flush()
        return pair.measured(lambda: command("pgloader", script.name))


def by_subscription(pair, shape):
    pair.empty(shape)
    pair.target.execute(DATABASE, f"alter table app.{shape} add primary key ({SHAPES[shape][2]})")
    pair.source.execute(DATABASE, f"create publication bench for table app.{shape}")

    def run():
        pair.target.execute(DATABASE, f"create subscription bench connection "
                            f"'{pair.url(pair.source)}' publication bench with (binary = true)")
        while pair.target.query(DATABASE, "select count(*) from pg_subscription_rel "
                                "where srsubstate <> 'r'")[0][0]:
            time.sleep(0.02)
    try:
        return pair.measured(run)
    finally:
        pair.target.execute(DATABASE, "drop subscription bench")
        pair.source.execute(DATABASE, "drop publication bench")


PEERS = {"wherry": by_wherry, "relay": by_relay, "pgcopydb": by_pgcopydb, "pgloader": by_pgloader,
         "subscription": by_subscription}


def lines_of(shape, rows, samples):
    def median(who, what):
        return statistics.median(sample[what] for sample in samples[who])

    def line(what, peer, goal):
        ours, theirs = median("wherry", what), median(peer, what)
        return (f"{rows:,} {shape} rows, {what}", f"{ours:.2f} s", f"{peer}: {theirs:.2f} s",
                ours / theirs, goal)

    yield line("wall", "relay", WALL_GOAL)
    yield line("cpu", "relay", CPU_GOAL)
    for peer in ("pgcopydb", "pgloader", "subscription"):
        if peer in samples:
            is_wide = (peer, shape) == ("pgcopydb", "wide")
            yield line("wall", peer, WIDE_PGCOPYDB_GOAL if is_wide else 1.0)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0, help="factor on the number of rows")
    parser.add_argument("--peers", default=",".join(PEERS), help="without wherry and relay")
    options = parser.parse_args()
    wanted = ["wherry", "relay", *options.peers.split(",")]
    peers = [name for name in PEERS if name in wanted and
             (name in ("wherry", "relay", "subscription") or shutil.which(name))]
    lines, samples = [], {}
    pair = Pair(options.scale)
    try:
        for shape in SHAPES:
            samples[shape] = {peer: [] for peer in peers}
            by_relay(pair, shape)  # the source's pages are in memory afterwards
            for _ in range(options.rounds):
                for peer in peers:
                    samples[shape][peer].append(PEERS[peer](pair, shape))
                    print(shape, peer, samples[shape][peer][-1], file=sys.stderr, flush=True)
                    pair.check(shape)
            lines += lines_of(shape, pair.rows[shape], samples[shape])
    finally:
        pair.close()
    print("| what | Wherry | reference | value | goal | |\n|---|---|---|---|---|---|")
    for what, ours, reference, value, goal in lines:
        verdict = "met" if value <= goal else "missed"
        print(f"| {what} | {ours} | {reference} | {value:.2f} | {goal:.2f} | {verdict} |")
    for peer in PEERS:
        if peer in wanted and peer not in peers:
            print(f"\n{peer} is not installed and was left out.")
    (BUILD / "postgres_bench.json").write_text(
        json.dumps({"lines": lines, "samples": samples}, indent=1))
    return 1 if any(line[3] > line[4] for line in lines) else 0


if __name__ == "__main__":
    sys.exit(main())
