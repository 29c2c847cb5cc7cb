#!/usr/bin/env python3
"""Measures Wherry beside its references on one machine in one run: a Markdown table on standard
output, all figures in $BUILD/bench.json.

fetch   CPU of Wherry's Oracle client beside oracledb (npm, thin), same rows, same simulator
load    CPU of `wherry run` beside the CPU of the PostgreSQL backends that take the COPY
memory  peak resident set of `wherry run`

Rounds are interleaved and the medians are shown. Server, target and Wherry share the machine, so
the CPU columns say more than wall time.

usage: run.py [--rounds N] [--scale X]
"""
import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = (ROOT / os.environ.get("BUILD", "build")).resolve()
os.environ["WHERRY_BUILD"] = str(BUILD)
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tests" / "integration"))

from support.orasim import PASSWORD, SERVICE, USER, Orasim  # noqa: E402: needs the path above
from support.paths import WHERRY  # noqa: E402
from support.postgres import PASSWORD as TARGET_PASSWORD  # noqa: E402
from support.postgres import Postgres  # noqa: E402
from support.wherry import Task, selection  # noqa: E402

NODE_ROWS_AT_ONCE = 1000  # faster for node than its default of 100
FETCH_GOAL, LOAD_GOAL, RSS_GOAL_MIB = 1 / 8, 0.8, 200
TABLES = {
    "NARROW": (1_000_000, """
        create table narrow (id number(9) primary key, account number(9), amount number(12,2),
                             code varchar2(20), day date)""", """
        insert into narrow
        select level, mod(level * 7919, 1000003), mod(level * 104729, 100000000) / 100,
               'code ' || level, date '2020-01-01' + mod(level, 2000)
          from dual connect by level <= {rows}"""),
    "WIDE": (200_000, """
        create table wide (id number(12) primary key, a number, b number(38,10), c number(4),
                           d binary_double, name varchar2(100), city nvarchar2(40),
                           remark varchar2(400), note varchar2(300), made date,
                           changed timestamp(6), zone timestamp(6) with time zone,
                           digest raw(32))""", """
        insert into wide
        select level, level / 7, level * 1.0000000001, mod(level, 9999), level / 3,
               'a name that is number ' || level, 'Zürich ' || level,
               rpad('remark ' || level || ' ', 350, 'lorem ipsum dolor '),
               rpad('note ' || level || ' ', 250, 'sit amet '),
               date '2020-01-01' + mod(level, 2000),
               to_timestamp('2024-02-29 12:00:00.123456', 'YYYY-MM-DD HH24:MI:SS.FF6')
                 + numtodsinterval(level, 'SECOND'),
               to_timestamp_tz('2024-06-01 08:30:00.5 +05:45', 'YYYY-MM-DD HH24:MI:SS.FF TZH:TZM'),
               hextoraw(lpad(to_char(level), 64, '0'))
          from dual connect by level <= {rows}"""),
}


def run_json(command, env):
    done = subprocess.run(command, env={**os.environ, **env}, stdout=subprocess.PIPE, text=True,
                          check=True, timeout=600)
    return json.loads(done.stdout)


def fetch_with_wherry(sim, table):
    return run_json([BUILD / "fetch_bench", sim.url(), USER, table],
                    {"WHERRY_SOURCE_PASSWORD": PASSWORD})


def fetch_with_node(sim, table):
    return run_json(["node", ROOT / "bench" / "node_fetch.cjs", USER,
                     f"{sim.host}:{sim.port}/{SERVICE}", table, str(NODE_ROWS_AT_ONCE)],
                    {"WHERRY_SOURCE_PASSWORD": PASSWORD,
                     "NODE_PATH": str(BUILD / "node" / "node_modules")})


# One report of log_statement_stats; the server writes it in one piece.
REPORT = re.compile(r"QUERY STATISTICS\n[^\n]*DETAIL:[^\n]*\n\t!\t([\d.]+) s user, ([\d.]+) s system"
                    r".*?STATEMENT:\s+(\w+)", re.S)


def copy_cpu(log_text):
    """CPU of all COPY statements in what log_statement_stats wrote."""
    return sum(float(user) + float(system) for user, system, word in REPORT.findall(log_text)
               if word.lower() == "copy")


def load(sim, postgres, table):
    """One `wherry run` of the table into a new database."""
    postgres.create_database("bench")
    postgres.execute("postgres", "alter database bench set log_statement_stats = on",
                     "alter database bench set log_min_messages = log")
    log = postgres.directory / "pgdata" / "server.log"
    log_before = log.stat().st_size
    task = Task(sim.url(), postgres.url("bench"), [selection(USER, table)])
    started = time.monotonic()
    process = subprocess.Popen(
        [WHERRY, "run", "--migration-type", "full-load", "--progress", "none", *task.flags()],
        env={**os.environ, "WHERRY_SOURCE_PASSWORD": PASSWORD,
             "WHERRY_TARGET_PASSWORD": TARGET_PASSWORD})
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - started
    task.close()
    if process.returncode != 0:
        raise SystemExit(f"wherry run failed with {process.returncode}")
    [(rows,)] = postgres.query("bench", f'select count(*) from "{USER}"."{table}"')
    with open(log, encoding="utf-8", errors="replace") as text:
        text.seek(log_before)
        backend = copy_cpu(text.read())
    postgres.execute("postgres", "drop database bench")
    return {"rows": rows, "cpu_seconds": usage.ru_utime + usage.ru_stime,
            "copy_backend_cpu_seconds": backend, "wall_seconds": wall,
            "peak_rss_mib": usage.ru_maxrss / 1024}


def median(samples, key):
    return statistics.median(sample[key] for sample in samples)


def per_million(samples, key="cpu_seconds"):
    return median(samples, key) / median(samples, "rows") * 1e6


def verdict(value, goal):
    return "met" if value <= goal else "MISSED"


def fetch_line(table, results):
    mine, node = per_million(results["fetch"][table]), per_million(results["node"][table])
    ratio = mine / node
    return [f"fetch {table.lower()}", f"{mine:.2f}", f"{node:.2f} (oracledb, npm thin)",
            f"{ratio:.3f}", f"<= {FETCH_GOAL:.3f}", verdict(ratio, FETCH_GOAL),
            f"{median(results['fetch'][table], 'wall_seconds'):.2f} / "
            f"{median(results['node'][table], 'wall_seconds'):.2f}"]


def load_line(table, results):
    samples = results["load"][table]
    mine, backend = per_million(samples), per_million(samples, "copy_backend_cpu_seconds")
    ratio = mine / backend if backend else float("inf")
    return [f"fetch + convert + COPY {table.lower()}", f"{mine:.2f}",
            f"{backend:.2f} (COPY backend)", f"{ratio:.2f}", f"<= {LOAD_GOAL}",
            verdict(ratio, LOAD_GOAL), f"{median(samples, 'wall_seconds'):.2f}"]


def memory_line(table, results):
    samples = results["load"][table]
    peak = max(sample["peak_rss_mib"] for sample in samples)
    return [f"peak RSS {table.lower()}, {samples[0]['rows']:,} rows", f"{peak:.0f} MiB", "", "",
            f"< {RSS_GOAL_MIB} MiB", verdict(peak, RSS_GOAL_MIB), ""]


def print_table(lines):
    header = ["measure", "Wherry, CPU s per 1 M rows", "reference, CPU s per 1 M rows", "ratio",
              "goal", "", "wall s"]
    print("| " + " | ".join(header) + " |")
    print("|" + " --- |" * len(header))
    for line in lines:
        print("| " + " | ".join(line) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0, help="factor on the number of rows")
    options = parser.parse_args()
    results = {"fetch": {}, "node": {}, "load": {}}
    load_before = os.getloadavg()
    sim = Orasim()
    postgres = Postgres()
    try:
        for table, (rows, create, fill) in TABLES.items():
            sim.execute(create, fill.format(rows=int(rows * options.scale)))
        for _ in range(options.rounds):
            for table in TABLES:
                results["fetch"].setdefault(table, []).append(fetch_with_wherry(sim, table))
                results["node"].setdefault(table, []).append(fetch_with_node(sim, table))
                results["load"].setdefault(table, []).append(load(sim, postgres, table))
    finally:
        sim.close()
        postgres.close()
    lines = [fetch_line(t, results) for t in TABLES] + [load_line(t, results) for t in TABLES] + \
        [memory_line(t, results) for t in TABLES]
    print_table(lines)
    print(f"\n{os.cpu_count()} CPUs, load average {load_before[0]:.1f} before and "
          f"{os.getloadavg()[0]:.1f} after; medians of {options.rounds} interleaved rounds")
    results["machine"] = {"cpus": os.cpu_count(), "load_before": load_before,
                          "load_after": os.getloadavg(), "rounds": options.rounds}
    results["table"] = lines
    (BUILD / "bench.json").write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
