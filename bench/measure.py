"""One measurement each: a program is run, its rows and the CPU of its whole process are taken; or the
time and CPU that a load takes, those of the servers included."""
import contextlib
import dataclasses
import json
import os
import pathlib
import re
import select
import signal
import statistics
import subprocess
import tempfile
import threading
import time

from support.orasim import PASSWORD, SERVICE, USER
from support.paths import BUILD, ROOT, WHERRY
from support.postgres import PASSWORD as TARGET_PASSWORD
from support.wherry import Task, selection

# The cheapest of 100, 1000 and 5000 for each.
NODE_ROWS_AT_ONCE = GO_ORA_ROWS_AT_ONCE = JDBC_ROWS_AT_ONCE = 1000
DEADLINE_SECS = 900
DATABASE = "bench"
QUIET_SECS = 30  # a server's sessions have ended by then
TICK = os.sysconf("SC_CLK_TCK")


@dataclasses.dataclass
class Sample:
    """`cpu` is user and system time of all threads, start-up and end included."""
    rows: int
    cpu: float
    wall: float
    peak_mib: float
    more: dict = dataclasses.field(default_factory=dict)

    @property
    def cpu_per_million(self):
        return self.cpu / self.rows * 1e6

    @property
    def rows_per_second(self):
        return self.rows / self.wall


def watch_peak(pid, ended):
    """Largest resident set in KiB until `ended`. The kernel counts on from poll to poll; ru_maxrss
    would not do, because it begins with the size of the Python that started the program."""
    peak = 0
    while True:
        is_last = ended.wait(0.05)
        with contextlib.suppress(OSError):
            status = pathlib.Path(f"/proc/{pid}/status").read_text()
            found = re.search(r"VmHWM:\s+(\d+) kB", status)  # not there when it has ended
            peak = max(peak, int(found[1]) if found else 0)
        if is_last:
            return peak


class Watch:
    """Kills a program that runs too long, and keeps its peak of memory."""

    def __init__(self, process):
        self.ended = threading.Event()
        self.guard = threading.Timer(DEADLINE_SECS, process.kill)
        self.guard.start()
        self.thread = threading.Thread(target=self._run, args=(process.pid,))
        self.thread.start()

    def _run(self, pid):
        self.peak_mib = watch_peak(pid, self.ended) / 1024

    def close(self):
        self.guard.cancel()
        self.ended.set()
        self.thread.join()


def run_program(command, env, rows_of):
    """Runs it to its end; `rows_of` finds the number of rows in its standard output."""
    started = time.monotonic()
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen([str(part) for part in command], env={**os.environ, **env},
                                   stdout=subprocess.PIPE, stderr=errors, text=True)
        watch = Watch(process)
        try:
            output = process.stdout.read()
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            raise
        finally:
            watch.close()
        wall = time.monotonic() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            errors.seek(0)
            raise SystemExit(f"{command[0]} ended with {process.returncode}\n{errors.read()}")
    return Sample(rows_of(output), usage.ru_utime + usage.ru_stime, wall, watch.peak_mib)


def rows_in_json(output):
    return json.loads(output)["rows"]


class MissingPeer(Exception):
    """A driver to compare with that could not be installed."""


def peer_file(peer, *parts):
    path = BUILD.joinpath("peers", peer, *parts)
    if not path.exists():
        raise MissingPeer(f"{peer} is not installed, see {BUILD}/peers/{peer}.log")
    return path


def fetch_with_wherry(sim, table):
    return run_program([BUILD / "fetch_bench", sim.url(), USER, table],
                       {"WHERRY_SOURCE_PASSWORD": PASSWORD}, rows_in_json)


def fetch_with_node(sim, table):
    return run_program(["node", ROOT / "bench" / "node_fetch.cjs", USER,
                        f"{sim.host}:{sim.port}/{SERVICE}", table, NODE_ROWS_AT_ONCE],
                       {"WHERRY_SOURCE_PASSWORD": PASSWORD,
                        "NODE_PATH": str(BUILD / "node" / "node_modules")}, rows_in_json)


def fetch_with_go_ora(sim, table):
    return run_program([peer_file("go_ora", "go_ora_fetch"), f"{sim.host}:{sim.port}/{SERVICE}",
                        USER, table, GO_ORA_ROWS_AT_ONCE],
                       {"WHERRY_SOURCE_PASSWORD": PASSWORD}, rows_in_json)


def fetch_with_jdbc(sim, table):
    """The second read of a virtual machine that has read the table once."""
    driver = peer_file("jdbc", "ojdbc11.jar")
    report = {}
    sample = run_program(["java", "-cp", f"{driver}:{peer_file('jdbc', 'classes')}", "JdbcFetch",
                          f"{sim.host}:{sim.port}/{SERVICE}", USER, table, JDBC_ROWS_AT_ONCE],
                         {"WHERRY_SOURCE_PASSWORD": PASSWORD},
                         lambda output: report.update(json.loads(output)) or report["rows"])
    sample.cpu, sample.wall = report["cpu_seconds"], report["wall_seconds"]
    return sample


# One report of log_statement_stats; the server writes it in one piece.
REPORT = re.compile(r"QUERY STATISTICS\n[^\n]*DETAIL:[^\n]*"
                    r"\n\t!\t([\d.]+) s user, ([\d.]+) s system[^\n]*"
                    r"\n\t!\t\[([\d.]+) s user, ([\d.]+) s system total\]"
                    r".*?STATEMENT:  ([^\n]*)", re.S)


def copy_cpu(log_text):
    """CPU of the statements that took a COPY, and of their backends from their start on."""
    statement = backend = 0.0
    for user, system, total_user, total_system, text in REPORT.findall(log_text):
        if "copy " in text:
            statement += float(user) + float(system)
            backend += float(total_user) + float(total_system)
    if statement == 0:
        raise SystemExit("PostgreSQL reported no COPY; see log_statement_stats")
    return statement, backend


class Target:
    """A new database for each load, whose server writes what each statement cost."""

    def __init__(self, postgres):
        self.postgres = postgres
        self.log = postgres.directory / "pgdata" / "server.log"

    @contextlib.contextmanager
    def database(self):
        self.postgres.create_database(DATABASE)
        self.postgres.execute("postgres", f"alter database {DATABASE} set log_statement_stats = on",
                              f"alter database {DATABASE} set log_min_messages = log")
        self.log_start = self.log.stat().st_size
        yield self.postgres.url(DATABASE)
        self.postgres.execute("postgres", f"drop database {DATABASE}")

    def log_text(self):
        with open(self.log, encoding="utf-8", errors="replace") as text:
            text.seek(self.log_start)
            return text.read()

    def count(self, tables):
        counts = [self.postgres.query(DATABASE, f'select count(*) from "{USER}"."{table}"')
                  for table in tables]
        return sum(rows for [(rows,)] in counts)


def run_wherry(command, task, rows_of):
    return run_program([WHERRY, *command, "--progress", "none", *task.flags()],
                       {"WHERRY_SOURCE_PASSWORD": PASSWORD,
                        "WHERRY_TARGET_PASSWORD": TARGET_PASSWORD}, rows_of)


def load_and_validate(sim, target, tables):
    """`wherry run` of the tables into a new database, then `wherry validate`."""
    with target.database() as url:
        rules = [selection(USER, table, rule_id) for rule_id, table in enumerate(tables, 1)]
        with contextlib.closing(Task(sim.url(), url, rules)) as task:
            load = run_wherry(["run", "--migration-type", "full-load"], task,
                              lambda _: target.count(tables))
            load.more["copy_cpu"], load.more["backend_cpu"] = copy_cpu(target.log_text())
            validate = run_wherry(["validate"], task, lambda _: load.rows)
    return load, validate


def cpu_ticks(process, with_children):
    fields = pathlib.Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(int(value) for value in fields[11:(15 if with_children else 13)])


class Server:
    """The CPU of a PostgreSQL server, which is no child of this process."""

    def __init__(self, postgres):
        self.postgres = postgres
        self.pid = int((postgres.directory / "pgdata" / "postmaster.pid").read_text().split()[0])
        postgres.execute("postgres", "alter system set autovacuum = off",
                         "select pg_reload_conf()")
        # A session is a child of the server, and so is what builds an index beside it.
        self.lasting = {str(row[0]) for row in postgres.query(
            "postgres", "select pid from pg_stat_activity where backend_type in ('checkpointer', "
            "'background writer', 'walwriter', 'logical replication launcher')")}

    def wait_for_quiet(self):
        """Until no session is left, and the server has taken in the times of all that ended."""
        children = pathlib.Path(f"/proc/{self.pid}/task/{self.pid}/children")
        end = time.monotonic() + QUIET_SECS
        while set(children.read_text().split()) - self.lasting:
            if time.monotonic() > end:
                raise SystemExit("sessions do not end")
            time.sleep(0.01)

    def settle(self):
        self.postgres.execute("postgres", "checkpoint")
        self.wait_for_quiet()

    def cpu(self):
        """CPU seconds, those of all sessions that have ended among them."""
        ticks = cpu_ticks(self.pid, True)
        return (ticks + sum(cpu_ticks(process, False) for process in self.lasting)) / TICK


def cpu_of(servers):
    """CPU seconds of the servers and of all children of this process that have ended."""
    times = os.times()
    return times.children_user + times.children_system + sum(server.cpu() for server in servers)


def measured(servers, run, clean_up=lambda: None):
    """Seconds that `run` takes, and CPU seconds up to the end of all sessions; `clean_up` ends those
    that would stay."""
    for server in servers:
        server.settle()
    before, started = cpu_of(servers), time.monotonic()
    run()
    wall = time.monotonic() - started
    clean_up()
    for server in servers:
        server.wait_for_quiet()
    return {"wall": wall, "cpu": cpu_of(servers) - before}


class DidNotEnd(Exception):
    """A program was still running after its time."""


def run_command(*command, env=None, limit_secs=DEADLINE_SECS):
    """In a session of its own: pgcopydb ends its whole process group when something goes wrong."""
    process = subprocess.Popen([str(part) for part in command], env={**os.environ, **(env or {})},
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                               start_new_session=True)
    try:
        output, _ = process.communicate(timeout=limit_secs)
    except subprocess.TimeoutExpired:
        raise DidNotEnd(f"{command[0]} did not end within {limit_secs} s") from None
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    if process.returncode != 0:
        raise SystemExit(f"{command[0]} ended with {process.returncode}\n{output[-3000:]}")


@dataclasses.dataclass
class Line:
    """A measurement beside its goal."""
    what: str
    ours: str
    reference: str
    value: float
    goal: float
    is_least: bool = False  # the goal is the least, not the most

    @property
    def is_met(self):
        return self.value >= self.goal if self.is_least else self.value <= self.goal


def ratio_of(samples, ours, theirs, what):
    """Rounds, not medians, are compared: the machine's other work changes slowly."""
    return statistics.median(a[what] / b[what] for a, b in zip(samples[ours], samples[theirs]))


def median_of(samples, what):
    return statistics.median(sample[what] for sample in samples)


def print_lines(lines):
    print("| what | Wherry | reference | value | goal | |\n|---|---|---|---|---|---|")
    for line in lines:
        goal = f"{'at least' if line.is_least else 'at most'} {line.goal:.3g}"
        print(f"| {line.what} | {line.ours} | {line.reference} | {line.value:.2f} | {goal} | "
              f"{'met' if line.is_met else 'missed'} |")


class Arrivals:
    """When rows become visible at the target: an always-firing trigger notifies at the commit."""

    def __init__(self, server, database):
        self.at = {}
        self._connection = server.connect(database)
        with self._connection.cursor() as cursor:
            cursor.execute("listen pulse")
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        while not self._ended.is_set():
            if not select.select([self._connection], [], [], 0.1)[0]:
                continue
            self._connection.poll()
            now = time.perf_counter()
            while self._connection.notifies:
                self.at.setdefault(int(self._connection.notifies.pop(0).payload), now)

    def close(self):
        self._ended.set()
        self._thread.join()
        self._connection.close()
