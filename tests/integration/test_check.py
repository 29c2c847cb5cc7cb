"""`wherry check`: documents without any database."""
import json
import pathlib
import tempfile
import unittest

from support.paths import ROOT
from support.wherry import wherry

REFERENCE = ROOT / "docs" / "reference" / "task-settings.md"


class CheckTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="wherry-check-")
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)

    def write(self, name, text):
        path = self.directory / name
        path.write_text(text if isinstance(text, str) else json.dumps(text))
        return path

    def check(self, *arguments):
        return wherry("check", *map(str, arguments))

    def test_all_mistakes_come_at_once_with_their_places(self):
        mappings = self.write("m.json", """{"rules": [
  {"rule-type": "selecton", "rule-id": "1", "rule-action": "include",
   "object-locator": {"schema-name": "HR", "tabel-name": "%"}},
  {"rule-type": "transformation", "rule-id": 2, "rule-target": "table", "rule-action": "Rename",
   "object-locator": {"schema-name": "HR", "table-name": "%"}, "value": "x", "value": "y"}]}""")
        settings = self.write("s.json", """{"FullLoadSettings":
  {"MaxFullLoadSubTasks": 50, "CommitRate": "1"},
 "ErrorBehaviour": {}}""")
        done = self.check("--table-mappings", mappings, "--task-settings", settings)
        self.assertEqual(done.status, 2, done.describe())
        for line in [f"{mappings}:2:4: rule-id 1: rule-type 'selecton' does not exist",
                     "selection was probably meant",
                     f"{mappings}:3:44: rule-id 1: unknown key 'tabel-name'; table-name was probably meant",
                     f"{mappings}:4:73: rule-id 2: rule-action 'Rename' does not exist",
                     "rename was probably meant", f"{mappings}:5:64: the key is there twice",
                     f"{settings}:2:4: 50 is not a whole number from 1 to 49",
                     f"{settings}:2:31: \"1\" is not a whole number from 1 to 50000",
                     f"{settings}:3:2: unknown section; ErrorBehavior was probably meant"]:
            self.assertIn(line, done.stderr)

    def test_json_that_is_none_names_line_and_column(self):
        broken = self.write("broken.json", '{"rules": [\n  {"rule-type": }]}')
        for flag in ("--table-mappings", "--task-settings"):
            done = self.check(flag, broken)
            self.assertEqual(done.status, 2, done.describe())
            self.assertRegex(done.stderr, "line 2, column 17")
            self.assertIn(str(broken), done.stderr)

    def test_what_was_understood_is_shown_in_one_form(self):
        mappings = self.write("m.json", {"rules": [
            {"rule-type": "transformation", "rule-id": 9, "rule-target": "schema",
             "rule-action": "rename", "object-locator": {"schema-name": "HR"}, "value": "people"},
            {"rule-type": "selection", "rule-id": "3", "rule-action": "include", "load-order": "7",
             "object-locator": {"schema-name": "HR", "table-name": "EMP%"}},
            *({"rule-type": "selection", "rule-id": rule_id, "rule-action": action,
               "object-locator": {"schema-name": "HR", "table-name": "%", "table-type": kind}}
              for rule_id, action, kind in ((4, "include", "all"), (5, "exclude", "view")))]})
        done = self.check("--table-mappings", mappings)
        self.assertEqual(done.status, 0, done.describe())
        self.assertEqual(done.stdout.splitlines()[1:],
                         ["  rule-id 3: selection include HR.EMP%, load-order 7",
                          "  rule-id 4: selection include tables and views HR.%",
                          "  rule-id 5: selection exclude views HR.%",
                          "  rule-id 9: transformation schema HR: rename 'people'"])

    def test_json_for_machines(self):
        settings = self.write("s.json", {"TargetMetadata": {"LoadMaxFileSize": 3}})
        done = self.check("--task-settings", settings, "--format", "json")
        self.assertEqual(done.status, 0, done.describe())
        found = json.loads(done.stdout)
        self.assertEqual(found["problems"], [])
        self.assertIn("/TargetMetadata/LoadMaxFileSize: ", found["task_settings"]["without_effect"][0])
        self.assertEqual(found["task_settings"]["document"]["TargetMetadata"]["LoadMaxFileSize"], 3)
        self.assertEqual(found["task_settings"]["document"]["FullLoadSettings"]["CommitRate"], 10000)
        wrong = self.write("w.json", {"TargetMetadata": {"LoadMaxFileSize": "3"}})
        done = self.check("--task-settings", wrong, "--format", "json")
        self.assertEqual(done.status, 2, done.describe())
        problem, = json.loads(done.stdout)["problems"]
        self.assertEqual((problem["file"], problem["line"], problem["column"], problem["path"]),
                         (str(wrong), 1, 21, "/TargetMetadata/LoadMaxFileSize"))

    def test_the_reference_names_every_key(self):
        done = self.check("--task-settings", self.write("empty.json", {}), "--format", "json")
        text = REFERENCE.read_text()
        for section, keys in json.loads(done.stdout)["task_settings"]["document"].items():
            self.assertIn(f"`{section}`", text)
            for key in keys if isinstance(keys, dict) else ():
                self.assertIn(f"`{key}`", text, section)


if __name__ == "__main__":
    unittest.main()
