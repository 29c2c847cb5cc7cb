"""Runs the CLI and reads what it says."""
import json
import os
import pathlib
import tempfile

from support import orasim, postgres
from support.paths import WHERRY
from support.process import Child

SECRETS = (orasim.PASSWORD, postgres.PASSWORD)


class Run:
    """A finished or running `wherry` command."""

    def __init__(self, arguments, source_password=orasim.PASSWORD,
                 target_password=postgres.PASSWORD, environment=None):
        env = {**os.environ, "WHERRY_SOURCE_PASSWORD": source_password,
               "WHERRY_TARGET_PASSWORD": target_password, **(environment or {})}
        self.log_file = next((pathlib.Path(value) for flag, value in
                              zip(arguments, arguments[1:]) if flag == "--log-file"), None)
        self.secrets = {source_password, target_password, *SECRETS} - {""}
        self.child = Child([WHERRY, *arguments], env=env)

    def finish(self, deadline_secs=300):
        self.status = self.child.wait(deadline_secs)
        self.stdout = "\n".join(self.child.lines)
        self.stderr = "\n".join(self.child.errors)
        log = self.log_file.read_text() if self.log_file and self.log_file.exists() else ""
        for secret in self.secrets:
            assert secret not in self.stdout + self.stderr + log, "a password was printed"
        return self

    @property
    def events(self):
        return [json.loads(line) for line in self.child.lines if line.startswith("{")]

    def describe(self):
        return f"exit status {self.status}\n{self.child.output_tail()}"


def wherry(*arguments, deadline_secs=300, **passwords):
    return Run(arguments, **passwords).finish(deadline_secs)


def selection(schema, table="%", rule_id=1, action="include"):
    return {"rule-type": "selection", "rule-id": str(rule_id), "rule-name": str(rule_id),
            "object-locator": {"schema-name": schema, "table-name": table}, "rule-action": action}


def lowercase(target, rule_id, schema="%"):
    """A convert-lowercase rule for every object of that kind."""
    locator = {"schema-name": schema}
    if target in ("table", "column"):
        locator["table-name"] = "%"
    if target == "column":
        locator["column-name"] = "%"
    return {"rule-type": "transformation", "rule-id": str(rule_id), "rule-name": str(rule_id),
            "rule-target": target, "object-locator": locator, "rule-action": "convert-lowercase"}


class Task:
    """The files and flags of one migration task in a temporary directory."""

    def __init__(self, source, target, rules, settings=None):
        self._directory = tempfile.TemporaryDirectory(prefix="wherry-task-")
        self.directory = pathlib.Path(self._directory.name)
        self.source, self.target = source, target
        self.mappings = self._write("mappings.json", {"rules": rules})
        self.settings = self._write("settings.json", settings or {
            "FullLoadSettings": {"TargetTablePrepMode": "DROP_AND_CREATE"}})
        self.state = self.directory / "state"
        self.migration_type = "full-load"

    def _write(self, name, document):
        path = self.directory / name
        path.write_text(json.dumps(document))
        return str(path)

    def flags(self):
        return ["--source", self.source, "--target", self.target, "--table-mappings", self.mappings,
                "--task-settings", self.settings, "--state", str(self.state),
                "--log-file", str(self.directory / "wherry.log")]

    def start(self, *more, **passwords):
        return Run(["run", "--migration-type", self.migration_type, "--progress", "json",
                    *self.flags(), *more], **passwords)

    def run(self, *more, deadline_secs=300, **passwords):
        return self.start(*more, **passwords).finish(deadline_secs)

    def validate(self, *more, deadline_secs=300, **passwords):
        return wherry("validate", *self.flags(), *more, deadline_secs=deadline_secs, **passwords)

    def close(self):
        self._directory.cleanup()
