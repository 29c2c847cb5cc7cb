#!/usr/bin/env python3
"""Runs one unittest file and writes its counts as JSON for scripts/run_tests.py.

usage: run.py [--json FILE] [--long] TEST-FILE [test name pattern...]
"""
import argparse
import faulthandler
import fnmatch
import importlib.util
import json
import os
import pathlib
import signal
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent


class Result(unittest.TextTestResult):
    def __init__(self, *args):
        super().__init__(*args)
        self.passed = 0
        self.started = 0.0

    def startTest(self, test):
        self.started = time.monotonic()
        super().startTest(test)

    def addSuccess(self, test):
        super().addSuccess(test)
        self.passed += 1

    def stopTest(self, test):
        super().stopTest(test)
        self.stream.writeln(f"    ({time.monotonic() - self.started:.1f} s)")


def on_terminate(*_):
    """A time-out ends the run through the tests' clean-up; unittest lets only this one through."""
    faulthandler.dump_traceback()
    raise KeyboardInterrupt


def tests_in(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from tests_in(item)
        else:
            yield item


def load(path, patterns):
    sys.path.insert(0, str(HERE))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    suite = unittest.defaultTestLoader.loadTestsFromModule(module)
    if not patterns:
        return suite
    return unittest.TestSuite(t for t in tests_in(suite)
                              if any(fnmatch.fnmatch(t.id(), f"*{p}*") for p in patterns))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json")
    parser.add_argument("--long", action="store_true")
    parser.add_argument("file", type=pathlib.Path)
    parser.add_argument("patterns", nargs="*")
    options = parser.parse_args()
    if options.long:
        os.environ["WHERRY_LONG"] = "1"
    signal.signal(signal.SIGTERM, on_terminate)
    # A run in the background may have been told to ignore it, and so would every program under test.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    runner = unittest.TextTestRunner(stream=sys.stdout, verbosity=2, resultclass=Result)
    result = runner.run(load(options.file.resolve(), options.patterns))
    failures = result.failures + result.errors
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps({
            "passed": result.passed,
            "failed": len(failures) + len(result.unexpectedSuccesses),
            "skipped": len(result.skipped),
            "details": [f"{test.id()}\n{text[-4000:]}" for test, text in failures],
        }))
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
