#!/usr/bin/env python3
"""Measures loads from PostgreSQL to PostgreSQL beside their limit, a relay of binary COPY, and
beside pgcopydb, pgloader and the first copy of a subscription, all in one run: a Markdown table on
standard output, all samples in $BUILD/postgres_bench.json. Exit status 1: a goal was missed.

usage: postgres_run.py [--rounds N] [--scale FACTOR] [--peers NAME,NAME…] [--tables NAME,NAME…]
"""
import argparse
import contextlib
import dataclasses
import json
import os
import pathlib
import random
import shutil
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = (ROOT / os.environ.get("BUILD", "build")).resolve()
os.environ["WHERRY_BUILD"] = str(BUILD)
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tests" / "integration"))

import measure  # noqa: E402: needs the path above
from measure import DidNotEnd, Line, run_command  # noqa: E402
from support.paths import WHERRY  # noqa: E402
from support.postgres import PASSWORD, Postgres  # noqa: E402
from support.wherry import Task, selection  # noqa: E402

DATABASE = "bench"
WIDE = ("""(id bigint not null, a integer not null, b numeric(12,2), c numeric, d text,
        e varchar(50), f timestamptz, g date, h uuid, i jsonb, j bytea, k double precision, l text)""",
        """select n, n % 1000, n * 1.25, n / 7.0,
        repeat(md5(n::text), 6), 'code ' || n, timestamptz '2024-01-01' + n * interval '1 second',
        date '2024-01-01' + n % 3000, md5(n::text)::uuid,
        jsonb_build_object('n', n, 'tag', md5((n % 97)::text)),
        decode(repeat(md5(n::text), 5), 'hex'), n * 0.37, repeat(md5((n + 1)::text), 8)
        from generate_series(1, {rows}) n""", "id")
NARROW = ("(aid integer not null, bid integer, abalance integer, filler char(84))",
          "select n, n % 50, 0, '' from generate_series(1, {rows}) n", "aid")
# 200 kB each, half text of random digits, half bytes.
LARGE = ("(id integer not null, body text, picture bytea)",
         """select n, case when n % 2 = 0 then x end, case when n % 2 = 1 then decode(x, 'hex') end
         from (select n, (select string_agg(md5(n::text || i), '') from generate_series(1,
               case when n % 2 = 0 then 6250 else 12500 end) i) x
                 from generate_series(1, {rows}) n) r""", "id")


@dataclasses.dataclass
class Shape:
    """A table, who loads it beside Wherry, and what is to be reached."""
    columns: str
    fill: str  # a query with its rows
    key: str
    rows: int
    goals: dict  # (peer, "wall" or "cpu") -> Wherry's part of the peer's


RELAY_GOALS = {(peer, what): goal for peer in ("relay", "relay+analyze")
               for what, goal in (("wall", 1.05), ("cpu", 1.1))}
SHAPES = {
    "narrow": Shape(*NARROW, 5_000_000, {**RELAY_GOALS, ("pgcopydb", "wall"): 1,
                                         ("subscription", "wall"): 1}),
    "wide": Shape(*WIDE, 1_000_000, {**RELAY_GOALS, ("pgcopydb", "wall"): 1 / 1.8,
                                     ("subscription", "wall"): 1}),
    "large": Shape(*LARGE, 2_000, {("pgcopydb", "wall"): 1, ("subscription", "wall"): 1}),
    # pgloader was seen to hang with 1,000,000 rows.
    "few_narrow": Shape(*NARROW, 500_000, {("pgloader", "wall"): 1}),
    "few_wide": Shape(*WIDE, 100_000, {("pgloader", "wall"): 1}),
}


class Pair:
    """Two servers; the source has the tables of the benchmark."""

    def __init__(self, scale):
        self.source, self.target = Postgres(), Postgres()
        for server in (self.source, self.target):
            server.execute("postgres", "alter system set shared_buffers = '256MB'",
                           f"create database {DATABASE}")
            server.crash()
            server.start()
            server.execute(DATABASE, "create schema app")
        self.servers = [measure.Server(self.source), measure.Server(self.target)]
        self.rows = {name: max(10, int(shape.rows * scale)) for name, shape in SHAPES.items()}
        for name, shape in SHAPES.items():
            self.source.execute(DATABASE, f"create table app.{name} {shape.columns}",
                                f"insert into app.{name} " +
                                shape.fill.format(rows=self.rows[name]),
                                f"alter table app.{name} add primary key ({shape.key})",
                                f"vacuum (freeze, analyze) app.{name}")

    def close(self):
        self.source.close()
        self.target.close()

    def url(self, server, password=True):
        url = server.url(DATABASE)
        return url.replace("@", f":{PASSWORD}@", 1) if password else url

    def empty(self, name=None):
        """Without the table, or with it and without its rows and key."""
        self.target.execute(DATABASE, "drop schema if exists app cascade")
        if name:
            self.target.execute(DATABASE, "create schema app",
                                f"create table app.{name} {SHAPES[name].columns}")

    def measured(self, *arguments):
        return measure.measured(self.servers, *arguments)

    def check(self, name):
        count, = self.target.query(DATABASE, f"select count(*) from app.{name}")[0]
        if count != self.rows[name]:
            raise SystemExit(f"{count} of {self.rows[name]} rows of {name} arrived")


def by_wherry(pair, name, options=""):
    pair.empty()
    task = Task(pair.url(pair.source, False), pair.url(pair.target, False) + options,
                [selection("app", name)])
    with contextlib.closing(task):
        return pair.measured(lambda: run_command(
            WHERRY, "run", "--migration-type", "full-load", "--progress", "none", *task.flags(),
            env={"WHERRY_SOURCE_PASSWORD": PASSWORD, "WHERRY_TARGET_PASSWORD": PASSWORD}))


def by_relay(pair, name, *more):
    pair.empty(name)
    return pair.measured(lambda: run_command(BUILD / "copy_relay", pair.url(pair.source),
                                             pair.url(pair.target), f"app.{name}",
                                             SHAPES[name].key, *more))


def by_relay_with_statistics(pair, name):
    """Wherry gathers them too, unless it is told not to."""
    return by_relay(pair, name, "analyze")


def by_pgcopydb(pair, name):
    pair.empty()
    with tempfile.TemporaryDirectory(prefix="pgcopydb-") as directory:
        filters = pathlib.Path(directory) / "filters.ini"
        filters.write_text(f"[include-only-table]\napp.{name}\n")
        return pair.measured(lambda: run_command(
            "pgcopydb", "clone", "--source", pair.url(pair.source), "--target",
            pair.url(pair.target), "--dir", f"{directory}/work", "--filters", filters,
            "--table-jobs", "1", "--index-jobs", "1", "--no-owner", "--no-acl", "--skip-extensions",
            "--not-consistent"))


PGLOADER_SECS = 120


def by_pgloader(pair, name):
    pair.empty()
    with tempfile.NamedTemporaryFile("w", suffix=".load") as script:
        script.write(f"load database from {pair.url(pair.source)} into {pair.url(pair.target)}\n"
                     f"with include drop, create tables, create indexes, workers = 1, "
                     f"concurrency = 1 including only table names matching '{name}' "
                     "in schema 'app';\n")
        script.flush()
        return pair.measured(lambda: run_command("pgloader", script.name,
                                                 limit_secs=PGLOADER_SECS))


def by_subscription(pair, name):
    """The first copy of native logical replication, into a table that has its key."""
    pair.empty(name)
    pair.target.execute(DATABASE, f"alter table app.{name} add primary key ({SHAPES[name].key})")
    pair.source.execute(DATABASE, f"create publication bench for table app.{name}")

    def run():
        with contextlib.closing(pair.target.connect(DATABASE)) as session, \
                session.cursor() as cursor:
            cursor.execute(f"create subscription bench connection '{pair.url(pair.source)}' "
                           "publication bench with (binary = true)")
            while True:
                cursor.execute("select count(*) from pg_subscription_rel where srsubstate <> 'r'")
                if cursor.fetchone() == (0,):
                    return
                time.sleep(0.02)
    try:
        return pair.measured(
            run, lambda: pair.target.execute(DATABASE, "drop subscription bench"))
    finally:
        pair.source.execute(DATABASE, "drop publication bench")


def by_wherry_without_statistics(pair, name):
    return by_wherry(pair, name, "?analyze=false")


OURS = {"wherry": by_wherry, "wherry, no ANALYZE": by_wherry_without_statistics}
PEERS = {"relay": by_relay, "relay+analyze": by_relay_with_statistics, "pgcopydb": by_pgcopydb,
         "pgloader": by_pgloader, "subscription": by_subscription}
PROGRAMS = ("pgcopydb", "pgloader")


def measure_shape(pair, name, peers, rounds):
    """Samples by who made them; in every round all of them, in an order drawn anew: what the servers
    still have to do after one sample is paid for by the next."""
    who_loads = {**OURS, **{peer: PEERS[peer] for peer in peers}}
    if "relay" not in peers:
        del who_loads["wherry, no ANALYZE"]
    samples = {who: [] for who in who_loads}
    by_relay(pair, name)  # the source's pages are in memory afterwards
    order = random.Random(name)
    for _ in range(rounds):
        for who in order.sample(list(samples), len(samples)):
            try:
                sample = who_loads[who](pair, name)
            except DidNotEnd as problem:
                print(problem, file=sys.stderr, flush=True)
                del samples[who]
                continue
            samples[who].append(sample)
            print(name, who, sample, file=sys.stderr, flush=True)
            pair.check(name)
    return samples


def lines_of(name, rows, samples):
    for (peer, what), goal in SHAPES[name].goals.items():
        if peer in samples:
            ours = "wherry, no ANALYZE" if peer == "relay" else "wherry"
            yield Line(f"{rows:,} rows of {name}, {ours}, {what}",
                       f"{measure.median_of(samples[ours], what):.2f} s",
                       f"{peer}: {measure.median_of(samples[peer], what):.2f} s",
                       measure.ratio_of(samples, ours, peer, what), goal)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0, help="factor on the number of rows")
    parser.add_argument("--peers", default=",".join(PEERS))
    parser.add_argument("--tables", default=",".join(SHAPES))
    options = parser.parse_args()
    missing = [peer for peer in PROGRAMS if not shutil.which(peer)]
    wanted = [peer for peer in options.peers.split(",") if peer not in missing]
    lines, samples, left_out = [], {}, []
    pair = Pair(options.scale)
    try:
        for name in options.tables.split(","):
            peers = [peer for peer in PEERS if peer in wanted and
                     any(peer == other for other, _ in SHAPES[name].goals)]
            samples[name] = measure_shape(pair, name, peers, options.rounds)
            lines += lines_of(name, pair.rows[name], samples[name])
            left_out += [f"{peer} did not come to an end with {name}."
                         for peer in peers if peer not in samples[name]]
    finally:
        pair.close()
    measure.print_lines(lines)
    for text in [f"{peer} is not installed and was left out." for peer in missing] + left_out:
        print(f"\n{text}")
    (BUILD / "postgres_bench.json").write_text(json.dumps(
        {"lines": [dataclasses.asdict(line) for line in lines], "samples": samples}, indent=1))
    return 0 if all(line.is_met for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
