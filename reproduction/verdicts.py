"""Verdicts on the paper's numbers: whether what was measured meets a criterion, by its 95 % interval."""

import math
from collections.abc import Sequence

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


def interval(values: Sequence[float]) -> tuple[float, float]:
    """The 95 % Student interval of a mean over seeds.

    Args:
        values: one for each seed, at least 2.

    Returns:
        Its ends, mean +- t(0.975, n - 1) s / sqrt(n).
    """
    values = np.asarray(values, "float64")
    half = stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return values.mean() - half, values.mean() + half


def bounds(direction: str, value: float, tolerance: float) -> tuple[float, float, bool]:
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


def judge(low: float, high: float, direction: str, value: float, tolerance: float = 0.0) -> bool | None:
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


def word(met: bool | None, tier: str, once: bool) -> str:
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


def verdict(paper: pd.Series, rows: pd.DataFrame, tiers: list[str] = JUDGED_TIERS) -> dict:
    """Judge one row of paper.csv at the best tier that has what it asks for.

    Args:
        paper: the row.
        rows: the experiment's results.
        tiers: those to look at, the best first.

    Returns:
        A dict of MEASURED; ours is the mean over seeds; for above and below it is that of the
        differences, mine and other those of the two sides.
    """
    result = {"quantity_measured": "", "ours": math.nan, "low": math.nan, "high": math.nan, "seeds": 0, "tier": ""}
    result |= {"dataset": "", "why": "", "mine": math.nan, "other": math.nan}
    if paper["kind"] == "quoted":
        return result | {"verdict": QUOTED, "why": "not run here"}
    same_setting = rows[(rows["setting"] == paper["setting"]) & (rows["part"] == paper["part"])]
    real = rows[rows["dataset"] != results.EMBEDDED]
    for tier in tiers:
        for quantity in METRICS.get(paper["quantity"], (paper["quantity"],)):
            chosen = measured(paper, quantity, real[real["tier"] == tier])
            if chosen is not None:
                return result | judged(paper, chosen, tier) | {"quantity_measured": quantity}
    same_setting = same_setting[same_setting["tier"].isin(tiers)]
    if len(same_setting) and (same_setting["dataset"] == results.EMBEDDED).all():
        return result | {"verdict": NOT_COMPARABLE, "why": "embedded data"}
    if same_setting["quantity"].isin(METRICS.get(paper["quantity"], (paper["quantity"],))).any():
        return result | {"verdict": MISSING, "why": "the other side was not run"}
    if len(same_setting) and paper["kind"] in ("reported", "digitised"):
        why = f"measured instead: {instead(paper['quantity'], same_setting)}"
        return result | {"verdict": NOT_COMPARABLE, "why": why}
    return result | {"verdict": MISSING, "why": "not run"}


def instead(quantity: str, rows: pd.DataFrame) -> str:
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


def measured(paper: pd.Series, quantity: str, rows: pd.DataFrame) -> pd.DataFrame | None:
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

    own, other = of({**paper, "quantity": quantity}), other_side(paper)
    if other is not None:
        others = of(other if paper["than"].startswith("quantity=") else other | {"quantity": quantity})
        own = own.merge(others[["seed", "dataset", "value"]], on=["seed", "dataset"], suffixes=("", "_of_other"))
        own = own.assign(mine=own["value"], value=own["value"] - own["value_of_other"], low=math.nan, high=math.nan)
    if not len(own):
        return None
    return own[own["dataset"] == own.sort_values("finished")["dataset"].iloc[-1]]


def judged(paper: pd.Series, chosen: pd.DataFrame, tier: str) -> dict:
    """The part of `verdict` that is about numbers.

    Args:
        paper: the row.
        chosen: as from `measured`.
        tier: that they are of.
    """
    values = chosen["value"].to_numpy("float64")
    finite = np.isfinite(values).all()
    result = {"ours": values.mean(), "seeds": len(values), "tier": tier, "dataset": chosen["dataset"].iloc[0]}
    result |= {"low": math.nan, "high": math.nan}
    if "mine" in chosen:
        result |= {"mine": chosen["mine"].mean(), "other": chosen["value_of_other"].mean()}
    if len(values) > 1 and finite:
        result["low"], result["high"] = interval(values)
    elif len(values) == 1 and chosen[["low", "high"]].notna().all(axis=None):
        result["low"], result["high"], result["why"] = chosen["low"].iloc[0], chosen["high"].iloc[0], "one run"
    once = len(values) == 1 and pd.isna(result["low"])
    if not paper["direction"]:
        return result | {"verdict": NOT_COMPARABLE, "why": "no criterion"}
    ends = (values[0], values[0]) if once else (result["low"], result["high"])
    tolerance = 0.0 if pd.isna(paper["tolerance"]) else paper["tolerance"]
    met = finite and judge(*ends, paper["direction"], paper["value"], tolerance)
    return result | {"verdict": word(met, tier, once)}
