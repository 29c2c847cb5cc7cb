"""`wherry debug parse-redo` and `assemble-redo` on SQL_REDO and rows of real servers, and on what they
must refuse."""
import json
import subprocess
import unittest

from support.paths import WHERRY, shared

INPUT = ("sql_redo", "table", "row", "options")  # of an entry; operation_code when it is known
FREE_TEXT = ("error", "skip")  # kinds whose reason is for people


def parse_redo(lines, status=0, command="parse-redo"):
    done = subprocess.run([WHERRY, "debug", command], input="".join(lines), text=True,
                          capture_output=True, timeout=60, check=False)
    if done.returncode != status:
        raise AssertionError(f"exit status {done.returncode}\n{done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def is_as_expected(found, wanted):
    """Values in their types are compared where they are expected."""
    if wanted["kind"] in FREE_TEXT:
        return found["kind"] == wanted["kind"]
    left = {key: value for key, value in found.items() if key != "typed" or "typed" in wanted}
    return left == wanted


class Captured(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with open(shared("vectors", "logminer-sql-redo.jsonl"), encoding="utf-8") as file:
            cls.entries = [json.loads(line) for line in file]

    def check(self, input_of):
        lines = [json.dumps(input_of(entry)) + "\n" for entry in self.entries]
        for entry, found in zip(self.entries, parse_redo(lines)[0], strict=True):
            with self.subTest(entry["id"]):
                accepted = [entry["expect"], *entry.get("expect_also_ok", [])]
                self.assertTrue(any(is_as_expected(found, wanted) for wanted in accepted),
                                f"{found}\nis not\n{entry['expect']}")

    def test_with_their_operation(self):
        self.check(lambda entry: {key: entry[key] for key in (*INPUT, "operation_code")
                                  if key in entry})

    def test_by_the_text_alone(self):
        self.check(lambda entry: {key: entry[key] for key in INPUT if key in entry})

    def test_in_pieces(self):
        def in_pieces(entry):
            out = {key: entry[key] for key in INPUT if key in entry}
            if "csf" in entry:
                out["csf"] = entry["csf"]
                del out["sql_redo"]
            return out
        self.check(in_pieces)


class Sequences(unittest.TestCase):
    def test_rows_become_transactions(self):
        with open(shared("vectors", "logminer-row-sequences.jsonl"), encoding="utf-8") as file:
            lines = file.readlines()
        found, _ = parse_redo(lines, command="assemble-redo")
        for line, one in zip(lines, found, strict=True):
            scenario = json.loads(line)
            with self.subTest(scenario["id"]):
                wanted = dict(scenario["expect"])
                also = wanted.pop("order_also_ok", None)
                got = {key: one.get(key) for key in wanted}
                self.assertIn(got, [wanted, *([{**wanted, "transactions": also}] if also else [])])


class Input(unittest.TestCase):
    def test_a_line_that_is_none_is_named(self):
        found, told = parse_redo(['{"sql_redo": "commit;"}\n', "\n", "nonsense\n"], status=2)
        self.assertEqual(found, [{"kind": "skip", "reason": "transaction control"}])
        self.assertIn("line 3", told)
        for wrong in ('{}\n', '{"sql_redo": 5}\n', "[]\n",
                      '{"sql_redo": "", "table": {"columns": [{}]}}\n'):
            with self.subTest(wrong):
                self.assertIn("line 1", parse_redo([wrong], status=2)[1])
        for wrong in ('{}\n', '{"rows": [{"SCN": "x"}]}\n', '{"batches": [{}]}\n'):
            with self.subTest(wrong):
                self.assertIn("line 1", parse_redo([wrong], 2, "assemble-redo")[1])

    def test_virtual_columns_have_no_place(self):
        columns = [{"name": "A", "type": "NUMBER"}, {"name": "V", "type": "NUMBER",
                                                     "generated": True},
                   {"name": "B", "type": "VARCHAR2(5)"}]
        found, _ = parse_redo([json.dumps({
            "sql_redo": "delete from \"S\".\"T\" where \"COL 1\" = HEXTORAW('c102') and "
                        "\"COL 2\" = HEXTORAW('7a')",
            "table": {"owner": "S", "name": "T", "columns": columns}})])
        self.assertEqual(found[0]["typed"], {"old": {"A": "1", "B": "z"}})


if __name__ == "__main__":
    unittest.main()
