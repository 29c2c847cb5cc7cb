#!/usr/bin/env python3
"""Measures ongoing replication from PostgreSQL to PostgreSQL beside PostgreSQL's own, in one run: a
backlog of small transactions (keys drawn evenly, or some of them hot) and one of large transactions,
replayed by everybody from slots of the same place; latency; memory for one huge transaction and for many
open ones; the apply engine alone. A Markdown table on standard output, all samples in
$BUILD/change_bench.json. Exit status 1: a goal was missed.

usage: change_run.py [--rounds N] [--scale FACTOR] [--parts NAME,NAME…]
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
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = (ROOT / os.environ.get("BUILD", "build")).resolve()
os.environ["WHERRY_BUILD"] = str(BUILD)
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tests" / "integration"))

import measure  # noqa: E402: needs the path above
from measure import Line, run_command  # noqa: E402
from support.paths import WHERRY  # noqa: E402
from support.postgres import PASSWORD, Postgres  # noqa: E402
from support.wherry import Task, selection  # noqa: E402

SOURCE, TEMPLATE, TARGET, PUBLICATION = "bench", "bench_empty", "bench_copy", "bench"
PASSWORDS = {"WHERRY_SOURCE_PASSWORD": PASSWORD, "WHERRY_TARGET_PASSWORD": PASSWORD}
ACCOUNTS = 100_000
CATCH_UP_SECS = 900


def tables(branches, tellers):
    """pgbench's, with a key for the history."""
    return ("create schema app",
            "create table app.branches (bid int primary key, bbalance int, filler char(88))",
            "create table app.tellers (tid int primary key, bid int, tbalance int, filler char(84))",
            "create table app.accounts (aid int primary key, bid int, abalance int, filler char(84))",
            "create table app.history (hid bigint primary key, tid int, bid int, aid int, "
            "delta int, mtime timestamp, filler char(22))",
            f"insert into app.branches select i, 0, '' from generate_series(1, {branches}) i",
            f"insert into app.tellers select i, i % {branches} + 1, 0, '' "
            f"from generate_series(1, {tellers}) i",
            f"insert into app.accounts select i, i % {branches} + 1, 0, '' "
            f"from generate_series(1, {ACCOUNTS}) i")


def small_transactions(branches, tellers):
    """A procedure that commits `count` transactions of three updates and one insert."""
    return f"""create procedure app.work(count int) language plpgsql as $$
      declare a int; t int; b int; d int;
      begin
        for i in 1..count loop
          a := 1 + floor(random() * {ACCOUNTS}); t := 1 + floor(random() * {tellers});
          b := 1 + floor(random() * {branches}); d := floor(random() * 10000) - 5000;
          update app.accounts set abalance = abalance + d where aid = a;
          update app.tellers set tbalance = tbalance + d where tid = t;
          update app.branches set bbalance = bbalance + d where bid = b;
          insert into app.history values (i, t, b, a, d, now(), '');
          commit;
        end loop;
      end $$"""


LARGE = """create procedure app.work(count int) language plpgsql as $$
  begin
    for i in 1..count loop
      insert into app.history select i * 1000 + n, n, i, n * 7, n, now(), ''
        from generate_series(0, 999) n;
      commit;
    end loop;
  end $$"""


@dataclasses.dataclass
class Load:
    """What happened at the source, and what part of native replication's time is to be reached."""
    branches: int
    tellers: int
    work: str
    transactions: int
    rows: int  # of a transaction
    goals: dict  # settings -> Wherry's part of native's wall time


SMALL_GOALS = {"transactional": 1 / 1.5, "batch": 1 / 2}
LOADS = {
    "even": Load(ACCOUNTS, ACCOUNTS, small_transactions(ACCOUNTS, ACCOUNTS), 200_000, 4,
                 SMALL_GOALS),
    "hot": Load(10, 100, small_transactions(10, 100), 200_000, 4, SMALL_GOALS),
    "large": Load(10, 100, LARGE, 1_000, 1_000, {"transactional": 1 / 1.2, "batch": 1 / 1.6}),
}
NATIVE = ("native over TCP", "native over a socket")
SETTINGS = {"transactional": {}, "batch": {"BatchApplyEnabled": True}}
NAMES = {"even": "small transactions, keys drawn evenly",
         "hot": "small transactions, hot keys", "large": "transactions of 1,000 rows"}


class Pair:
    def __init__(self):
        self.source, self.target = Postgres(), Postgres()
        for server in (self.source, self.target):
            server.execute("postgres", "alter system set shared_buffers = '256MB'",
                           "alter system set max_wal_size = '8GB'",
                           "alter system set max_replication_slots = 64",
                           "alter system set max_wal_senders = 16",
                           # A worker of a subscription is not started sooner after another.
                           "alter system set wal_retrieve_retry_interval = '10ms'")
            server.crash()
            server.start()
        self.servers = [measure.Server(self.source), measure.Server(self.target)]

    def close(self):
        self.target.close()
        self.source.close()

    def prepare(self, load, slots, transactions):
        """Tables on both sides, slots, and then the work that waits behind them."""
        for server, name in ((self.source, SOURCE), (self.target, TEMPLATE)):
            server.execute("postgres", f"drop database if exists {name} with (force)",
                           f"create database {name}")
            server.execute(name, *tables(load.branches, load.tellers), "vacuum (freeze, analyze)")
        self.source.execute(SOURCE, load.work, f"create publication {PUBLICATION} for all tables",
                            *(f"select pg_create_logical_replication_slot('{slot}', 'pgoutput')"
                              for slot in slots))
        self.source.execute(SOURCE, "set synchronous_commit = off",
                            f"call app.work({transactions})")
        end = self.source.query(SOURCE, "select pg_current_wal_insert_lsn()::text")[0][0]
        # The last commit lies behind it, and is flushed.
        self.source.execute(SOURCE, "update app.branches set filler = 'end' where bid = 1")
        return end

    def drop_slots(self):
        self.source.execute(SOURCE, "select pg_drop_replication_slot(slot_name) "
                            "from pg_replication_slots where database = current_database()")

    def new_target(self):
        self.target.execute("postgres", f"drop database if exists {TARGET} with (force)",
                            f"create database {TARGET} template {TEMPLATE}")

    def totals(self, server, database):
        """Of what each transaction changes."""
        return server.query(database, """select (select sum(bbalance) from app.branches),
            (select sum(tbalance) from app.tellers), (select sum(abalance) from app.accounts),
            (select count(*) from app.history), (select sum(hid) from app.history)""")

    def check(self, who):
        wanted = self.totals(self.source, SOURCE)
        found = self.totals(self.target, TARGET)
        if wanted != found:
            raise SystemExit(f"{who} left {found}, the source has {wanted}")

    def native_source(self, who):
        socket = self.source.query("postgres", "show unix_socket_directories")[0][0].split(",")[0]
        host = "127.0.0.1" if who == NATIVE[0] else socket
        return (f"host={host} port={self.source.port} user={self.source.user} "
                f"password={PASSWORD} dbname={SOURCE}")

    @contextlib.contextmanager
    def subscription(self, who, slot):
        """Not enabled yet."""
        self.target.execute(TARGET, f"create subscription bench connection "
                            f"'{self.native_source(who)}' publication {PUBLICATION} with (enabled = "
                            f"false, create_slot = false, slot_name = '{slot}', copy_data = false, "
                            "binary = true, synchronous_commit = off)")
        try:
            yield
        finally:
            self.target.execute(TARGET, "alter subscription bench disable",
                                "alter subscription bench set (slot_name = none)",
                                "drop subscription bench")


def by_native(pair, who, slot, end):
    with pair.subscription(who, slot):
        def run():
            with contextlib.closing(pair.target.connect(TARGET)) as session, \
                    session.cursor() as cursor:
                cursor.execute("alter subscription bench enable")
                deadline = time.monotonic() + CATCH_UP_SECS
                while True:
                    cursor.execute(
                        "select coalesce(pg_replication_origin_progress('pg_' || oid, false) >= "
                        "%s::pg_lsn, false) from pg_subscription where subname = 'bench'", (end,))
                    if cursor.fetchone() == (True,):
                        return
                    if time.monotonic() > deadline:
                        raise SystemExit(f"{who} does not catch up")
                    time.sleep(0.02)

        def stop():
            pair.target.execute(TARGET, "alter subscription bench disable")
        return measure.measured(pair.servers, run, stop)


def task_of(pair, slot, tuning, options="", **more):
    source = (f"{pair.source.url(SOURCE)}?SlotName={slot}&PublicationName={PUBLICATION}"
              f"&CaptureDdls=false{options}")
    task = Task(source, pair.target.url(TARGET), [selection("app")], {
        "FullLoadSettings": {"TargetTablePrepMode": "DO_NOTHING"}, "TargetMetadata": tuning, **more})
    task.migration_type = "cdc"
    return task


def command_of(task, *more):
    return [WHERRY, "run", "--migration-type", "cdc", "--progress", "none", *task.flags(), *more]


def by_wherry(pair, tuning, slot):
    with contextlib.closing(task_of(pair, slot, tuning)) as task:
        return measure.measured(pair.servers, lambda: run_command(
            *command_of(task, "--stop-when", "caught-up"), env=PASSWORDS))


def backlog(pair, name, options):
    """Samples by who made them."""
    load = LOADS[name]
    transactions = max(10, int(load.transactions * options.scale))
    who = [*NATIVE, *SETTINGS]
    slots = [f"bench_{round_}_{i}" for round_ in range(options.rounds) for i in range(len(who))]
    end = pair.prepare(load, slots, transactions)
    samples = {one: [] for one in who}
    for one in who * options.rounds:
        pair.new_target()
        slot = slots.pop(0)
        if one in NATIVE:
            sample = by_native(pair, one, slot, end)
        else:
            sample = by_wherry(pair, SETTINGS[one], slot)
        pair.check(one)
        samples[one].append(sample)
        print(name, one, sample, file=sys.stderr, flush=True)
    pair.drop_slots()
    best = min(NATIVE, key=lambda one: measure.median_of(samples[one], "wall"))
    rows = transactions * load.rows
    for mode, goal in load.goals.items():
        for what, limit in (("wall", goal), ("cpu", 1)):
            yield Line(f"{rows:,} rows of {NAMES[name]}, {mode}, {what}",
                       f"{measure.median_of(samples[mode], what):.2f} s",
                       f"{best}: {measure.median_of(samples[best], what):.2f} s",
                       measure.ratio_of(samples, mode, best, what), limit), samples


PULSES_PER_SECOND, PULSE_SECS = 200, 15
LATENCY_GOALS_MS = {"median": 1.5, "99 %": 8}


def pulse(pair, arrivals):
    """Milliseconds from the acknowledged COMMIT to the sight of each row, but the first seconds'."""
    sent = {}
    with contextlib.closing(pair.source.connect(SOURCE)) as session, session.cursor() as cursor:
        for number in range(PULSES_PER_SECOND * PULSE_SECS):
            cursor.execute("insert into app.pulse values (%s)", (number,))
            sent[number] = time.perf_counter()
            time.sleep(1 / PULSES_PER_SECOND)
    deadline = time.monotonic() + 30
    while len(arrivals.at) < len(sent):
        if time.monotonic() > deadline:
            raise SystemExit(f"{len(sent) - len(arrivals.at)} rows did not arrive")
        time.sleep(0.01)
    skipped = 2 * PULSES_PER_SECOND
    return sorted(1000 * (arrivals.at[n] - at) for n, at in sent.items() if n >= skipped)


def prepare_pulses(pair, slot):
    for server, name in ((pair.source, SOURCE), (pair.target, TARGET)):
        server.execute("postgres", f"drop database if exists {name} with (force)",
                       f"create database {name}")
        server.execute(name, "create schema app", "create table app.pulse (n int primary key)")
    pair.target.execute(
        TARGET, "create function app.tell() returns trigger language plpgsql as $$ begin "
        "perform pg_notify('pulse', new.n::text); return null; end $$",
        "create trigger tell after insert on app.pulse for each row execute function app.tell()",
        "alter table app.pulse enable always trigger tell")
    pair.source.execute(SOURCE, f"create publication {PUBLICATION} for all tables",
                        f"select pg_create_logical_replication_slot('{slot}', 'pgoutput')")


def latency_of_native(pair, who):
    prepare_pulses(pair, "bench_pulse")
    with pair.subscription(who, "bench_pulse"), contextlib.closing(measure.Arrivals(pair.target, TARGET)) as arrivals:
        pair.target.execute(TARGET, "alter subscription bench enable")
        return pulse(pair, arrivals)


def latency_of_wherry(pair, tuning):
    prepare_pulses(pair, "bench_pulse")
    with contextlib.closing(task_of(pair, "bench_pulse", tuning)) as task, \
            contextlib.closing(measure.Arrivals(pair.target, TARGET)) as arrivals:
        process = subprocess.Popen(command_of(task), env={**os.environ, **PASSWORDS})
        try:
            return pulse(pair, arrivals)
        finally:
            process.terminate()
            process.wait(60)


def latency(pair, options):
    samples = {}
    for who in NATIVE:
        samples[who] = latency_of_native(pair, who)
        pair.drop_slots()
    samples["transactional"] = latency_of_wherry(pair, {})
    pair.drop_slots()

    def points(values):
        return {"median": statistics.median(values), "99 %": values[int(len(values) * 0.99)]}
    best = min(NATIVE, key=lambda one: statistics.median(samples[one]))
    for point, goal in LATENCY_GOALS_MS.items():
        yield Line(f"milliseconds to the target at {PULSES_PER_SECOND} transactions/s, {point}",
                   f"{points(samples['transactional'])[point]:.2f}",
                   f"{best}: {points(samples[best])[point]:.2f}",
                   points(samples["transactional"])[point], goal), samples


MEMORY_GOAL_MIB, ALONE_GOAL, LARGEST_ROWS = 300, 300_000, 5_000_000
LEAST_MEMORY = {"MemoryLimitTotal": 64, "BatchApplyMemoryLimit": 64}


def memory(pair, options):
    """One huge transaction."""
    rows = int(LARGEST_ROWS * options.scale)
    load = dataclasses.replace(LOADS["large"], work=f"""create procedure app.work(count int)
        language sql as $$ insert into app.history select n, n, n, n, n, now(), ''
        from generate_series(1, {rows}) n $$""")
    for mode, tuning in SETTINGS.items():
        pair.prepare(load, ["bench_memory"], 1)
        pair.new_target()
        with contextlib.closing(task_of(pair, "bench_memory", tuning,
                                        ChangeProcessingTuning=LEAST_MEMORY)) as task:
            sample = measure.run_program(command_of(task, "--stop-when", "caught-up"), PASSWORDS,
                                         lambda _: rows)
        pair.check(mode)
        pair.drop_slots()
        print("memory", mode, sample, file=sys.stderr, flush=True)
        yield Line(f"peak memory, a transaction of {rows:,} rows, {mode}",
                   f"{sample.peak_mib:.0f} MiB", f"{sample.wall:.1f} s", sample.peak_mib,
                   MEMORY_GOAL_MIB), {mode: dataclasses.asdict(sample)}


OPEN_TRANSACTIONS, ROWS_OF_OPEN = 10_000, 200


def arrived(pair, number):
    """Waits for a row that is told of behind everything that came before it."""
    deadline = time.monotonic() + CATCH_UP_SECS
    while not pair.target.query(TARGET, f"select from app.history where hid = {number}"):
        if time.monotonic() > deadline:
            raise SystemExit(f"row {number} does not arrive")
        time.sleep(0.1)


def many_open(pair, options):
    """Prepared transactions, all of them open at once."""
    count = int(OPEN_TRANSACTIONS * options.scale)
    for change in (f"max_prepared_transactions = {count}", "logical_decoding_work_mem = '64kB'"):
        pair.source.execute("postgres", f"alter system set {change}")
    pair.source.shut_down()
    pair.source.start()
    pair.prepare(dataclasses.replace(LOADS["large"], work="""create procedure app.work(count int)
        language sql as 'select'"""), ["bench_open"], 0)
    pair.new_target()
    pair.source.execute(SOURCE, *(statement for number in range(count) for statement in (
        "begin", f"""insert into app.history select n, n, n, n, n, now(), '' from generate_series(
            {number * ROWS_OF_OPEN + 1}, {(number + 1) * ROWS_OF_OPEN}) n""",
        f"prepare transaction 'open_{number}'")))
    # SQL would leave them with the source.
    with contextlib.closing(task_of(pair, "bench_open", {}, "&CatchUpMegabytes=0",
                                    ChangeProcessingTuning=LEAST_MEMORY)) as task:
        process = subprocess.Popen(command_of(task), env={**os.environ, **PASSWORDS})
        watch = measure.Watch(process)
        try:
            pair.source.execute(SOURCE, "insert into app.history (hid) values (-1)")
            arrived(pair, -1)
            pair.source.execute(SOURCE, *(f"commit prepared 'open_{n}'" for n in range(count)),
                                "insert into app.history (hid) values (-2)")
            arrived(pair, -2)
        finally:
            process.terminate()
            process.wait(60)
            watch.close()
    pair.check("many open transactions")
    pair.drop_slots()
    yield Line(f"peak memory, {count:,} open transactions of {ROWS_OF_OPEN} rows",
               f"{watch.peak_mib:.0f} MiB", "MiB", watch.peak_mib, MEMORY_GOAL_MIB), {
                   "open": {"peak_mib": watch.peak_mib}}


def alone(pair, options):
    """The engine from memory, in batches."""
    done = subprocess.run([BUILD / "apply_run_bench", "--batch", "0", "--rounds",
                           str(options.rounds), "--transactions",
                           str(int(200_000 * options.scale))],
                          check=True, stdout=subprocess.PIPE, text=True)
    rounds = [json.loads(line) for line in done.stdout.splitlines()]
    rate = statistics.median(one["changes_per_second"] for one in rounds)
    yield Line("rows/s applied in batches, nothing read", f"{rate:,.0f}", "rows/s", rate,
               ALONE_GOAL, is_least=True), {"alone": rounds}


PARTS = {**{name: (lambda pair, options, name=name: backlog(pair, name, options))
            for name in LOADS}, "latency": latency, "memory": memory, "alone": alone,
         "open": many_open}


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0, help="factor on the number of rows")
    parser.add_argument("--parts", default=",".join(PARTS))
    options = parser.parse_args()
    lines, samples = [], {}
    pair = Pair()
    try:
        for name in options.parts.split(","):
            for line, of_part in PARTS[name](pair, options):
                lines.append(line)
                samples.setdefault(name, {}).update(of_part)
    finally:
        pair.close()
    measure.print_lines(lines)
    (BUILD / "change_bench.json").write_text(json.dumps(
        {"lines": [dataclasses.asdict(line) for line in lines], "samples": samples}, indent=1))
    return 0 if all(line.is_met for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
