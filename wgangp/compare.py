"""The paper's numbers beside ours, with a verdict each."""

import subprocess

import numpy as np
import pandas as pd
from scipy import stats

from wgangp import results
from wgangp.errors import InputError
from wgangp.experiment import FOLDER, names

PAPER_COLUMNS = ["quantity", "setting", "value", "err", "kind", "source", "direction", "tolerance"]
REPRODUCED, NOT_REPRODUCED = "reproduced", "not reproduced"
NOT_COMPARABLE, MISSING = "not comparable", "missing"


def paper_rows(name):
    """Read an experiment's paper.csv.

    Returns:
        A DataFrame with PAPER_COLUMNS.

    Raises:
        InputError: no such experiment, or a direction or column that is not known.
    """
    path = FOLDER / name / "paper.csv"
    if not path.exists():
        raise InputError(f"experiment '{name}' is unknown; there are: {', '.join(names())}.")
    frame = pd.read_csv(path)
    if list(frame.columns) != PAPER_COLUMNS:
        raise InputError(f"{path} has columns {list(frame.columns)}, not {PAPER_COLUMNS}.")
    odd = set(frame["direction"]) - {"match", "at_least", "at_most", "sign"}
    if odd:
        raise InputError(f"{path}: direction {sorted(odd)[0]!r} is unknown; use match, at_least, at_most or sign.")
    return frame


def interval(values):
    """Mean and half-width of the 95 % Student interval over seeds, which is NaN from one value."""
    values = np.asarray(values, "float64")
    if len(values) < 2:
        return values.mean(), float("nan")
    return values.mean(), stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))


def holds(ours, direction, value, tolerance):
    """Whether our number agrees with the paper's.

    Args:
        ours: a number.
        direction: "match" (within the tolerance), "at_least", "at_most" (each less the tolerance) or
            "sign" (the same sign).
        value: the paper's.
        tolerance: at least 0, in the value's unit.
    """
    if direction == "match":
        return abs(ours - value) <= tolerance
    if direction == "at_least":
        return ours >= value - tolerance
    if direction == "at_most":
        return ours <= value + tolerance
    return np.sign(ours) == np.sign(value)


def verdict(paper, rows):
    """Judge one row of paper.csv.

    Args:
        paper: the row.
        rows: the experiment's results.

    Returns:
        {"ours", "interval", "seeds", "tier", "verdict", "why"}.
    """
    rows = rows[rows["setting"] == paper["setting"]]
    same = rows[rows["quantity"] == paper["quantity"]]
    blank = {"ours": np.nan, "interval": np.nan, "seeds": 0, "tier": ""}
    for tier in ("paper", "short"):
        chosen = same[same["tier"] == tier]
        if len(chosen):
            break
    else:
        others = sorted(set(rows[rows["tier"] != "smoke"]["quantity"]) - {paper["quantity"]})
        others = [name for name in others if name.startswith(paper["quantity"])] or others
        if others and not len(same):
            return blank | {"verdict": NOT_COMPARABLE, "why": f"measured instead: {', '.join(others)}"}
        return blank | {"verdict": MISSING, "why": "smoke tier only" if len(same) else "not run"}
    mean, half = interval(chosen["value"])
    told = {"ours": mean, "interval": half, "seeds": len(chosen), "tier": tier}
    if chosen["protocol"].str.contains("dataset=embedded").any():
        return told | {"verdict": NOT_COMPARABLE, "why": "embedded data"}
    if not np.isfinite(paper["value"]):
        return told | {"verdict": NOT_COMPARABLE, "why": "the paper gives no number"}
    tolerance = 0.0 if pd.isna(paper["tolerance"]) else paper["tolerance"]
    good = holds(mean, paper["direction"], paper["value"], tolerance)
    return told | {"verdict": REPRODUCED if good else NOT_REPRODUCED, "why": ""}


def compare(name, rows=None):
    """Set an experiment's results beside the paper's numbers.

    Args:
        name: the experiment.
        rows: its results; read from the results folder when None.

    Returns:
        paper.csv's columns and those of `verdict`, a row each.
    """
    rows = results.read(name) if rows is None else rows
    paper = paper_rows(name)
    judged = [verdict(row, rows) for _, row in paper.iterrows()]
    columns = ["ours", "interval", "seeds", "tier", "verdict", "why"]
    judged = pd.DataFrame(judged, columns=columns, index=paper.index)
    return pd.concat([paper, judged], axis=1).assign(experiment=name)


def lost(name):
    """The rows that the committed results reproduce and the present ones do not.

    Returns:
        Rows of `compare`, of the present results; empty outside a git checkout.
    """
    path = results.path_of(name, results.ROOT)
    committed = subprocess.run(
        ["git", "-C", str(results.ROOT), "show", f"HEAD:{path.relative_to(results.ROOT)}"],
        capture_output=True,
        text=True,
    )
    now = compare(name)
    if committed.returncode != 0:
        return now[:0]
    before = compare(name, results.parse(committed.stdout, f"HEAD:{path.name}"))
    return now[(before["verdict"] == REPRODUCED) & (now["verdict"] != REPRODUCED)]


def target(row):
    """What the paper says, in a few characters: "-0.82 ± 0.3", ">= 0.8"."""
    value = f"{row['value']:.4g}"
    if row["direction"] == "match":
        return f"{value} ± {row['tolerance']:.3g}"
    if row["direction"] == "sign":
        return "> 0" if row["value"] > 0 else "< 0"
    return f"{'≥' if row['direction'] == 'at_least' else '≤'} {value}"


def ours(row):
    """Our number: mean, interval, seeds and tier."""
    if not row["seeds"]:
        return "–"
    half = "" if pd.isna(row["interval"]) else f" ± {row['interval']:.2g}"
    return f"{row['ours']:.4g}{half} (n={row['seeds']}, {row['tier']})"


def as_text(frame):
    """The comparison as lines for a terminal."""
    table = [("experiment", "quantity", "setting", "paper", "kind", "ours", "verdict")]
    for _, row in frame.iterrows():
        told = row["verdict"] + (f" ({row['why']})" if row["why"] else "")
        table.append((row["experiment"], row["quantity"], row["setting"], target(row), row["kind"], ours(row), told))
    widths = [max(len(line[i]) for line in table) for i in range(7)]
    return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)).rstrip() for line in table)
