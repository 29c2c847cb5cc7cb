"""What goes wrong around a task that follows changes: each fault is done to a Rig and undone."""
import os
import pathlib
import signal
import subprocess
import tempfile
import threading
import time

from support.postgres import PASSWORD
from support.proxy import Proxy
from support.wherry import Task, selection

DEADLINE_SECS = 180
INCOMPRESSIBLE = ("insert into app.bulk (pad) select (select string_agg(md5(random()::text || i), "
                  "'') from generate_series(n, n + 60) i) from generate_series(1, 1000) n")
CACHED = '"phase":"cached changes"'
ONGOING = '"phase":"ongoing replication"'
# Places where a task is killed: while it begins and loads, and while it applies changes.
BEGIN = ("task.prepared", "task.begun", "load.started", "load.before_commit", "load.after_commit",
         "load.all_rows", "load.after_key", "task.loaded", "changes.loaded", "changes.consistent")
APPLY = ("apply.execute", "apply.before_commit", "apply.after_commit")
MODES = {"1 lane": {}, "2 lanes": {"ParallelApplyThreads": 2}, "8 lanes": {"ParallelApplyThreads": 8},
         "batch": {"BatchApplyEnabled": True}}


def settings(mode, prep):
    """Whatever is applied twice or missing stops the task."""
    return {"TargetMetadata": MODES[mode],
            "FullLoadSettings": {"TargetTablePrepMode": prep, "MaxFullLoadSubTasks": 4},
            # A share of it that is smaller than a batch would keep lanes from running beside each other.
            "ChangeProcessingTuning": {"MemoryLimitTotal": 32 if "lanes" in mode else 8,
                                       "BatchApplyMemoryLimit": 2,
                                       "BatchApplyTimeoutMin": 0, "BatchApplyTimeoutMax": 1},
            "ErrorBehavior": {"RecoverableErrorInterval": 1, "RecoverableErrorThrottling": False,
                              "RecoverableErrorCount": 100,
                              "FullLoadIgnoreConflicts": False, "DataErrorPolicy": "STOP_TASK",
                              "ApplyErrorInsertPolicy": "STOP_TASK",
                              "ApplyErrorUpdatePolicy": "STOP_TASK",
                              "ApplyErrorDeletePolicy": "STOP_TASK",
                              "TableErrorPolicy": "STOP_TASK"}}


class SmallDisk:
    """A file system of its own, where the system lets us have one, which fills up."""

    def __init__(self, megabytes):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="wherry-disk-"))
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "wherry-test",
                               self.directory], capture_output=True, text=True, check=False)
        self.missing = done.stderr.strip() if done.returncode else ""

    def fill(self):
        with open(self.directory / "filler", "ab", buffering=0) as file:
            for size in (65536, 512):
                try:
                    while file.write(b"x" * size) == size:
                        pass
                except OSError:
                    pass

    def empty(self):
        (self.directory / "filler").unlink()

    def close(self):
        if not self.missing:
            subprocess.run(["umount", "-l", self.directory], check=False)
        os.rmdir(self.directory)


class Rig:
    """A task between two servers, both behind proxies, its state on a disk of its own, and what is
    done to them, while `writers` write to the source. Of a source are RULES, SOURCE_PASSWORD and the
    methods that raise NotImplementedError here."""

    RULES = SOURCE_PASSWORD = None

    def __init__(self, source, target, database, prep, chooser):
        self.source, self.target, self.database = source, target, database
        self.chooser, self._prep = chooser, prep
        self.source_gate = Proxy("127.0.0.1", source.port)
        self.target_gate = Proxy("127.0.0.1", target.port)
        self.task = Task(self._source_url(), self._url(target, self.target_gate), self.RULES)
        self.task.migration_type = "full-load-and-cdc"
        self.disk = SmallDisk(24)
        if not self.disk.missing:
            self.task.state = self.disk.directory / "state"
        self.modes = list(MODES)
        self.mode = None
        self.run = None
        self.marks = 0
        self.writers = []
        self.done = []  # faults, for whom a failure is shown

    def _url(self, server, gate):
        return f"postgresql://{server.user}@127.0.0.1:{gate.port}/{self.database}"

    def close(self):
        if self.run is not None:
            self.run.child.kill()
        self._forget()
        for part in (self.source_gate, self.target_gate, self.task, self.disk):
            part.close()

    # --- the source

    def _source_url(self):
        raise NotImplementedError

    def at_source(self, *statements):
        raise NotImplementedError

    def _forget(self):
        """What the source keeps for the task is given up."""

    def has_no_snapshot(self):
        """Whether those of the load have ended."""
        return True

    def let_alter(self):
        """Definitions may change from now on."""

    def alter(self):
        """Definitions change, where that may not happen at any moment."""

    def _write_much(self):
        """What a disk has no room for, into app.bulk."""
        raise NotImplementedError

    def _wait_for_flush(self):
        """What the cache had is on the target for good: it may begin anew."""
        raise NotImplementedError

    def _end_source_sessions(self):
        raise NotImplementedError

    # --- the task

    def start(self, failpoint=None, more=()):
        self.mode = self.chooser.choice(self.modes)
        self.task.settings = self.task._write("settings.json", settings(self.mode, self._prep))
        environment = {"WHERRY_FAILPOINT": failpoint} if failpoint else {}
        self.run = self.task.start(*more, source_password=self.SOURCE_PASSWORD,
                                   environment=environment)

    def end(self, *statuses):
        self.run.finish(DEADLINE_SECS)
        if self.run.status not in statuses:
            raise AssertionError(f"exit status {self.run.status}\n{self.tail()}")

    def tail(self):
        child = self.run.child
        return "\n".join(child.lines[-2:] + list(child.errors)[-10:])

    def wait_for_ongoing(self):
        self.run.child.wait_for_line(lambda line: CACHED in line, DEADLINE_SECS)
        self.hold_writers()
        self.run.child.wait_for_line(lambda line: ONGOING in line, DEADLINE_SECS)
        for writer in self.writers:
            writer.go_on()

    def wait_for_target(self):
        """Until a row that the source gets now is on the target."""
        self.hold_writers()
        self.marks += 1
        self.at_source(f"insert into app.marks values ({self.marks})")
        self.wait_until(lambda: self.target.query(
            self.database, f"select 1 from app.marks where id = {self.marks}"), "the target follows")
        for writer in self.writers:
            writer.go_on()

    def hold_writers(self):
        """On a small machine a task of several lanes would fall behind them ever more."""
        for writer in self.writers:
            writer.hold()

    def wait_until(self, holds, what, meanwhile=lambda: None):
        end = time.monotonic() + DEADLINE_SECS
        while not holds():
            meanwhile()
            for writer in self.writers:
                writer.check()
            if not self.run.child.is_running():
                raise AssertionError(f"the task ended by itself: "
                                     f"{self.run.finish().status}\n{self.tail()}")
            if time.monotonic() > end:
                raise AssertionError(f"not within {DEADLINE_SECS} s: {what}\n{self.tail()}")
            threading.Event().wait(0.02)

    def wait_for_writers(self, transactions=20):
        """While the application goes on."""
        enough = self.written() + transactions
        self.wait_until(lambda: self.written() >= enough, "writers go on")

    def written(self):
        return sum(writer.transactions for writer in self.writers)

    # --- faults

    def kill(self):
        self.run.child.signal(signal.SIGKILL)
        self.end(-signal.SIGKILL)
        self.start()

    def kill_at_a_place(self):
        """The next run dies between two steps."""
        self.run.child.signal(signal.SIGKILL)
        self.end(-signal.SIGKILL)
        place = self.chooser.choice(APPLY)
        self.start(f"{place}:{self.chooser.randint(1, 15)}")
        self.end(-signal.SIGKILL)
        self.start()

    def stop(self):
        number = self.chooser.choice((signal.SIGTERM, signal.SIGINT))
        self.run.child.signal(number)
        self.end(0, -number)  # which may not have begun to listen
        self.start()

    def stop_when_caught_up(self):
        self.run.child.signal(signal.SIGTERM)
        self.end(0, -signal.SIGTERM)
        self.start(more=("--stop-when", "caught-up"))
        self.end(0)

    def freeze(self):
        self.run.child.signal(signal.SIGSTOP)
        self.wait_for_writers(self.chooser.choice((20, 100)))
        self.run.child.signal(signal.SIGCONT)

    def _gate(self):
        return self.chooser.choice((self.source_gate, self.target_gate))

    def cut_at_a_byte(self):
        gate = self._gate()
        side = self.chooser.choice(("server", "client"))
        # A reader of changes says little.
        most = 100 if gate is self.source_gate and side == "client" else 20_000
        gate.cut_after(self.chooser.randint(0, self.chooser.choice((100, most))), side)
        self.wait_until(gate.has_cut, "a connection is cut")

    def cut_all(self):
        self._gate().cut_now()

    def stall(self):
        gate = self._gate()
        gate.stall()
        self.wait_for_writers(self.chooser.choice((20, 60)))
        if self.chooser.random() < 0.5:
            gate.cut_now()
        gate.go_on()

    def restart_source(self):
        self._restart(self.source, self.source_gate)

    def restart_target(self):
        self._restart(self.target, self.target_gate)

    def _restart(self, server, gate):
        if self.chooser.random() < 0.5:
            server.crash()
        else:
            server.shut_down()
        server.start()
        gate.redirect(server.port)

    def end_sessions(self):
        if self.chooser.random() < 0.5:
            self._end_source_sessions()
        else:
            self._end_sessions_of(self.target)

    def _end_sessions_of(self, server):
        server.execute("postgres", "select pg_terminate_backend(pid) from pg_stat_activity where "
                       f"datname = '{self.database}' and application_name like 'wherry%'")

    def fill_disk(self):
        """Changes wait on a full disk, because the target does not take them."""
        if self.disk.missing:
            raise AssertionError("no disk to fill")
        self.wait_for_target()
        self._wait_for_flush()
        self.target_gate.stall()
        try:
            self.wait_until(self._is_paused, "reading is paused", meanwhile=self._fill_more)
        finally:
            self.disk.empty()
            self.target_gate.go_on()

    def _fill_more(self):
        """Files that the task no longer needs make room at first."""
        self.disk.fill()
        self._write_much()

    def _is_paused(self):
        return any('"is_paused":true' in line for line in self.run.child.lines[-3:])

    FAULTS = (kill, kill_at_a_place, stop, freeze, cut_at_a_byte, cut_all, stall, restart_source,
              restart_target, end_sessions, fill_disk)


class PostgresRig(Rig):
    RULES, SOURCE_PASSWORD = [selection("app")], PASSWORD

    def _source_url(self):
        return self._url(self.source, self.source_gate)

    def at_source(self, *statements):
        self.source.execute(self.database, *statements)

    def _forget(self):
        """A walsender needs a moment to end."""
        slots = "from pg_replication_slots where database = current_database()"
        end = time.monotonic() + DEADLINE_SECS
        while self.source.query(self.database, f"select 1 {slots}") and time.monotonic() < end:
            self.at_source(f"select pg_drop_replication_slot(slot_name) {slots} and not active")

    def has_no_snapshot(self):
        return not self.source.query(
            self.database, "select 1 from pg_stat_activity where datname = current_database() and "
            "application_name like 'wherry%' and state = 'idle in transaction'")

    def let_alter(self):
        self.writers[0].may_alter = True

    def _write_much(self):
        self.at_source(INCOMPRESSIBLE)

    def _wait_for_flush(self):
        for _ in range(2):
            there, = self.source.query(self.database, "select pg_current_wal_lsn()")[0]
            self.at_source("insert into app.bulk (pad) values ('flush')")
            self.wait_until(lambda: self.source.query(
                self.database, "select 1 from pg_replication_slots where database = "
                "current_database() and confirmed_flush_lsn > %s", [there]), "the target is flushed")

    def _end_source_sessions(self):
        self._end_sessions_of(self.source)
