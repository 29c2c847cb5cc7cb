"""The splitter of SQL*Plus scripts that the sample tests stand on."""
import unittest

from support.sqlplus import statements


class Splitter(unittest.TestCase):
    def test_leaves_out_the_commands_of_sqlplus(self):
        text = "SET ECHO OFF\nrem words; more\nPrompt done;\n-- note\n\nCOMMIT;\n"
        self.assertEqual(list(statements(text)), ["COMMIT"])

    def test_a_set_clause_inside_a_statement_stays(self):
        text = "UPDATE t\nSET a = 1;\n"
        self.assertEqual(list(statements(text)), ["UPDATE t\nSET a = 1"])

    def test_semicolons_in_literals_and_comments_do_not_end_a_statement(self):
        text = "INSERT INTO t VALUES ('a;\nb;''c;\n' /* ;\n*/);\nCOMMIT;"
        self.assertEqual(list(statements(text)),
                         ["INSERT INTO t VALUES ('a;\nb;''c;\n' /* ;\n*/)", "COMMIT"])

    def test_blocks_and_stored_code_end_at_a_slash(self):
        text = "BEGIN\n  x;\nEND;\n/\ncreate or replace trigger t\nbegin null; end;\n/\nCOMMIT;\n"
        self.assertEqual(list(statements(text)), [
            "BEGIN\n  x;\nEND;", "create or replace trigger t\nbegin null; end;", "COMMIT"])


if __name__ == "__main__":
    unittest.main()
