#!/usr/bin/env python3
"""Measures ongoing replication from Oracle (the simulator) to PostgreSQL: statements of SQL_REDO taken
apart a second, and how many times Debezium's parser that is; latency at 200 transactions a second with
its histogram; a backlog. A Markdown table on standard output, all samples in
$BUILD/oracle_change_bench.json. Exit status 1: a goal was missed.

usage: oracle_change_run.py [--rounds N] [--scale FACTOR] [--parts NAME,NAME…]
"""
import argparse
import contextlib
import dataclasses
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
from measure import Line, run_command  # noqa: E402
from support.orasim import PASSWORD as SOURCE_PASSWORD, Orasim  # noqa: E402
from support.paths import WHERRY  # noqa: E402
from support.postgres import PASSWORD, Postgres  # noqa: E402
from support.wherry import Task, selection  # noqa: E402

DATABASE = "bench"
PASSWORDS = {"WHERRY_SOURCE_PASSWORD": SOURCE_PASSWORD, "WHERRY_TARGET_PASSWORD": PASSWORD}
PULSES_PER_SECOND, PULSE_SECS, SKIPPED_SECS = 200, 20, 3
LATENCY_GOALS_MS = {"median": 500, "99 %": 1500}
PARSE_GOAL, TIMES_DEBEZIUM_GOAL = 1_500_000, 5
DEBEZIUM = BUILD / "peers" / "debezium"
BACKLOG_TRANSACTIONS, ROWS_OF_TRANSACTION = 20_000, 4


def parsing(options):
    """Rounds in turns, because the machine's other work changes slowly."""
    missing = missing_debezium()
    if missing:
        print(f"NOT MEASURED: Debezium's parser: {missing}", file=sys.stderr)
    rounds = [{**parse(), **({} if missing else parse_by_debezium())}
              for _ in range(options.rounds)]
    samples = {"parsing": rounds}
    for name in ("parse", "parse_with_values"):
        rate = measure.median_of(rounds, name)
        yield Line(f"statements of SQL_REDO a second and core, {name.replace('_', ' ')}",
                   f"{rate:,.0f}", "statements/s", rate, PARSE_GOAL, is_least=True), samples
    if missing:
        return
    times = statistics.median(each["parse"] / each["debezium"] for each in rounds)
    yield Line("statements of SQL_REDO a second, times Debezium's parser", f"{times:.1f}",
               f"Debezium: {measure.median_of(rounds, 'debezium'):,.0f} statements/s", times,
               TIMES_DEBEZIUM_GOAL, is_least=True), samples


def parse():
    done = subprocess.run([BUILD / "redo_bench", "--benchmark_format=json",
                           "--benchmark_min_time=2"], check=True, stdout=subprocess.PIPE, text=True)
    return {one["name"]: one["items_per_second"] for one in json.loads(done.stdout)["benchmarks"]}


def missing_debezium():
    """Why its parser is not there; empty: it is."""
    if (DEBEZIUM / "classes").is_dir():
        return ""
    reason = DEBEZIUM.with_suffix(".missing")
    return reason.read_text().strip() if reason.exists() else "it was not installed"


def parse_by_debezium():
    """The same statements, by one thread of a warm virtual machine; by its processor time, too."""
    with tempfile.NamedTemporaryFile() as statements:
        subprocess.run([BUILD / "redo_bench", "--print-statements"], check=True, stdout=statements)
        done = subprocess.run(["java", "-cp", f"{DEBEZIUM}/*:{DEBEZIUM}/classes", "DebeziumParse",
                               statements.name], check=True, stdout=subprocess.PIPE, text=True)
    return {"debezium": json.loads(done.stdout)["statements_per_second"]}


@contextlib.contextmanager
def servers(*fill):
    with contextlib.closing(Orasim()) as sim, contextlib.closing(Postgres()) as target:
        sim.execute("alter database add supplemental log data", *fill)
        target.create_database(DATABASE)
        yield sim, target


def task_of(sim, target):
    task = Task(sim.url() + "?AddSupplementalLogging=true", target.url(DATABASE), [selection("APP")])
    task.migration_type = "full-load-and-cdc"
    return task


def command_of(task, *more):
    return [WHERRY, "run", "--migration-type", "full-load-and-cdc", "--progress", "none",
            *task.flags(), *more]


def pulses(sim, arrivals):
    """Milliseconds from the acknowledged COMMIT to the sight of each row."""
    sent = {}
    with sim.connect() as session, session.cursor() as cursor:
        session.autocommit = True
        begun = time.perf_counter()
        for number in range(1, PULSES_PER_SECOND * PULSE_SECS + 1):
            cursor.execute("insert into pulse values (:1)", (number,))
            sent[number] = time.perf_counter()
            time.sleep(max(0.0, begun + number / PULSES_PER_SECOND - time.perf_counter()))
    deadline = time.monotonic() + 60
    while len(arrivals.at) < len(sent):
        if time.monotonic() > deadline:
            raise SystemExit(f"{len(sent) - len(arrivals.at)} rows did not arrive")
        time.sleep(0.01)
    return sorted(1000 * (arrivals.at[n] - at) for n, at in sent.items()
                  if n > SKIPPED_SECS * PULSES_PER_SECOND)


def histogram(values):
    width, bars = 50, {}
    for value in values:
        bars[int(value // width)] = bars.get(int(value // width), 0) + 1
    for bar in range(max(bars) + 1):
        count = bars.get(bar, 0)
        share = "#" * round(60 * count / len(values))
        print(f"{bar * width:5}-{(bar + 1) * width:5} ms {count:6} {share}", file=sys.stderr)


def latency(_options):
    with servers("create table pulse (n number(9) primary key)") as (sim, target), \
            contextlib.closing(task_of(sim, target)) as task:
        run_command(*command_of(task, "--stop-when", "caught-up"), env=PASSWORDS)
        target.execute(DATABASE, "create function tell() returns trigger language plpgsql as $$ begin "
                       "perform pg_notify('pulse', (new.\"N\"::int)::text); return null; end $$",
                       'create trigger tell after insert on "APP"."PULSE" for each row '
                       "execute function tell()",
                       'alter table "APP"."PULSE" enable always trigger tell')
        with contextlib.closing(measure.Arrivals(target, DATABASE)) as arrivals:
            process = subprocess.Popen(command_of(task), env={**os.environ, **PASSWORDS})
            try:
                values = pulses(sim, arrivals)
            finally:
                process.terminate()
                process.wait(60)
    histogram(values)
    points = {"median": statistics.median(values), "99 %": values[int(len(values) * 0.99)]}
    for point, goal in LATENCY_GOALS_MS.items():
        yield Line(f"milliseconds to the target at {PULSES_PER_SECOND} transactions/s, {point}",
                   f"{points[point]:.0f}", "ms", points[point], goal), {"latency": values}


def backlog(options):
    """The simulator prints and sends every row, and is the limit as long as it takes more."""
    count = max(100, int(BACKLOG_TRANSACTIONS * options.scale))
    fill = ("create table accounts (id number(9) primary key, balance number(12))",
            "insert into accounts select level, 0 from dual connect by level <= 10000",
            "create table history (id number(9) primary key, account number(9), delta number(9))")
    with servers(*fill) as (sim, target), contextlib.closing(task_of(sim, target)) as task:
        run_command(*command_of(task, "--stop-when", "caught-up"), env=PASSWORDS)
        with sim.connect() as session, session.cursor() as cursor:
            for number in range(count):
                for step in range(ROWS_OF_TRANSACTION - 1):
                    cursor.execute("update accounts set balance = balance + 1 where id = :1",
                                   ((number * 7 + step) % 10000 + 1,))
                cursor.execute("insert into history values (:1, 1, 1)", (number,))
                session.commit()
        before = cpu_of(sim.server.pid)
        sample = measure.run_program(command_of(task, "--stop-when", "caught-up"), PASSWORDS,
                                     lambda _: count * ROWS_OF_TRANSACTION)
        simulator = cpu_of(sim.server.pid) - before
        found = target.query(DATABASE, 'select sum("BALANCE")::bigint from "APP"."ACCOUNTS"')
        if found != [(count * (ROWS_OF_TRANSACTION - 1),)]:
            raise SystemExit(f"the target has {found}")
    rate = sample.rows / sample.wall
    yield Line(f"CPU of a backlog of {count:,} transactions, {rate:,.0f} rows/s",
               f"{sample.cpu:.1f} s", f"simulator: {simulator:.1f} s of {sample.wall:.1f} s",
               sample.cpu / simulator, 1), {
                   "backlog": {**dataclasses.asdict(sample), "simulator_cpu": simulator}}


def cpu_of(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / measure.TICK


PARTS = {"parsing": parsing, "latency": latency, "backlog": backlog}


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0, help="factor on the number of rows")
    parser.add_argument("--parts", default=",".join(PARTS))
    options = parser.parse_args()
    lines, samples = [], {}
    for name in options.parts.split(","):
        for line, of_part in PARTS[name](options):
            lines.append(line)
            samples.setdefault(name, {}).update(of_part)
    measure.print_lines(lines)
    (BUILD / "oracle_change_bench.json").write_text(json.dumps(
        {"lines": [dataclasses.asdict(line) for line in lines], "samples": samples}, indent=1))
    return 0 if all(line.is_met for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
