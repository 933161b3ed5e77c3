"""Verdicts on the paper's numbers: whether what was measured meets a criterion, by its 95 % interval."""

import math

import numpy as np
import pandas as pd
from scipy import stats

from reproduction import TIERS, results
from reproduction.paper_csv import other_side

METRICS = {"score": ("inception_score", "classifier_score"), "distance": ("fid", "fid_768")}
JUDGED_TIERS = [tier for tier in reversed(TIERS) if tier != "smoke"]  # the best first

REPRODUCED, NOT_REPRODUCED, NOT_SHOWN = "reproduced", "not reproduced", "not shown at this tier"
INCONCLUSIVE, SEEN, NOT_SEEN = "inconclusive", "seen once", "not seen once"
NOT_COMPARABLE, QUOTED, MISSING = "not comparable", "quoted", "missing"
WORST_FIRST = (NOT_REPRODUCED, NOT_SHOWN, INCONCLUSIVE, NOT_SEEN, SEEN, REPRODUCED)
UNJUDGED = (NOT_COMPARABLE, MISSING, QUOTED)
GOOD = (REPRODUCED, SEEN)
MEASURED = ["quantity_measured", "ours", "low", "high", "mine", "other", "seeds", "tier", "dataset", "verdict", "why"]
OF_REAL = "_of_real_images"


def interval(values):
    """The 95 % Student interval of a mean over seeds.

    Args:
        values: one for each seed, at least 2.

    Returns:
        Its ends, mean +- t(0.975, n - 1) s / sqrt(n).
    """
    values = np.asarray(values, "float64")
    half = stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return values.mean() - half, values.mean() + half


def bounds(direction, value, tolerance):
    """Where a criterion is met: from a number to a number.

    Args:
        direction: one of DIRECTIONS.
        value: the paper's; not used by above and below, whose measure is a difference.
        tolerance: at least 0, in the value's unit.

    Returns:
        The lowest and the highest number that meet it, and whether these themselves do.
    """
    if direction in ("match", "same"):
        return value - tolerance, value + tolerance, True
    if direction == "at_least":
        return value - tolerance, math.inf, True
    if direction == "at_most":
        return -math.inf, value + tolerance, True
    if direction in ("above", "below"):
        return (tolerance, math.inf, False) if direction == "above" else (-math.inf, -tolerance, False)
    return (0.0, math.inf, False) if value > 0 else (-math.inf, 0.0, False)


def judge(low, high, direction, value, tolerance=0.0):
    """Whether an interval meets a criterion.

    Args:
        low, high: its ends; equal for a single number.
        direction, value, tolerance: as of `bounds`. "same" is met as "match" is, and missed where the interval does not
            hold the value.

    Returns:
        True when the whole interval meets it, False when the whole misses it or an end is not finite, else None.
    """
    if not (math.isfinite(low) and math.isfinite(high)):
        return False
    lowest, highest, included = bounds(direction, value, tolerance)
    if (lowest <= low and high <= highest) if included else (lowest < low and high < highest):
        return True
    if direction == "same":
        return None if low <= value <= high else False
    if (high < lowest or low > highest) if included else (high <= lowest or low >= highest):
        return False
    return None


def word(met, tier, once):
    """The verdict on what `judge` gives.

    Args:
        met: True, False or None.
        tier: that the rows are of.
        once: whether it was a single number of a single seed.
    """
    if once:
        return SEEN if met else NOT_SEEN
    if met is None:
        return INCONCLUSIVE
    return REPRODUCED if met else NOT_REPRODUCED if tier == "paper" else NOT_SHOWN


def verdict(paper, rows, tiers=JUDGED_TIERS):
    """Judge one row of paper.csv at the best tier that has what it asks for.

    Args:
        paper: the row.
        rows: the experiment's results.
        tiers: those to look at, the best first.

    Returns:
        A dict of MEASURED; ours is the mean over seeds; for above and below it is that of the
        differences, mine and other those of the two sides.
    """
    told = {"quantity_measured": "", "ours": math.nan, "low": math.nan, "high": math.nan, "seeds": 0, "tier": ""}
    told |= {"dataset": "", "why": "", "mine": math.nan, "other": math.nan}
    if paper["kind"] == "quoted":
        return told | {"verdict": QUOTED, "why": "not run here"}
    there = rows[(rows["setting"] == paper["setting"]) & (rows["part"] == paper["part"])]
    real = rows[rows["dataset"] != results.EMBEDDED]
    for tier in tiers:
        for quantity in METRICS.get(paper["quantity"], (paper["quantity"],)):
            chosen = measured(paper, quantity, real[real["tier"] == tier])
            if chosen is not None:
                return told | judged(paper, chosen, tier) | {"quantity_measured": quantity}
    there = there[there["tier"].isin(tiers)]
    if len(there) and (there["dataset"] == results.EMBEDDED).all():
        return told | {"verdict": NOT_COMPARABLE, "why": "embedded data"}
    if there["quantity"].isin(METRICS.get(paper["quantity"], (paper["quantity"],))).any():
        return told | {"verdict": MISSING, "why": "the other side was not run"}
    if len(there) and paper["kind"] in ("reported", "digitised"):
        return told | {"verdict": NOT_COMPARABLE, "why": f"measured instead: {instead(paper['quantity'], there)}"}
    return told | {"verdict": MISSING, "why": "not run"}


def instead(quantity, rows):
    """What was measured in place of a quantity, in words, beside the same figures of real images where there are such.

    Args:
        quantity: the paper's.
        rows: of the same setting and part.
    """
    best = rows[rows["tier"] == max(rows["tier"], key=TIERS.index)]
    means = best.groupby("quantity")["value"].mean()
    if named := [name for name in means.index if name.startswith(quantity)]:
        return ", ".join(named)
    beside = [name for name in means.index if f"{name}{OF_REAL}" in means.index]
    pairs = [f"{name} {means[name]:.4g} (real images {means[name + OF_REAL]:.4g})" for name in beside]
    return ", ".join(pairs or means.index)


def measured(paper, quantity, rows):
    """The rows of one tier that a row of paper.csv asks for, a row a seed; None where there are none.

    Args:
        paper: the row.
        quantity: in place of the row's own.
        rows: of one tier; of several data sets the one finished last counts.

    Returns:
        A DataFrame, its `value` the difference to the other side where there is one.
    """

    def of(side):
        same = (rows["quantity"] == side["quantity"]) & (rows["setting"] == side["setting"])
        return rows[same & (rows["part"] == side["part"])]

    mine, other = of({**paper, "quantity": quantity}), other_side(paper)
    if other is not None:
        theirs = of(other if paper["than"].startswith("quantity=") else other | {"quantity": quantity})
        mine = mine.merge(theirs[["seed", "dataset", "value"]], on=["seed", "dataset"], suffixes=("", "_of_other"))
        mine = mine.assign(
            mine=mine["value"], value=mine["value"] - mine["value_of_other"], low=math.nan, high=math.nan
        )
    if not len(mine):
        return None
    return mine[mine["dataset"] == mine.sort_values("finished")["dataset"].iloc[-1]]


def judged(paper, chosen, tier):
    """The part of `verdict` that is about numbers.

    Args:
        paper: the row.
        chosen: as from `measured`.
        tier: that they are of.
    """
    values = chosen["value"].to_numpy("float64")
    finite = np.isfinite(values).all()
    told = {"ours": values.mean(), "seeds": len(values), "tier": tier, "dataset": chosen["dataset"].iloc[0]}
    told |= {"low": math.nan, "high": math.nan}
    if "mine" in chosen:
        told |= {"mine": chosen["mine"].mean(), "other": chosen["value_of_other"].mean()}
    if len(values) > 1 and finite:
        told["low"], told["high"] = interval(values)
    elif len(values) == 1 and chosen[["low", "high"]].notna().all(axis=None):
        told["low"], told["high"], told["why"] = chosen["low"].iloc[0], chosen["high"].iloc[0], "one run"
    once = len(values) == 1 and pd.isna(told["low"])
    if not paper["direction"]:
        return told | {"verdict": NOT_COMPARABLE, "why": "no criterion"}
    ends = (values[0], values[0]) if once else (told["low"], told["high"])
    tolerance = 0.0 if pd.isna(paper["tolerance"]) else paper["tolerance"]
    met = finite and judge(*ends, paper["direction"], paper["value"], tolerance)
    return told | {"verdict": word(met, tier, once)}
