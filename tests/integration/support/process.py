"""Child processes that never outlive the tests, and waiting for what they print."""
import atexit
import collections
import contextlib
import ctypes
import os
import queue
import signal
import socket
import subprocess
import threading
import time

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)
_running = []


def _end_all():
    for child in list(_running):
        child.kill()


atexit.register(_end_all)


def free_port():
    """A port that nobody listens on at this moment."""
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Child:
    """A process whose standard output is read line by line; standard error is kept beside it.

    The kernel ends it with `death_signal` when this process dies, whatever kills it.
    """

    def __init__(self, command, env=None, user=None, death_signal=signal.SIGKILL, cwd=None):
        parent = os.getpid()

        def tie_to_parent():
            _libc.prctl(PR_SET_PDEATHSIG, int(death_signal))
            if os.getppid() != parent:
                os._exit(127)

        identity = {"user": user, "group": user, "extra_groups": []} if user else {}
        self.command = [str(part) for part in command]
        self._process = subprocess.Popen(
            self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=env, cwd=cwd, preexec_fn=tie_to_parent, start_new_session=True, **identity)
        self.pid = self._process.pid
        self.lines = []                      # of standard output
        self.errors = collections.deque(maxlen=2000)   # lines of standard error
        self._new_lines = queue.Queue()
        self._threads = [
            threading.Thread(target=self._read, args=(self._process.stdout, True), daemon=True),
            threading.Thread(target=self._read, args=(self._process.stderr, False), daemon=True)]
        for thread in self._threads:
            thread.start()
        _running.append(self)

    def _read(self, stream, is_output):
        for raw in stream:
            line = raw.decode("utf-8", "replace").rstrip("\n")
            if is_output:
                self.lines.append(line)
            else:
                self.errors.append(line)
            self._new_lines.put((is_output, line))
        self._new_lines.put((is_output, None))

    def wait_for_line(self, matches, deadline_secs=30, errors_too=False):
        """The first not yet seen line for which matches(line) is true."""
        end = time.monotonic() + deadline_secs
        open_streams = 2
        while open_streams:
            try:
                is_output, line = self._new_lines.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no such line within {deadline_secs} s from {self.command}\n"
                                     f"{self.output_tail()}") from None
            if line is None:
                open_streams -= 1
            elif (is_output or errors_too) and matches(line):
                return line
        raise AssertionError(f"{self.command} ended without the line\n{self.output_tail()}")

    def output_tail(self):
        return "\n".join(["stdout:"] + self.lines[-20:] + ["stderr:"] + list(self.errors)[-20:])

    def signal(self, number):
        if self._process.poll() is None:
            self._process.send_signal(number)

    def is_running(self):
        return self._process.poll() is None

    def wait(self, deadline_secs=60):
        """Exit status (negative: the signal), after all output has been read."""
        try:
            status = self._process.wait(timeout=deadline_secs)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.command} did not end within {deadline_secs} s\n"
                                 f"{self.output_tail()}") from None
        for thread in self._threads:
            thread.join(timeout=10)
        if self in _running:
            _running.remove(self)
        return status

    def terminate(self, deadline_secs=30):
        self.signal(signal.SIGTERM)
        return self.wait(deadline_secs)

    def kill(self):
        self.signal(signal.SIGKILL)
        return self.wait(30)
