"""A private PostgreSQL cluster in a temporary directory."""
import contextlib
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile

import psycopg2

from support.process import Child

PASSWORD = "target-Secret-1"


def binaries():
    """The newest installed server's bin directory."""
    versions = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/postgres"),
                      key=lambda p: float(p.parent.parent.name))
    if not versions:
        raise AssertionError("no PostgreSQL server under /usr/lib/postgresql")
    return versions[-1].parent


def free_port():
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Postgres:
    """Runs as the account `postgres` when the tests run as root: the server refuses root."""

    def __init__(self, directory=None, settings=()):
        self.account = "postgres" if os.geteuid() == 0 else None
        self.directory = pathlib.Path(directory or tempfile.mkdtemp(prefix="wherry-pg-"))
        self.data = self.directory / "data"
        self.settings = list(settings)
        if self.account:
            entry = pwd.getpwnam(self.account)
            os.chown(self.directory, entry.pw_uid, entry.pw_gid)
        self._initialise()
        self.start()

    def _initialise(self):
        password_file = self.directory / "password"
        password_file.write_text(PASSWORD + "\n")
        password_file.chmod(0o644)
        identity = {"user": self.account, "group": self.account} if self.account else {}
        subprocess.run(
            [binaries() / "initdb", "-D", self.data, "-U", "postgres", "-A", "scram-sha-256",
             f"--pwfile={password_file}", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"],
            check=True, stdout=subprocess.DEVNULL, cwd="/", **identity)
        password_file.unlink()

    def start(self):
        for attempt in range(5):
            self.port = free_port()  # somebody else may take it before the server does
            options = ["listen_addresses=127.0.0.1", f"port={self.port}", "fsync=off",
                       f"unix_socket_directories={self.directory}", "shared_buffers=64MB",
                       "max_connections=60", "log_min_messages=fatal", *self.settings]
            self.server = Child(
                [binaries() / "postgres", "-D", self.data, *(f"-c{o}" for o in options)],
                user=self.account, death_signal=signal.SIGQUIT, cwd="/",
                env={**os.environ, "LC_ALL": "C"})
            try:
                self.server.wait_for_line(lambda l: "ready to accept connections" in l, 60, True)
                return
            except AssertionError:
                self.server.kill()
                if attempt == 4:
                    raise

    def crash(self):
        """Every process of the server ends at once, without a shutdown."""
        self.server.signal(signal.SIGQUIT)
        self.server.wait(30)

    def close(self):
        if self.server.is_running():
            self.crash()
        shutil.rmtree(self.directory, ignore_errors=True)

    def connect(self, database="postgres", user="postgres", password=PASSWORD):
        connection = psycopg2.connect(host="127.0.0.1", port=self.port, dbname=database, user=user,
                                      password=password)
        connection.autocommit = True
        return connection

    def create_database(self, name):
        with contextlib.closing(self.connect()) as connection:
            with connection.cursor() as cursor:
                cursor.execute(f'create database "{name}"')

    def query(self, database, sql, arguments=None):
        with contextlib.closing(self.connect(database)) as connection:
            with connection.cursor() as cursor:
                cursor.execute(sql, arguments)
                return cursor.fetchall() if cursor.description else None

    def url(self, database, user="postgres"):
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"
