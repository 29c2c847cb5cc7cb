"""Medians of rounds, beside their references and goals."""
import statistics

FETCH_GOAL, LOAD_GOAL, PEAK_GOAL_MIB = 1 / 8, 0.8, 200
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
            "" if ratio is None else f"{ratio:.3f}", "" if goal is None else f"<= {goal:g}",
            "" if goal is None else verdict(ratio <= goal),
            f"{median(sample.rows_per_second for sample in samples):,.0f}"]


def ratio_of(samples, references):
    """Both come from the same rounds: what slows a round down slows both."""
    return median(mine / other for mine, other in zip(samples, references))


def fetch_line(table, mine, node):
    ratio = ratio_of([s.cpu for s in mine], [s.cpu for s in node])
    return line(f"fetch, {table.lower()}", mine, f"{cpu(node):.2f} s, oracledb (npm, thin)", ratio,
                FETCH_GOAL)


def load_line(table, loads):
    copies = [sample.more["copy_cpu"] for sample in loads]
    ratio = ratio_of([sample.cpu for sample in loads], copies)
    per_million = median(c / s.rows * 1e6 for c, s in zip(copies, loads))
    return line(f"fetch, convert and COPY, {table.lower()}", loads,
                f"{per_million:.2f} s, backend's COPY", ratio, LOAD_GOAL)


def validate_line(table, samples):
    return line(f"validate, {table.lower()}", samples)


def peak_line(measure, samples):
    peak = max(sample.peak_mib for sample in samples)
    return [measure, f"{samples[0].rows:,}", f"{peak:.0f} MiB", "", "", f"< {PEAK_GOAL_MIB} MiB",
            verdict(peak < PEAK_GOAL_MIB),
            f"{median(sample.rows_per_second for sample in samples):,.0f}"]


def lines_of(rounds, memory):
    """`rounds`: measure -> table -> samples; `memory`: measure -> sample."""
    tables = list(rounds["load"])
    lines = [fetch_line(t, rounds["fetch"][t], rounds["node"][t]) for t in tables]
    lines += [load_line(t, rounds["load"][t]) for t in tables]
    lines += [validate_line(t, rounds["validate"][t]) for t in tables]
    for measure in ("load", "validate"):
        lines += [peak_line(f"peak memory, {measure}, {t.lower()}", rounds[measure][t])
                  for t in tables]
        lines.append(peak_line(f"peak memory, {measure}, all tables at once", [memory[measure]]))
    return lines


def markdown(lines):
    rows = [HEADER, ["---"] * len(HEADER), *lines]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def is_missed(lines):
    return any("MISSED" in row for row in lines)
