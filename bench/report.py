"""Medians of rounds, beside their references and goals."""
import statistics

from workloads import SMALL_LOBS

LOAD_GOAL, PEAK_GOAL_MIB, ONE_LOB_PEAK_GOAL_MIB, LOB_SPEED_GOAL = 0.8, 200, 16, 0.67
# Wherry's CPU as a part of the driver's, for the same rows; None: shown without a goal.
FETCH_REFERENCES = {
    "node": ("oracledb (npm, thin)", {"NARROW": 1 / 8, "WIDE": 1 / 8}),
    "go_ora": ("go-ora", {"NARROW": 1 / 3, "WIDE": None}),
    "jdbc": ("JDBC thin, warmed up", {"NARROW": 1 / 2, "WIDE": None}),
}
HEADER = ["measure", "rows", "Wherry", "reference", "ratio", "goal", "", "Wherry, rows/s"]


def median(values):
    return statistics.median(list(values))


def cpu(samples):
    return median(sample.cpu_per_million for sample in samples)


def verdict(is_met):
    return "met" if is_met else "MISSED"


def line(measure, samples, reference="", ratio=None, goal=None, shown=None):
    """Figures are CPU seconds per million rows unless `shown` says something else."""
    return [measure, f"{samples[0].rows:,}", shown or f"{cpu(samples):.2f} s", reference,
            "" if ratio is None else f"{ratio:.3f}", "" if goal is None else f"<= {goal:.3g}",
            "" if goal is None else verdict(ratio <= goal),
            f"{median(sample.rows_per_second for sample in samples):,.0f}"]


def ratio_of(samples, references):
    """Both come from the same rounds: what slows a round down slows both."""
    return median(mine / other for mine, other in zip(samples, references))


def fetch_line(table, mine, reference, others):
    name, goals = FETCH_REFERENCES[reference]
    measure = f"fetch, {table.lower()}"
    if not others:
        return [measure, f"{mine[0].rows:,}", f"{cpu(mine):.2f} s", f"{name} is missing", "", "",
                verdict(False) if goals[table] else "", ""]
    ratio = ratio_of([s.cpu for s in mine], [s.cpu for s in others])
    return line(measure, mine, f"{cpu(others):.2f} s, {name}", ratio, goals[table])


def lob_line(table, lobs, strings):
    """Bytes a second, which is rows a second: the values are the same."""
    ratio = ratio_of([s.rows_per_second for s in lobs], [s.rows_per_second for s in strings])
    speed = median(s.rows_per_second for s in strings)
    return [f"fetch, {table.lower()}", f"{lobs[0].rows:,}", f"{cpu(lobs):.2f} s",
            f"{cpu(strings):.2f} s, {speed:,.0f} rows/s, {SMALL_LOBS[table].lower()}",
            f"{ratio:.3f} of its rows/s", f">= {LOB_SPEED_GOAL:g}", verdict(ratio >= LOB_SPEED_GOAL),
            f"{median(s.rows_per_second for s in lobs):,.0f}"]


def load_line(table, loads):
    copies = [sample.more["copy_cpu"] for sample in loads]
    ratio = ratio_of([sample.cpu for sample in loads], copies)
    per_million = median(c / s.rows * 1e6 for c, s in zip(copies, loads))
    return line(f"fetch, convert and COPY, {table.lower()}", loads,
                f"{per_million:.2f} s, backend's COPY", ratio, LOAD_GOAL)


def validate_line(table, samples):
    return line(f"validate, {table.lower()}", samples)


def peak_line(measure, samples, goal_mib=PEAK_GOAL_MIB):
    peak = max(sample.peak_mib for sample in samples)
    return [measure, f"{samples[0].rows:,}", f"{peak:.0f} MiB", "", "", f"< {goal_mib} MiB",
            verdict(peak < goal_mib),
            f"{median(sample.rows_per_second for sample in samples):,.0f}"]


def lines_of(rounds, memory):
    """`rounds`: measure -> table -> samples; `memory`: measure -> sample."""
    tables = list(rounds["load"])
    fetches = rounds["fetch"]
    lines = [fetch_line(t, fetches[t], reference, rounds.get(reference, {}).get(t))
             for reference in FETCH_REFERENCES for t in tables]
    lines += [lob_line(lobs, fetches[lobs], fetches[strings])
              for lobs, strings in SMALL_LOBS.items()]
    lines += [load_line(t, rounds["load"][t]) for t in tables]
    lines += [validate_line(t, rounds["validate"][t]) for t in tables]
    for measure in ("load", "validate"):
        lines += [peak_line(f"peak memory, {measure}, {t.lower()}", rounds[measure][t])
                  for t in tables]
        lines.append(peak_line(f"peak memory, {measure}, all tables at once", [memory[measure]]))
    lines.append(peak_line("peak memory, fetch of one LOB of 100 MB", [memory["one LOB"]],
                           ONE_LOB_PEAK_GOAL_MIB))
    return lines


def markdown(lines):
    rows = [HEADER, ["---"] * len(HEADER), *lines]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def is_missed(lines):
    return any("MISSED" in row for row in lines)
