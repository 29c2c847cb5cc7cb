#!/usr/bin/env python3
"""Runs every suite of a finished build and adds the results up.

Suites run two at a time, each in a process group of its own with its log in $BUILD/test-logs. The
last line is "N passed, N failed" (", N skipped" when there are any); the exit status is 1 when
anything failed, and when a suite that should be there ran no test at all.

usage: run_tests.py [--long] [--list] [SUITE-PREFIX...]
"""
import argparse
import concurrent.futures
import dataclasses
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = (ROOT / os.environ.get("BUILD", "build")).resolve()
SANITIZED = (ROOT / os.environ.get("SANITIZED", str(BUILD / "sanitized"))).resolve()
LOGS = BUILD / "test-logs"
INTEGRATION = ROOT / "tests" / "integration"
PYTHON = "/usr/bin/python3"


@dataclasses.dataclass
class Outcome:
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    details: str = ""


@dataclasses.dataclass
class Suite:
    name: str
    run: object  # callable(log path) -> Outcome
    limit_secs: int


def environment():
    env = dict(os.environ)
    env["WHERRY_BUILD"] = str(BUILD)
    env["WHERRY_TEST_PYTHON"] = PYTHON
    env["NODE_PATH"] = str(BUILD / "node" / "node_modules")
    env["PYTHONDONTWRITEBYTECODE"] = "1"
    shared = ROOT.parent / "shared"
    if "WHERRY_SHARED" not in env and shared.is_dir():
        env["WHERRY_SHARED"] = str(shared)
    env.setdefault("UBSAN_OPTIONS", "print_stacktrace=1")
    symbolizer = shutil.which("llvm-symbolizer-14")
    if symbolizer:
        env.setdefault("ASAN_SYMBOLIZER_PATH", symbolizer)
    return env


def execute(command, log, limit_secs, extra_environment=None):
    """Runs `command` with its output in `log`; returns its exit status, 124 on a time-out."""
    with open(log, "wb") as out:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, cwd=ROOT,
                                   stderr=subprocess.STDOUT,
                                   env=environment() | (extra_environment or {}))
        try:
            return process.wait(timeout=limit_secs)
        except subprocess.TimeoutExpired:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            out.write(f"\nstopped after {limit_secs} s\n".encode())
            return 124


def tail(log, lines=60):
    text = pathlib.Path(log).read_text(errors="replace").splitlines()
    return "\n".join(text[-lines:])


def run_command(command, limit_secs):
    """A suite of one test: it passes when the command exits with 0."""
    def run(log):
        if execute(command, log, limit_secs) == 0:
            return Outcome(passed=1)
        return Outcome(failed=1, details=tail(log))
    return run


def run_ctest(directory, limit_secs, options=(), extra_environment=None):
    def run(log):
        junit = pathlib.Path(f"{log}.xml")
        junit.unlink(missing_ok=True)
        status = execute(["ctest", "--test-dir", str(directory), "-j2", "--output-on-failure",
                          "--output-junit", str(junit), *options], log, limit_secs,
                         extra_environment)
        if not junit.exists():
            return Outcome(failed=1, details=tail(log))
        outcome = Outcome()
        for case in xml.etree.ElementTree.parse(junit).getroot().iter("testcase"):
            kind, skipped = case.get("status"), case.find("skipped")
            # A program that was not built is "not run" too; only GTEST_SKIP is a skip.
            is_skip = skipped is not None and "SKIP" in skipped.get("message", "")
            if kind == "run":
                outcome.passed += 1
            elif kind == "disabled" or is_skip:
                outcome.skipped += 1
            else:
                outcome.failed += 1
                output = case.findtext("system-out") or ""
                outcome.details += f"{case.get('name')}:\n{output[-3000:]}\n"
        if status != 0 and outcome.failed == 0:
            outcome.failed, outcome.details = 1, tail(log)
        return outcome
    return run


def run_python(module, limit_secs, long, python=PYTHON, extra_environment=None):
    def run(log):
        result = pathlib.Path(f"{log}.json")
        result.unlink(missing_ok=True)
        command = [python, str(INTEGRATION / "run.py"), "--json", str(result), str(module)]
        execute(command + (["--long"] if long else []), log, limit_secs,
                extra_environment)
        if not result.exists():
            return Outcome(failed=1, details=tail(log))
        counts = json.loads(result.read_text())
        return Outcome(counts["passed"], counts["failed"], counts["skipped"],
                       "\n".join(counts["details"]))
    return run


def missing_peer(name):
    """A peer that could not be installed: skipped by name, or failed where it is expected."""
    def run(log):
        reason = BUILD / "peers" / f"{name}.missing"
        text = f"peer {name} is missing: " + (reason.read_text() if reason.exists() else
                                              "scripts/install_peers.sh did not run")
        pathlib.Path(log).write_text(text)
        wanted = os.environ.get("WHERRY_REQUIRE_PEERS")
        expected = wanted == "1" if wanted is not None else os.environ.get("CI") == "true"
        print(text, flush=True)
        return Outcome(failed=1, details=text) if expected else Outcome(skipped=1)
    return run


def run_node(script, limit_secs):
    def run(log):
        status = execute(["node", "--test", "--test-reporter=tap", str(script)], log, limit_secs)
        text = pathlib.Path(log).read_text(errors="replace")
        counts = {key: int(value) for key, value in
                  re.findall(r"^# (pass|fail|cancelled|skipped|todo) (\d+)$", text, re.M)}
        outcome = Outcome(counts.get("pass", 0), counts.get("fail", 0) + counts.get("cancelled", 0),
                          counts.get("skipped", 0) + counts.get("todo", 0))
        if status != 0 and outcome.failed == 0:
            outcome.failed = 1
        if outcome.failed:
            outcome.details = tail(log)
        return outcome
    return run


def fuzz_suites(long):
    secs = 60 if long else 4
    for target in sorted((SANITIZED / "fuzz").glob("*_fuzz")):
        corpus = ROOT / "fuzz" / "corpus" / target.name
        command = [str(target), f"-max_total_time={secs}", "-rss_limit_mb=1024", "-timeout=10",
                   "-max_len=8192", "-print_funcs=0", "-verbosity=0",
                   f"-artifact_prefix={LOGS}/{target.name}-"]
        scratch = BUILD / "fuzz-corpus" / target.name
        scratch.mkdir(parents=True, exist_ok=True)
        command.append(str(scratch))
        if corpus.is_dir():
            command.append(str(corpus))
        yield Suite(f"fuzz {target.name[:-5]}", run_command(command, secs + 60), secs + 60)


def long_environment(long):
    return {"WHERRY_LONG": "1"} if long else {}


def postgres_suites(long, factor):
    """What meets a PostgreSQL server, with each version that there is for tests, or in part with the
    oldest and the newest."""
    versions = sorted((BUILD / "peers" / "postgres").glob("[0-9]*"), key=lambda v: int(v.name))
    if not versions:
        yield Suite("postgres versions", missing_peer("postgres"), 60)
    # This pg_dump is of the newest version, and reads servers of older ones too.
    dumps = [str(dump.parent) for dump in (BUILD / "peers/postgres/tools").rglob("bin/pg_dump")]
    path = os.pathsep.join(dumps + [os.environ["PATH"]])
    for tree in versions if long else [*versions[:1], *versions[1:][-1:]]:
        extra = {"WHERRY_POSTGRES": str(tree), "PATH": path}
        # Debian's version is among the unit tests, changes from 18 to 12 are in test_versions.
        if long:
            yield Suite(f"postgres {tree.name}: connector",
                        run_ctest(BUILD, 420 * factor, ["-L", "postgres"], extra), 420 * factor)
        for script in ["target", *(["resume", "values", "changes"] if long else [])]:
            yield Suite(f"postgres {tree.name}: {script}",
                        run_python(INTEGRATION / f"test_{script}.py", 420 * factor, long,
                                   extra_environment=extra), 420 * factor)


def all_suites(long):
    factor = 6 if long else 1
    # The longest first, so that nothing runs alone at the end.
    yield Suite("unit, sanitized", run_ctest(SANITIZED, 900 * factor), 900 * factor)
    yield Suite("layers", run_command([PYTHON, "scripts/check_layers.py"], 60), 60)
    yield Suite("error list",
                run_command([PYTHON, "scripts/list_errors.py", "--check"], 60), 60)
    yield Suite("hr and co", run_command(["bash", "tests/integration/hr_and_co.sh"], 120), 120)
    for script in sorted(INTEGRATION.glob("test_*.py")):
        yield Suite(script.stem.removeprefix("test_").replace("_", " "),
                    run_python(script, 420 * factor, long), 420 * factor)
    for script in sorted((INTEGRATION / "drivers").glob("*_test.*")):
        if script.suffix == ".py":
            run = run_python(script, 300 * factor, long)
        elif script.suffix in (".js", ".mjs", ".cjs"):
            run = run_node(script, 300 * factor)
        else:
            continue
        yield Suite(f"driver {script.name}", run, 300 * factor)
    newest = BUILD / "peers" / "python" / "bin" / "python"
    for name, script, limit_secs in [
            ("driver python-oracledb from PyPI", "drivers/orasim_python_test.py", 300 * factor),
            ("oracle client beside PyPI's driver", "test_oracle_client.py", 420 * factor)]:
        yield Suite(name, run_python(INTEGRATION / script, limit_secs, long, str(newest))
                    if newest.exists() else missing_peer("python"), limit_secs)
    # The sanitized ones are too slow for the long forms.
    yield Suite("unit", run_ctest(BUILD, 420 * factor, extra_environment=long_environment(long)),
                420 * factor)
    if long:
        yield Suite("engine, ThreadSanitizer",
                    run_command([str(BUILD / "threads" / "wherry_engine_test")], 1800), 1800)
    yield from postgres_suites(long, factor)
    yield from fuzz_suites(long)


def run_suite(suite):
    log = LOGS / (re.sub(r"[^A-Za-z0-9_.]+", "-", suite.name) + ".log")
    started = time.monotonic()
    try:
        outcome = suite.run(log)
    except Exception as error:  # a broken suite must be a failure, not the end of the run
        outcome = Outcome(failed=1, details=f"{type(error).__name__}: {error}")
    if outcome.passed + outcome.failed + outcome.skipped == 0:
        outcome = Outcome(failed=1, details="no test ran\n" + (tail(log) if log.exists() else ""))
    return suite, outcome, time.monotonic() - started


def counts_text(outcome):
    text = f"{outcome.passed} passed, {outcome.failed} failed"
    return text + (f", {outcome.skipped} skipped" if outcome.skipped else "")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--long", action="store_true", help="more cases, longer fuzzing")
    parser.add_argument("--list", action="store_true", help="print the suites and stop")
    parser.add_argument("suites", nargs="*", help="only suites whose names begin so")
    options = parser.parse_args()
    LOGS.mkdir(parents=True, exist_ok=True)
    suites = [s for s in all_suites(options.long)
              if not options.suites or any(s.name.startswith(p) for p in options.suites)]
    if options.list:
        print("\n".join(s.name for s in suites))
        return 0
    total = Outcome()
    failures = []
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        for job in concurrent.futures.as_completed([pool.submit(run_suite, s) for s in suites]):
            suite, outcome, secs = job.result()
            total.passed += outcome.passed
            total.failed += outcome.failed
            total.skipped += outcome.skipped
            print(f"{suite.name}: {counts_text(outcome)} ({secs:.0f} s)", flush=True)
            if outcome.failed:
                failures.append((suite, outcome))
    for suite, outcome in failures:
        print(f"\n--- {suite.name} ---\n{outcome.details.rstrip()}")
    if failures:
        print(f"\nlogs: {LOGS}")
    print(counts_text(total))
    return 1 if total.failed or not suites else 0


if __name__ == "__main__":
    sys.exit(main())
