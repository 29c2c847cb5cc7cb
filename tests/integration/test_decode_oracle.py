"""`wherry debug decode-oracle` on captures that are made here: sessions of independent drivers with
every generation of orasim leave no byte undecoded, and a large capture takes little memory.
"""
import collections
import gzip
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import oracledb

from support import peers
from support.paths import BUILD, LONG, WHERRY
from support.recorder import PcapWriter, Recorder

# Oldest first; the short form takes those whose layouts differ most.
GENERATIONS = (("11.2", "12.1", "12.2", "18c", "19c", "21c", "23ai", "26ai") if LONG else
               ("11.2", "12.1", "19c", "21c", "23ai"))
# A virtual machine of Java takes its time; the layouts of the others lie between these.
JDBC_GENERATIONS = GENERATIONS if LONG else ("11.2", "19c", "21c")
# Bytes of the large capture, and what decoding it may take. The process itself takes about 20 MiB.
LARGE_BYTES = (520 if LONG else 24) << 20
MEMORY_MIB = 32
PEAK_MIB = 64

# Runs a program and prints its peak of memory last; small, as a process counts its parent's memory
# until it is another program.
MEASURE = """
import os, sys
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(pid, 0)
print(usage.ru_maxrss, file=sys.stderr)
sys.exit(os.waitstatus_to_exitcode(status))
"""

PYTHON_WORKLOAD = pathlib.Path(__file__).with_name("support") / "python_session.py"


def decode(path):
    done = subprocess.run([WHERRY, "debug", "decode-oracle", path], capture_output=True,
                          timeout=300, check=False)
    if done.returncode != 0:
        raise AssertionError(done.stderr.decode(errors="replace"))
    return [json.loads(line) for line in done.stdout.splitlines()]


class RecordedSessions(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)

    def record(self, generation, run, *arguments):
        """What `run` (given an address like a Server's) said to a new server, decoded."""
        server = peers.Server("--emulate", generation, *arguments)
        path = os.path.join(self.directory.name, f"{generation}.pcap")
        try:
            recorder = Recorder("127.0.0.1", server.port, PcapWriter(path))
            try:
                run(recorder)
            finally:
                recorder.close()
        finally:
            server.close()
        return decode(path)

    def check(self, messages, name):
        for message in messages:
            self.assertNotIn(message["message"], ("undecoded", "missing", "skipped frames"),
                             f"{name}: {json.dumps(message)[:600]}")
        kinds = collections.Counter(message["message"] for message in messages)
        self.assertGreater(kinds["execute"], 0, name)
        return kinds

    def python_session(self, python, recorder):
        done = subprocess.run([python, PYTHON_WORKLOAD, recorder.address, peers.SERVICE,
                               peers.USER, peers.PASSWORD], capture_output=True, timeout=150,
                              check=False)
        self.assertEqual(done.returncode, 0, done.stderr.decode(errors="replace"))

    def test_python_oracledb(self):
        for generation in GENERATIONS[1:]:
            messages = self.record(generation,
                                   lambda recorder: self.python_session(sys.executable, recorder))
            kinds = self.check(messages, generation)
            for kind in ("describe", "row data", "out binds", "lob data", "error", "commit"):
                self.assertGreater(kinds[kind], 0, f"{generation}: {kind}")

    def test_python_oracledb_from_pypi(self):
        python = peers.path("python", "bin", "python")
        for generation in GENERATIONS[1:]:
            self.check(self.record(generation,
                                   lambda recorder: self.python_session(python, recorder)),
                       generation)

    def peer_program(self, command, generation, *arguments):
        program = peers.Program(command)
        outcome = {}
        messages = self.record(generation, lambda recorder: outcome.update(
            program.run(recorder, generation)), *arguments)
        self.check(messages, f"{command[0]} {generation}")

    def test_go_ora(self):
        for generation in GENERATIONS:
            self.peer_program([peers.path("go_ora", "go_ora_peer")], generation,
                              "--encryption", "rejected", "--checksum", "rejected")

    def test_jdbc(self):
        driver, classes = peers.path("jdbc", "ojdbc11.jar"), peers.path("jdbc", "classes")
        for generation in JDBC_GENERATIONS:
            self.peer_program(["java", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-cp",
                               os.pathsep.join((str(classes), str(driver))), "JdbcPeer"],
                              generation, "--encryption", "rejected", "--checksum", "rejected")

    def test_node_oracledb(self):
        modules = BUILD / "node" / "node_modules"
        if not modules.exists():
            missing = "node-oracledb is not installed (scripts/install_node_driver.sh)"
            self.assertFalse(peers.are_expected(), missing)
            self.skipTest(missing)
        script = pathlib.Path(__file__).with_name("support") / "node_session.js"
        environment = dict(os.environ, NODE_PATH=str(modules))
        for generation in GENERATIONS[1:]:
            def run(recorder):
                done = subprocess.run(["node", script, recorder.address, peers.SERVICE, peers.USER,
                                       peers.PASSWORD], capture_output=True, timeout=150,
                                      check=False, env=environment)
                self.assertEqual(done.returncode, 0, done.stderr.decode(errors="replace"))
            self.check(self.record(generation, run), generation)


class BrokenInput(unittest.TestCase):
    """What is no capture is an error that names the file; what is one and ends early is read."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = directory.name

    def run_on(self, content, name="file"):
        path = os.path.join(self.directory, name)
        if content is not None:
            pathlib.Path(path).write_bytes(content)
        return subprocess.run([WHERRY, "debug", "decode-oracle", path], capture_output=True,
                              timeout=60, check=False), path

    def assert_refused(self, content, code, name="file"):
        done, path = self.run_on(content, name)
        self.assertEqual((2, b""), (done.returncode, done.stdout), done.stderr)
        self.assertIn(path.encode(), done.stderr)
        self.assertIn(f"[{code}]".encode(), done.stderr)

    def test_files_that_are_no_captures(self):
        self.assert_refused(None, "debug.cannot_read", "nosuch")
        self.assert_refused(None, "debug.cannot_read", "")  # the directory
        self.assert_refused(b"", "oracle.capture_empty")
        self.assert_refused(b"# a comment\n", "oracle.capture_empty")
        self.assert_refused(gzip.compress(b"# direction=client\n00\n"),
                            "oracle.capture_compressed")

    def test_text_that_ends_early(self):
        whole = b"# direction=client flow=0 n=7\n000d000006000000000003930100\n"
        for size in range(31, len(whole)):
            done, _ = self.run_on(whole[:size])
            self.assertEqual(0, done.returncode, done.stderr)
            for line in done.stdout.splitlines():
                self.assertEqual((7, "client"), tuple(json.loads(line)[key]
                                                      for key in ("n", "direction")))

    def test_packet_files_that_end_early(self):
        header = bytes.fromhex("d4c3b2a1020004000000000000000000ffff000001000000")
        for size in range(4, len(header)):
            done, _ = self.run_on(header[:size])
            self.assertEqual(0, done.returncode, done.stderr)
            self.assertEqual("damaged file", json.loads(done.stdout)["message"])
        self.assert_refused(header, "oracle.capture_empty")


class Turns:
    """Stands for a PcapWriter: keeps what each side said until the other spoke."""

    def __init__(self):
        self.list = []  # (from_client, bytes)

    def open(self, port):
        pass

    def data(self, _port, from_client, data):
        if self.list and self.list[-1][0] == from_client:
            data = self.list.pop()[1] + data
        self.list.append((from_client, data))

    def segment(self, *_):
        pass

    def close(self):
        pass


class LargeCaptures(unittest.TestCase):
    """Sessions repeated until they are many times what may be kept in memory."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.path = os.path.join(directory.name, "large.pcap")

    def recorded_turns(self, rows, bytes_a_row):
        """A session that fetches so many rows at once."""
        server = peers.Server("--emulate", "19c")
        self.addCleanup(server.close)
        turns = Turns()
        recorder = Recorder("127.0.0.1", server.port, turns)
        with oracledb.connect(user=peers.USER, password=peers.PASSWORD,
                              dsn=f"{recorder.address}/{peers.SERVICE}") as connection:
            cursor = connection.cursor()
            cursor.arraysize = rows
            cursor.execute(f"select level, rpad(level, {bytes_a_row}, 'x') from dual "
                           f"connect by level <= {rows + 2}")
            self.assertEqual(len(cursor.fetchall()), rows + 2)
        recorder.close()
        return turns.list

    def decode_large(self):
        command = [sys.executable, "-c", MEASURE, str(WHERRY), "debug", "decode-oracle",
                   "--memory-mib", str(MEMORY_MIB), self.path]
        lines = undecoded = 0
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            for line in process.stdout:
                lines += 1
                undecoded += any(word in line[:200] for word in (b'"undecoded"', b'"missing"'))
            errors = process.stderr.read().decode()
        self.assertEqual(process.returncode, 0, errors)
        self.assertEqual(undecoded, 0)
        peak_mib = int(errors.split()[-1]) / 1024
        print(f"{os.path.getsize(self.path) >> 20} MiB: {lines} lines, peak {peak_mib:.0f} MiB")
        self.assertLess(peak_mib, PEAK_MIB)

    def test_many_connections(self):
        turns = self.recorded_turns(1000, 200)
        writer = PcapWriter(self.path)
        written, port = 0, 20000
        while written < LARGE_BYTES:
            # Eight connections at a time, mixed.
            ports = range(port, port + 8)
            port = port + 8 if port < 60000 else 20000
            for each in ports:
                writer.open(each)
            for from_client, data in turns:
                for each in ports:
                    writer.data(each, from_client, data)
                    written += len(data)
        writer.close()
        self.decode_large()

    def test_large_answers_of_one_connection(self):
        """Each is more than is kept of a turn."""
        turns = self.recorded_turns(8000, 1000)
        answer = max(range(len(turns)), key=lambda index: len(turns[index][1]))
        self.assertGreater(len(turns[answer][1]), MEMORY_MIB << 16)
        writer = PcapWriter(self.path)
        writer.open(20000)
        written = 0
        for turn in turns[:answer - 1]:
            writer.data(20000, *turn)
        while written < LARGE_BYTES:
            for turn in turns[answer - 1:answer + 1]:
                writer.data(20000, *turn)
                written += len(turn[1])
        writer.close()
        self.decode_large()
