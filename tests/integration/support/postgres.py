"""A private PostgreSQL cluster in a temporary directory, by scripts/pg_cluster.sh."""
import contextlib
import os
import pathlib
import select
import shutil
import signal
import subprocess
import tempfile
import urllib.parse

import psycopg2

from support.paths import ROOT

SCRIPT = ROOT / "scripts" / "pg_cluster.sh"
PASSWORD = "wherry-test"  # pg_cluster.sh gives it


class Postgres:
    """Its watcher ends the cluster when this process is gone, however that happens. `tree`: where a
    server of another version is."""

    def __init__(self, directory=None, tree=None):
        self.environment = {**os.environ, **({"WHERRY_POSTGRES": str(tree)} if tree else {})}
        self.directory = pathlib.Path(directory or tempfile.mkdtemp(prefix="wherry-pg-"))
        self.directory.chmod(0o755)
        self.start()

    def start(self):
        done = subprocess.run([SCRIPT, "start", self.directory, str(os.getpid())], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120,
                              env=self.environment)
        if done.returncode != 0:
            raise AssertionError(f"pg_cluster.sh failed:\n{done.stderr}")
        url = urllib.parse.urlsplit(done.stdout.strip())
        self.port, self.user = url.port, url.username

    def crash(self):
        """Every process of the server ends at once, without a shutdown."""
        self._end(signal.SIGQUIT)

    def shut_down(self):
        """Sessions are ended, and what is in memory is written."""
        self._end(signal.SIGINT)

    def _end(self, number):
        pid = int((self.directory / "pgdata" / "postmaster.pid").read_text().split()[0])
        handle = os.pidfd_open(pid)
        try:
            os.kill(pid, number)
            ended, _, _ = select.select([handle], [], [], 60)
        finally:
            os.close(handle)
        if not ended:
            raise AssertionError("PostgreSQL did not stop within 60 s")

    def close(self):
        subprocess.run([SCRIPT, "stop", self.directory], stdout=subprocess.DEVNULL,
                       env=self.environment, stderr=subprocess.DEVNULL, timeout=600, check=False)
        shutil.rmtree(self.directory, ignore_errors=True)

    def connect(self, database="postgres", user=None, password=PASSWORD):
        connection = psycopg2.connect(host="127.0.0.1", port=self.port, dbname=database,
                                      user=user or self.user, password=password)
        connection.autocommit = True
        return connection

    def execute(self, database, *statements):
        with contextlib.closing(self.connect(database)) as connection:
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)

    def create_database(self, name):
        self.execute("postgres", f'create database "{name}"')

    def query(self, database, sql, arguments=None):
        with contextlib.closing(self.connect(database)) as connection:
            with connection.cursor() as cursor:
                cursor.execute(sql, arguments)
                return cursor.fetchall()

    def url(self, database, user=None):
        return f"postgresql://{user or self.user}@127.0.0.1:{self.port}/{database}"
