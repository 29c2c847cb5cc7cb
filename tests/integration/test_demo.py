"""The demo: it ends well, and leaves no process and no file behind however it ends."""
import os
import pathlib
import select
import signal
import tempfile
import time
import unittest
import uuid

from support.paths import BUILD, ROOT
from support.process import Child

TABLES = {"SHOP.CUSTOMERS": 20_000, "SHOP.PRODUCTS": 2_000, "SHOP.ORDERS": 60_000,
          "SHOP.ORDER_LINES": 150_000, "SHOP.AUDIT_LOG": 5_001}


def processes_with(mark):
    """Ids of processes that inherited `mark` in their environment, the dying ones left out."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if mark.encode() in (entry / "environ").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


class Demo(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="wherry-demo-test-")
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        self.directory.chmod(0o755)
        self.mark = f"WHERRY_TEST_MARK={uuid.uuid4()}"
        name, value = self.mark.split("=")
        self.demo = Child([ROOT / "scripts" / "demo.sh"], death_signal=signal.SIGTERM, env={
            **os.environ, "BUILD": str(BUILD), "TMPDIR": str(self.directory), name: value})

    def assert_nothing_left(self):
        end = time.monotonic() + 30
        for pid in processes_with(self.mark):
            try:
                handle = os.pidfd_open(pid)
            except ProcessLookupError:
                continue
            ended, _, _ = select.select([handle], [], [], max(0.0, end - time.monotonic()))
            os.close(handle)
            self.assertTrue(ended, f"process {pid} is still there")
        self.assertEqual(processes_with(self.mark), [])
        self.assertEqual(list(self.directory.iterdir()), [])

    def interrupt(self, number, line):
        self.demo.wait_for_line(lambda text: line in text, 120)
        self.demo.signal(number)
        self.assertEqual(self.demo.wait(60), 128 + number, self.demo.output_tail())
        self.assert_nothing_left()

    def test_the_shop_moves_and_is_equal(self):
        self.assertEqual(self.demo.wait(300), 0, self.demo.output_tail())
        summary = self.demo.lines[[i for i, l in enumerate(self.demo.lines)
                                   if l.startswith("The shop has moved")][0]:]
        for table, rows in TABLES.items():
            [line] = [l for l in summary if l.startswith(table + " ")]
            self.assertIn(f" {rows:,} ", line)
            self.assertTrue(line.endswith("Validated"), line)
        self.assert_nothing_left()

    def test_interrupted_while_the_servers_start(self):
        self.interrupt(signal.SIGINT, "Starting a simulated Oracle")

    def test_interrupted_during_the_load(self):
        self.interrupt(signal.SIGINT, "wherry run")

    def test_terminated_during_the_comparison(self):
        self.interrupt(signal.SIGTERM, "wherry validate")


if __name__ == "__main__":
    unittest.main()
