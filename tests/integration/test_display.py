"""What the user sees: progress in each mode, flags from files, the log, exit statuses."""
import fcntl
import json
import os
import pathlib
import pty
import re
import select
import struct
import termios
import time
import unittest

from support import orasim, postgres
from support.case import LoadCase
from support.paths import WHERRY
from support.wherry import Task, selection, wherry

ROWS = 30_000
COMPONENT = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d \[([A-Z_]+) *\]([EWIDT]):  ", re.M)


class Display(LoadCase):
    FILL = (
        "create table many (id number(9) primary key, name varchar2(200))",
        f"insert into many select level, rpad('row ' || level, 150, 'x') from dual "
        f"connect by level <= {ROWS}",
        "create table few (id number(9) primary key, name varchar2(20))",
        "insert into few values (1, 'a word')")

    def setUp(self):
        self.postgres.execute("postgres", 'drop schema if exists "APP" cascade')
        self.task = Task(self.sim.url(), self.postgres.url("postgres"), [selection("APP")])
        self.addCleanup(self.task.close)

    def run_with(self, progress, command="run"):
        more = ["--migration-type", "full-load"] if command == "run" else []
        done = wherry(command, *more, "--progress", progress, *self.task.flags())
        self.assertEqual(done.status, 0, done.describe())
        self.assertEqual(done.stderr, "", done.describe())
        return done

    # --- modes

    def test_lines_are_what_a_pipe_gets(self):
        for mode in ("auto", "lines"):
            text = self.run_with(mode).stdout
            self.assertNotIn("\x1b", text)
            if mode == "auto":  # the second run has nothing left to do
                for line in ("connecting", "planning", "full load", "APP.MANY: Full load"):
                    self.assertIn(f"{line}\n", text)
                self.assertRegex(text, rf"APP.MANY: Table completed, {ROWS:,} rows, ")
            self.assertRegex(text, rf"(?m)^APP.MANY +{ROWS:,} ")
            checked = self.run_with(mode, "validate").stdout
            self.assertRegex(checked, rf"APP.MANY: Validated, {ROWS:,} rows compared, 0 diff")
            self.assertRegex(checked, rf"(?m)^APP.MANY +{ROWS:,} +{ROWS:,} +0  Validated$")

    def test_none_is_silence(self):
        self.assertEqual(self.run_with("none").stdout, "")
        self.assertEqual(self.run_with("none", "validate").stdout, "")

    def test_json_is_one_object_a_line(self):
        events = [json.loads(line) for line in self.run_with("json").stdout.splitlines()]
        self.assertEqual([e["phase"] for e in events if e["event"] == "state"],
                         ["connecting", "planning", "full load"])
        last = events[-1]
        self.assertEqual([last["event"], last["status"], last["stop_reason"]],
                         ["end", "stopped", "Stop Reason FULL_LOAD_ONLY_FINISHED"])
        self.assertTrue(last["position"].startswith("scn:"))
        self.assertEqual({t["table"]: (t["state"], t["rows"]) for t in last["tables"]},
                         {"MANY": ("Table completed", ROWS), "FEW": ("Table completed", 1)})
        states = [e["state"] for e in events if e["event"] == "table" and e["table"] == "MANY"]
        self.assertEqual([states[0], states[-1]], ["Full load", "Table completed"])
        checked = [json.loads(line)
                   for line in self.run_with("json", "validate").stdout.splitlines()]
        self.assertEqual({t["table"]: t["state"] for t in checked[-1]["tables"]},
                         {"MANY": "Validated", "FEW": "Validated"})

    def test_differences_in_each_mode(self):
        self.run_with("none")
        self.postgres.execute("postgres", """update "APP"."FEW" set "NAME" = 'another'""")
        for mode in ("none", "lines"):
            checked = wherry("validate", "--progress", mode, *self.task.flags())
            self.assertEqual(checked.status, 3, checked.describe())
            self.assertIn("RECORD_DIFF APP.FEW [ID=1] NAME: source 'a word', target 'another'\n",
                          checked.stdout + "\n")
        checked = wherry("validate", "--progress", "json", "--log-level", "trace",
                         *self.task.flags())
        self.assertEqual([json.loads(line) for line in checked.stdout.splitlines()
                          if '"difference"' in line],
                         [{"event": "difference", "type": "RECORD_DIFF", "schema": "APP",
                           "table": "FEW", "key": "ID=1", "column": "NAME",
                           "source_value": "'a word'", "target_value": "'another'"}])
        self.assertNotIn("a word", checked.log_file.read_text())

    def on_a_terminal(self, columns, *arguments):
        """All that a terminal of that width was sent, and the lines it shows in the end."""
        pid, terminal = pty.fork()
        if pid == 0:
            os.environ.update({"TERM": "xterm", "WHERRY_SOURCE_PASSWORD": orasim.PASSWORD,
                               "WHERRY_TARGET_PASSWORD": postgres.PASSWORD})
            fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
            os.execv(WHERRY, [str(WHERRY), *arguments])
        text, end = b"", time.monotonic() + 60
        while True:
            ready, _, _ = select.select([terminal], [], [], max(0.0, end - time.monotonic()))
            self.assertTrue(ready, text[-2000:])
            try:
                data = os.read(terminal, 65536)
            except OSError:
                break
            if not data:
                break
            text += data
        os.close(terminal)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0, text[-2000:])
        return text.decode().replace("\r\n", "\n")

    def shown(self, text):
        """Lines after the cursor's moves up have been obeyed."""
        lines = [""]
        for part in re.split(r"(\r?\x1b\[\d+A\x1b\[J)", text):
            move = re.fullmatch(r"\r?\x1b\[(\d+)A\x1b\[J", part)
            if move:
                lines = lines[:len(lines) - 1 - int(move.group(1))] + [""]
            else:
                first, *rest = part.split("\n")
                lines[-1] += first
                lines += rest
        return lines

    def test_bars_keep_to_the_terminal_and_leave_the_summary(self):
        flags = self.task.flags()
        del flags[flags.index("--log-file"):]  # the log shares the terminal
        for columns in (120, 60, 30):
            with self.subTest(columns=columns):
                text = self.on_a_terminal(columns, "run", "--migration-type", "full-load",
                                          "--start", "reload-target" if self.task.state.exists()
                                          else "start-replication", *flags)
                self.assertIn("\x1b[", text)
                self.assertEqual("·" in text, columns > 100)
                for piece in re.findall(r"\x1b\[J(.*?)(?=\r?\x1b\[\d+A)", text, re.S):
                    block = [line for line in piece.split("\n")
                             if re.match(r"APP\.|\d+/\d+ tables", line)]
                    self.assertTrue(all(len(line) < columns for line in block), block)
                lines = self.shown(text)
                self.assertRegex("\n".join(lines), rf"\nAPP.MANY +{ROWS:,} .*Table completed\n")
                self.assertNotRegex("\n".join(lines), r"\d/2 tables")
                self.assertIn("[TASK_MANAGER    ]I:  full load", "\n".join(lines))

    # --- the log

    def test_the_log_has_the_components_and_severities_of_dms(self):
        self.run_with("none")
        text = (self.task.directory / "wherry.log").read_text()
        found = set(COMPONENT.findall(text))
        self.assertEqual(len(COMPONENT.findall(text)), len(text.splitlines()), text)
        self.assertLessEqual({("TASK_MANAGER", "I"), ("TABLES_MANAGER", "I")}, found)

    def test_the_log_as_json(self):
        log = self.task.directory / "wherry.log"
        done = wherry("run", "--migration-type", "full-load", "--progress", "none",
                      "--log-format", "json", *self.task.flags())
        self.assertEqual(done.status, 0, done.describe())
        entries = [json.loads(line) for line in log.read_text().splitlines()]
        self.assertTrue(all({"time", "component", "severity", "message"} <= e.keys()
                            for e in entries))

    def test_a_log_file_that_cannot_be_opened(self):
        done = wherry("run", "--migration-type", "full-load", *self.task.flags()[:-2],
                      "--log-file", "/proc/nowhere/wherry.log")
        self.assertEqual(done.status, 2, done.describe())
        self.assertIn("/proc/nowhere/wherry.log", done.stderr)

    # --- flags from elsewhere

    def write(self, name, content):
        path = self.task.directory / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return str(path)

    def test_flags_from_a_config_file_and_passwords_from_files(self):
        config = self.write("wherry.json", {
            "source": self.task.source, "target": self.task.target,
            "source-password-file": self.write("source.pw", orasim.PASSWORD + "\n"),
            "target-password-file": self.write("target.pw", postgres.PASSWORD + "\n"),
            "migration-type": "full-load", "table-mappings": self.task.mappings,
            "task-settings": self.task.settings, "state": str(self.task.state),
            "progress": "json", "log-level": "error"})
        empty = {"source_password": "", "target_password": ""}
        done = wherry("run", "--config", config, **empty)
        self.assertEqual(done.status, 0, done.describe())
        self.assertEqual(done.events[-1]["event"], "end")
        quiet = wherry("run", "--config", config, "--progress", "none", **empty)
        self.assertEqual([quiet.status, quiet.stdout], [0, ""], quiet.describe())
        for command in ("plan", "validate", "check"):  # one file serves all of them
            done = wherry(command, f"--config={config}", **empty)
            self.assertEqual(done.status, 0, done.describe())

    def test_mistakes_in_a_config_file(self):
        for content, words in [("{", ["JSON"]), ({"sauce": "x"}, ["sauce"]), ([1], ["object"])]:
            with self.subTest(content=content):
                done = wherry("run", "--config", self.write("bad.json", content))
                self.assertEqual(done.status, 2, done.describe())
                for word in words:
                    self.assertIn(word, done.stderr)
        done = wherry("run", "--config", "/no/such/file.json")
        self.assertEqual(done.status, 2, done.describe())
        self.assertIn("/no/such/file.json", done.stderr)

    def test_endpoints_from_dms_documents(self):
        source = self.write("source.json", {
            "EndpointType": "source", "EngineName": "oracle", "ServerName": self.sim.host,
            "Port": self.sim.port, "DatabaseName": orasim.SERVICE, "Username": orasim.USER,
            "Password": orasim.PASSWORD})
        target = self.write("target.json", {
            "EngineName": "postgres", "ServerName": "127.0.0.1", "Port": self.postgres.port,
            "DatabaseName": "postgres", "Username": self.postgres.user,
            "Password": postgres.PASSWORD, "ExtraConnectionAttributes": "lock_timeout=5"})
        done = wherry("run", "--source-endpoint", source, "--target-endpoint", target,
                      "--migration-type", "full-load", *self.task.flags()[4:],
                      source_password="", target_password="")
        self.assertEqual(done.status, 0, done.describe())

    def test_a_password_in_a_url_works_and_is_warned_about(self):
        def with_password(url, password):
            return url.replace("@", f":{password}@", 1)
        done = wherry("run", "--source", with_password(self.task.source, orasim.PASSWORD),
                      "--target", with_password(self.task.target, postgres.PASSWORD),
                      "--migration-type", "full-load", "--progress", "none",
                      *self.task.flags()[4:-2], source_password="", target_password="")
        self.assertEqual(done.status, 0, done.describe())
        self.assertEqual(done.stderr.count("]W:  a password in a URL"), 2, done.stderr)

    # --- nonsense

    def test_nonsense_is_one_paragraph_and_status_2(self):
        flags = self.task.flags()
        missing = str(pathlib.Path(self.task.mappings).with_name("missing.json"))
        full = ["--migration-type", "full-load"]
        for arguments, words in [
                (["run", *full, *flags, "--table-mappings", missing], ["missing.json"]),
                (["run", *full, *flags, "--task-settings", missing], ["missing.json"]),
                (["run", *full, *flags, "--task-settings", self.write("s1.json", "{\n\"a\": }")],
                 ["line 2"]),
                (["run", *full, *flags, "--task-settings", self.write(
                    "s2.json", {"FullLoadSettings": {"MaxFullLoadSubTasks": 0}})],
                 ["MaxFullLoadSubTasks", "49"]),
                (["run", *full, *flags, "--table-mappings", self.write("m1.json", "{\n[")],
                 ["line 2"]),
                (["run", *full, *flags, "--progress", "dots"], ["--progress", "bars"]),
                (["run", *full, *flags, "--log-level", "loud"], ["--log-level"]),
                (["run", *flags], ["add supplemental log data"]),
                (["run", *full, *flags, "--source", "oracle://"], ["oracle://"]),
                (["run", *full, *flags, "--source", "oracle://u@h:99999/x"], ["65535"]),
                (["run", *full, *flags, "--target", "oracle://u@h/x"], ["target"]),
                (["run", *full, *flags, "--source-password-file", "/no/such/file"],
                 ["/no/such/file"]),
                (["run", *full, *flags, "--source-endpoint", missing], ["only one"]),
                (["check", "--table-mappings", self.write("m2.json", {"rules": []})],
                 ["selection"])]:
            with self.subTest(arguments=arguments[1:]):
                passwords = {"source_password": ""} if "/no/such/file" in arguments else {}
                # Flags that come twice: the one under test is the last.
                seen = {}
                command, *rest = arguments
                for flag, value in zip(rest[::2], rest[1::2]):
                    seen[flag] = value
                flat = [item for pair in seen.items() for item in pair]
                done = wherry(command, *flat, **passwords)
                self.assertEqual(done.status, 2, done.describe())
                self.assertNotIn("\n\n", done.stderr.strip())
                for word in words:
                    self.assertIn(word.lower(), done.stderr.lower())


if __name__ == "__main__":
    unittest.main()
