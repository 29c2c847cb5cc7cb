"""The independent drivers that scripts/install_peers.sh puts into $BUILD/peers."""
import functools
import os
import subprocess
import sys
import unittest

from support.paths import BUILD
from support.process import Child

ORASIM = os.environ.get("ORASIM", str(BUILD / "orasim"))
SERVICE = "PEERTEST"
USER, PASSWORD = "drv", "Pass word-1"
# Seconds one run of a peer's program may take; a cold virtual machine on a busy one is slow.
LIMIT_SECS = 150


def are_expected():
    """Whether a missing peer is a failure: in CI, or where the environment says so."""
    wanted = os.environ.get("WHERRY_REQUIRE_PEERS")
    return wanted == "1" if wanted is not None else os.environ.get("CI") == "true"


def path(peer, *parts):
    """A file of an installed peer. Without it the test is skipped by the peer's name."""
    found = BUILD.joinpath("peers", peer, *parts)
    if found.exists():
        return found
    reason_file = BUILD / "peers" / f"{peer}.missing"
    reason = reason_file.read_text().strip() if reason_file.exists() else "never installed"
    text = f"peer {peer} is missing (scripts/install_peers.sh {peer}): {reason}"
    if are_expected():
        raise AssertionError(text)
    raise unittest.SkipTest(text)


def python_packages(peer):
    """Where the packages of a Python peer are."""
    return next(path(peer).glob("lib/python*/site-packages"))


def use_python_peer(peer):
    """Makes the packages of a peer importable, behind those of this interpreter."""
    sys.path.append(str(python_packages(peer)))


class Server:
    """One orasim on a free port."""

    def __init__(self, *arguments):
        self.process = Child([ORASIM, "--listen", "127.0.0.1:0", "--service", SERVICE,
                              "--user", f"{USER}/{PASSWORD}", *arguments])
        ready = self.process.wait_for_line(lambda line: line.startswith("ready "), 60)
        self.address = ready.removeprefix("ready ")
        self.port = int(ready.rsplit(":", 1)[1])

    def close(self):
        self.process.terminate()


class Program:
    """A peer's own test program: `--list` names its checks, a run reports "ok" and "not ok"."""

    def __init__(self, command):
        self.command = [str(part) for part in command]

    @functools.cached_property
    def checks(self):
        result = subprocess.run([*self.command, "--list"], capture_output=True, text=True,
                                timeout=LIMIT_SECS, check=True)
        return result.stdout.splitlines()

    def run(self, server, generation):
        """The outcome by check: None is success, else what went wrong."""
        command = [*self.command, server.address, SERVICE, USER, PASSWORD, generation]
        try:
            result = subprocess.run(command, capture_output=True, timeout=LIMIT_SECS)
        except subprocess.TimeoutExpired as error:
            return self._parse(error.stdout or b"", f"not done after {LIMIT_SECS} s")
        return self._parse(result.stdout, result.stderr.decode(errors="replace")[-2000:])

    def _parse(self, output, otherwise):
        outcome = dict.fromkeys(self.checks, f"was never reported: {otherwise}")
        for line in output.decode(errors="replace").splitlines():
            if line.startswith("ok "):
                outcome[line.removeprefix("ok ")] = None
            elif line.startswith("not ok "):
                name, _, reason = line.removeprefix("not ok ").partition(": ")
                for check in self.checks:  # a name may hold a colon itself
                    if line.startswith(f"not ok {check}: "):
                        name, reason = check, line[len(f"not ok {check}: "):]
                outcome[name] = reason
        return outcome


class ProgramCase(unittest.TestCase):
    """One check of a peer's program against one server; the program runs once for them all."""

    def __init__(self, peer, generation, check, outcomes):
        super().__init__("run_check")
        self._name = f"{peer} {generation}: {check}"
        self._check, self._outcomes = check, outcomes

    def id(self):
        return self._name

    def __str__(self):
        return self._name

    def run_check(self):
        problem = self._outcomes()[self._check]
        if problem is not None:
            self.fail(problem)


class MissingPeer(unittest.TestCase):
    """Stands for all tests of a peer that is not there."""

    def __init__(self, peer, error):
        super().__init__("report")
        self._peer, self._error = peer, error

    def id(self):
        return f"peer {self._peer}"

    def __str__(self):
        return self.id()

    def report(self):
        raise self._error


def suite(peer, find_command, servers):
    """Tests of a peer's program for each (generation, orasim arguments) of `servers`."""
    tests = unittest.TestSuite()
    try:
        program = Program(find_command())
        checks = program.checks
    except (unittest.SkipTest, AssertionError) as error:
        tests.addTest(MissingPeer(peer, error))
        return tests
    for generation, arguments in servers:
        @functools.lru_cache(maxsize=None)
        def outcomes(generation=generation, arguments=arguments):
            server = Server("--emulate", generation, *arguments)
            try:
                return program.run(server, generation)
            finally:
                server.close()
        name = " ".join((generation, *arguments))
        tests.addTests(ProgramCase(peer, name, check, outcomes) for check in checks)
    return tests
