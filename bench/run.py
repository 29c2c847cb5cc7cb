#!/usr/bin/env python3
"""Measures Wherry beside its references on one machine in one run: a Markdown table on standard
output, all samples in $BUILD/bench.json. Exit status 1: a goal was missed.
docs/design/performance.md says what is measured and how.

usage: run.py [--rounds N] [--scale FACTOR]
"""
import argparse
import contextlib
import dataclasses
import json
import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = (ROOT / os.environ.get("BUILD", "build")).resolve()
os.environ["WHERRY_BUILD"] = str(BUILD)
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tests" / "integration"))

import measure  # noqa: E402: needs the path above
import report  # noqa: E402
import workloads  # noqa: E402
from support.orasim import Orasim  # noqa: E402
from support.postgres import Postgres  # noqa: E402


# References that come from registries; without one its lines say so.
PEERS = {"go_ora": measure.fetch_with_go_ora, "jdbc": measure.fetch_with_jdbc}


def say(text):
    print(text, file=sys.stderr, flush=True)


def measure_round(sim, target, rounds):
    """Everything once, Wherry and its references in turns."""
    for table in workloads.MEASURED:
        load, validate = measure.load_and_validate(sim, target, [table])
        samples = {"fetch": measure.fetch_with_wherry(sim, table),
                   "node": measure.fetch_with_node(sim, table), "load": load, "validate": validate}
        if len({sample.rows for sample in samples.values()}) != 1:
            raise SystemExit(f"not the same rows of {table}: {samples}")
        for peer, fetch in PEERS.items():
            with contextlib.suppress(measure.MissingPeer):
                samples[peer] = fetch(sim, table)
        for name, sample in samples.items():
            rounds.setdefault(name, {}).setdefault(table, []).append(sample)
    for table in workloads.SMALL_LOB_TABLES:
        rounds.setdefault("fetch", {}).setdefault(table, []).append(
            measure.fetch_with_wherry(sim, table))


def measure_memory(sim, target, scale):
    workloads.fill_for_memory(sim, scale)
    load, validate = measure.load_and_validate(
        sim, target, [*workloads.MEASURED, "LARGE", "DOCUMENT"])
    return {"load": load, "validate": validate,
            "one LOB": measure.fetch_with_wherry(sim, workloads.ONE_LOB)}


def measure_all(options):
    rounds = {}
    sim = Orasim()
    try:
        postgres = Postgres()
        try:
            target = measure.Target(postgres)
            say("filling the tables")
            workloads.fill_measured(sim, options.scale)
            workloads.fill_lobs(sim, options.scale)
            for number in range(options.rounds):
                say(f"round {number + 1} of {options.rounds}")
                measure_round(sim, target, rounds)
            say("memory: all tables at once")
            return rounds, measure_memory(sim, target, options.scale)
        finally:
            postgres.close()
    finally:
        sim.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0, help="factor on the number of rows")
    options = parser.parse_args()
    load_before = os.getloadavg()
    rounds, memory = measure_all(options)
    lines = report.lines_of(rounds, memory)
    print(report.markdown(lines))
    print(f"\nCPU seconds per million rows, of whole processes; medians of {options.rounds} "
          f"interleaved rounds; {os.cpu_count()} CPUs, load average {load_before[0]:.1f} before "
          f"and {os.getloadavg()[0]:.1f} after.")
    document = {"machine": {"cpus": os.cpu_count(), "load_before": load_before,
                            "load_after": os.getloadavg()},
                "rounds": rounds, "memory": memory, "header": report.HEADER, "table": lines}
    (BUILD / "bench.json").write_text(json.dumps(document, indent=1, default=dataclasses.asdict))
    return 1 if report.is_missed(lines) else 0


if __name__ == "__main__":
    sys.exit(main())
