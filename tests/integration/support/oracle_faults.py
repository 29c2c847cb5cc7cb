"""The test with faults at an Oracle source: a simulator that keeps its data, and what is done to it."""
import shutil
import tempfile

from support import orasim
from support.faults import Rig
from support.oracle_fault_writers import incompressible
from support.wherry import lowercase, selection

SMALL_LOGS = 'alter system set "_orasim_log_bytes" = 65536'
ROWS_AT_ONCE = 1000


class DurableOrasim(orasim.Orasim):
    """Logs are small, so they are left, archived and used again all the time."""

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="wherry-orasim-")
        super().__init__("--data", self.directory)

    def start(self):
        super().start()
        self.execute(SMALL_LOGS)

    def shut_down(self):
        super().close()

    def close(self):
        super().close()
        shutil.rmtree(self.directory, ignore_errors=True)


class OracleRig(Rig):
    RULES = [selection(orasim.USER), lowercase("schema", 2), lowercase("table", 3),
             lowercase("column", 4)]
    SOURCE_PASSWORD = orasim.PASSWORD

    def _source_url(self):
        return f"oracle://{orasim.USER}@127.0.0.1:{self.source_gate.port}/{orasim.SERVICE}"

    def at_source(self, *statements):
        self.source.execute(*(statement.replace("app.", "") for statement in statements))

    def alter(self):
        """Once, while the task runs and has caught up: rows between two statements that the task has
        seen none of cannot be read."""
        if self.chooser.random() < 0.5:
            writer = self.writers[0]
            writer.alters = True
            self.wait_until(lambda: not writer.alters, "a definition changes")
            self.at_source(f"insert into altered (id) values (-{self.marks})")

    def _write_much(self):
        with self.source.connect() as connection, connection.cursor() as cursor:
            cursor.executemany("insert into bulk (pad) values (:1)", incompressible(ROWS_AT_ONCE))
            connection.commit()

    def _wait_for_flush(self):
        """Twice, for the first one may have been on its way already."""
        for _ in range(2):
            self.wait_for_target()
            (now,), = self.target.query(self.database, "select clock_timestamp()")
            self.at_source("insert into bulk (pad) values ('flush')")
            self.wait_until(lambda: self.target.query(
                self.database, "select 1 from wherry_checkpoint where lane = -1 and written_at > %s",
                [now]), "the target is flushed")

    def _end_source_sessions(self):
        self.source_gate.cut_now()
