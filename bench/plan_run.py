#!/usr/bin/env python3
"""Measures how long 50,000 tables under 2,000 rules take to be planned, and in how much memory: a
Markdown table on standard output. Exit status 1: a goal was missed.

usage: plan_run.py [--rounds N]
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = (ROOT / os.environ.get("BUILD", "build")).resolve()
MOST_SECONDS, MOST_BYTES = 3, 500_000_000


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    samples = [json.loads(subprocess.run([BUILD / "plan_bench"], check=True,
                                         stdout=subprocess.PIPE).stdout) for _ in range(rounds)]
    seconds = statistics.median(sample["seconds"] for sample in samples)
    memory = max(sample["memory_bytes"] for sample in samples)
    is_met = seconds <= MOST_SECONDS and memory <= MOST_BYTES
    print("| what | tables | rules | value | goal | |\n|---|---|---|---|---|---|")
    for value, goal, met in [
            (f"{seconds:.2f} s", f"at most {MOST_SECONDS} s", seconds <= MOST_SECONDS),
            (f"{memory / 1e6:.0f} MB", f"at most {MOST_BYTES / 1e6:.0f} MB", memory <= MOST_BYTES)]:
        print(f"| planned | {samples[0]['tables']:,} | {samples[0]['rules']:,} | {value} | {goal} "
              f"| {'met' if met else 'missed'} |")
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())
