"""The demo: it ends well, and leaves no process and no file behind however it ends."""
import contextlib
import fcntl
import os
import pathlib
import pty
import re
import select
import signal
import struct
import tempfile
import termios
import time
import unittest
import uuid

from support.paths import BUILD, LONG, ROOT
from support.process import Child

TABLES = {"SHOP.CUSTOMERS": 20_000, "SHOP.PRODUCTS": 2_000, "SHOP.ORDERS": 60_000,
          "SHOP.ORDER_LINES": 150_000, "SHOP.AUDIT_LOG": 5_001}
GROWING = ("SHOP.ORDERS", "SHOP.ORDER_LINES")  # by an order and a line each transaction


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


class DemoCase(unittest.TestCase):
    SCRIPT = "demo.sh"

    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="wherry-demo-test-")
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        self.directory.chmod(0o755)
        self.mark = f"WHERRY_TEST_MARK={uuid.uuid4()}"
        name, value = self.mark.split("=")
        self.demo = Child([ROOT / "scripts" / self.SCRIPT], death_signal=signal.SIGTERM, env={
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


class Demo(DemoCase):
    def test_the_shop_moves_under_writes_and_a_kill(self):
        self.assertEqual(self.demo.wait(300), 0, self.demo.output_tail())
        lines = self.demo.lines
        committed = int(self.line(r"(\d+) transactions committed")[1])
        self.assertGreater(committed, 0)
        self.assertEqual([l for l in lines if "foreign keys:" in l],
                         ["before: foreign keys: 3, triggers: 1",
                          "now:    foreign keys: 0, triggers: 0",
                          "now:    foreign keys: 3, triggers: 1"])
        looks = [l for l in lines if l.startswith("look ")]
        self.assertEqual(len(looks), 9)
        for look in looks:
            self.assertIn(": 20000000.00 in money, ", look)
        self.assertIn(f" {60_000 + committed} orders,", looks[-1])
        self.assertEqual([l for l in lines if l.startswith("letters")],
                         ["letters to the warehouse: 0", "letters to the warehouse: 1"])
        self.assert_summary(committed)
        self.assert_nothing_left()

    def line(self, pattern):
        [found] = filter(None, (re.fullmatch(pattern, l) for l in self.demo.lines))
        return found

    def assert_summary(self, committed):
        lines = self.demo.lines
        summary = lines[[i for i, l in enumerate(lines) if l.startswith("The shop has moved")][0]:]
        for table, rows in TABLES.items():
            [line] = [l for l in summary if l.startswith(table + " ")]
            self.assertIn(f" {rows + committed if table in GROWING else rows:,} ", line)
            self.assertTrue(line.endswith("Validated"), line)

    def test_interrupted_while_the_servers_start(self):
        self.interrupt(signal.SIGINT, "Starting a simulated Oracle")

    def test_interrupted_during_the_load(self):
        self.interrupt(signal.SIGINT, "wherry run")

    def test_interrupted_while_changes_are_followed(self):
        self.interrupt(signal.SIGINT, "look 3")

    def test_terminated_during_the_comparison(self):
        self.interrupt(signal.SIGTERM, "wherry validate")


class DemoOfChanges(DemoCase):
    SCRIPT = "demo_postgres.sh"

    def test_the_shop_moves_under_writes_and_a_kill(self):
        self.assertEqual(self.demo.wait(300), 0, self.demo.output_tail())
        self.assertEqual(len([l for l in self.demo.lines if l.endswith(" Validated")]), 4)
        looks = [l for l in self.demo.lines if l.startswith("look ")]
        self.assertEqual(len(looks), 3)
        for look in looks:
            self.assertIn(": 20000000.00, ", look)
        self.assert_nothing_left()

    @unittest.skipUnless(LONG, "make test-long runs it")
    def test_interrupted_while_changes_are_followed(self):
        self.interrupt(signal.SIGINT, "look 1")


class OnATerminal(unittest.TestCase):
    """The same with bars, and with Ctrl-C as a terminal sends it: to the foreground's group."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="wherry-demo-tty-")
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        self.directory.chmod(0o755)
        self.mark = f"WHERRY_TEST_MARK={uuid.uuid4()}"

    def start(self, *command, columns=100):
        name, value = self.mark.split("=")
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.environ.update({"BUILD": str(BUILD), "TMPDIR": str(self.directory), name: value,
                               "TERM": "xterm"})
            os.execv(command[0], command)
        self.addCleanup(os.close, self.terminal)
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        self.text = ""

    def read_until(self, is_reached, deadline_secs=120):
        """Reads on until the predicate holds or the program has ended."""
        end = time.monotonic() + deadline_secs
        while not is_reached():
            ready, _, _ = select.select([self.terminal], [], [], 0.02)
            self.assertLess(time.monotonic(), end, self.text[-2000:])
            if not ready:
                continue
            try:
                data = os.read(self.terminal, 65536)
            except OSError:  # EIO: the last process has closed its end
                return
            if not data:
                return
            self.text += data.decode(errors="replace")

    def finish(self, deadline_secs=120):
        self.read_until(lambda: False, deadline_secs)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def assert_nothing_left(self):
        DemoCase.assert_nothing_left(self)

    def interrupt_when(self, is_reached, *command):
        self.start(*(command or [str(ROOT / "scripts" / "demo.sh")]))
        self.read_until(is_reached)
        os.write(self.terminal, b"\x03")
        self.assertEqual(self.finish(60), 130, self.text[-2000:])
        self.assert_nothing_left()

    def has_file(self, name):
        """Files stay, so that a busy machine does not miss them as it would a short process."""
        return any(self.directory.rglob(name))

    def test_bars_and_the_closing_summary(self):
        self.start(str(ROOT / "scripts" / "demo.sh"))
        self.assertEqual(self.finish(300), 0, self.text[-2000:])
        self.assertIn("█", self.text)
        summary = self.text[self.text.index("The shop has moved"):]
        for table, rows in TABLES.items():
            shown = r"[\d,]+" if table in GROWING else f"{rows:,}"
            self.assertRegex(summary, rf"{table} +{shown} .* Validated")
        self.assert_nothing_left()

    def test_interrupted_at_once(self):
        self.interrupt_when(lambda: "Starting a simulated" in self.text)

    def test_interrupted_during_initdb(self):
        self.interrupt_when(lambda: self.has_file("PG_VERSION"))

    def test_interrupted_when_the_server_has_just_started(self):
        self.interrupt_when(lambda: self.has_file("postmaster.pid"))

    def test_interrupted_during_the_load_of_wherry_demo(self):
        self.interrupt_when(lambda: "full load" in self.text, str(BUILD / "wherry"), "demo")

    def test_interrupted_during_the_comparison(self):
        self.interrupt_when(lambda: "validating" in self.text)

    @unittest.skipUnless(LONG, "the long form only")
    def test_interrupted_at_any_moment(self):
        started = time.monotonic()
        self.start(str(ROOT / "scripts" / "demo.sh"))
        self.assertEqual(self.finish(300), 0, self.text[-2000:])
        whole_secs = time.monotonic() - started
        interrupted = 0
        for part in range(40):
            with self.subTest(part=part):
                interrupted += self.interrupt_after(whole_secs * part / 40)
        self.assertGreaterEqual(interrupted, 30)

    def interrupt_after(self, secs):
        """False when the demo was done before: a run may be faster than the one that was timed."""
        end = time.monotonic() + secs
        self.start(str(ROOT / "scripts" / "demo.sh"))
        self.read_until(lambda: time.monotonic() > end)
        with contextlib.suppress(OSError):  # it may have ended
            os.write(self.terminal, b"\x03")
        status = self.finish(60)
        self.assert_nothing_left()
        if status == 0:
            self.assertIn("The shop has moved", self.text)
        else:
            self.assertEqual(status, 130, self.text[-2000:])
        return status != 0


if __name__ == "__main__":
    unittest.main()
