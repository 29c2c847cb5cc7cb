"""The Oracle simulator as a child process, and connections to it by python-oracledb."""
import signal

import oracledb

from support.paths import ORASIM
from support.process import Child

USER = "APP"
PASSWORD = "source-Secret-1"
SERVICE = "SIMPDB1"


class Orasim:
    def __init__(self, *arguments, users=((USER, PASSWORD),), listen="127.0.0.1:0"):
        self._command = [ORASIM, "--listen", listen, "--service", SERVICE, *arguments]
        for user, password in users:
            self._command += ["--user", f"{user}/{password}"]
        self.start()

    def start(self):
        """Again too, after crash() or close(): with --data where it was, but for its port."""
        self.server = Child(self._command)
        ready = self.server.wait_for_line(lambda line: line.startswith("ready "), 60)
        self.host, port = ready.removeprefix("ready ").rsplit(":", 1)
        self.port = int(port)

    @property
    def dsn(self):
        return f"{self.host}:{self.port}/{SERVICE}"

    def url(self, user=USER, service=SERVICE):
        return f"oracle://{user}@{self.host}:{self.port}/{service}"

    def connect(self, user=USER, password=PASSWORD):
        return oracledb.connect(user=user, password=password, dsn=self.dsn)

    def execute(self, *statements, user=USER, password=PASSWORD):
        """Runs the statements in one session and commits."""
        with self.connect(user, password) as connection:
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
            connection.commit()

    def query(self, sql, user=USER, password=PASSWORD):
        with self.connect(user, password) as connection:
            with connection.cursor() as cursor:
                return cursor.execute(sql).fetchall()

    def crash(self):
        self.server.signal(signal.SIGKILL)
        self.server.wait(30)

    def close(self):
        if self.server.is_running():
            self.server.terminate()
