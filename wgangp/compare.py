"""The paper's numbers and claims beside ours, with verdicts."""

import math
import textwrap

import numpy as np
import pandas as pd
from scipy import stats

from wgangp import results
from wgangp.errors import InputError
from wgangp.experiment import FOLDER, TIERS, names
from wgangp.files import replacing

PAPER_COLUMNS = [
    "claim",
    "quantity",
    "setting",
    "part",
    "value",
    "err",
    "kind",
    "source",
    "direction",
    "than",
    "tolerance",
]
KINDS = ("reported", "digitised", "claimed", "quoted")
DIRECTIONS = ("match", "same", "at_least", "at_most", "above", "below", "sign")
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
SIDES = ("yours", "committed")  # what was measured in this checkout, and what came with it


def paper_rows(name):
    """Read an experiment's paper.csv.

    Returns:
        A DataFrame with PAPER_COLUMNS.

    Raises:
        InputError: no such experiment, or the file is not as it must be.
    """
    path = FOLDER / name / "paper.csv"
    if not path.exists():
        raise InputError(f"experiment '{name}' is unknown; there are: {', '.join(names())}.")
    words = {column: str for column in PAPER_COLUMNS if column not in ("value", "err", "tolerance")}
    try:
        frame = pd.read_csv(path, dtype=words)
    except (ValueError, OSError) as error:
        raise InputError(f"{path} cannot be read as CSV: {error}.") from None
    if list(frame.columns) != PAPER_COLUMNS:
        raise InputError(f"{path} has columns {list(frame.columns)}, not {PAPER_COLUMNS}.")
    frame[list(words)] = frame[list(words)].fillna("")
    for column, known in (("direction", (*DIRECTIONS, "")), ("kind", KINDS)):
        odd = set(frame[column]) - set(known)
        if odd:
            raise InputError(f"{path}: {column} {sorted(odd)[0]!r} is unknown; use {', '.join(filter(None, known))}.")
    for _, row in frame.iterrows():
        other_side(row, path)
    return frame


def claims_of(name):
    """Read an experiment's claims.csv: the claims that the rows of paper.csv belong to.

    Returns:
        A DataFrame: claim (its name), short (at most 34 characters), says (the paper's claim in a sentence), where
        (in the paper).

    Raises:
        InputError: the file is not as it must be.
    """
    path = FOLDER / name / "claims.csv"
    columns = ["claim", "short", "says", "where"]
    try:
        frame = pd.read_csv(path, dtype=str)
    except (ValueError, OSError) as error:
        raise InputError(f"{path} cannot be read as CSV: {error}.") from None
    if list(frame.columns) != columns:
        raise InputError(f"{path} has columns {list(frame.columns)}, not {columns}.")
    return frame


def other_side(row, path="paper.csv"):
    """What a row of paper.csv is compared with: its `than`, "setting=weight clipping" or the like; None for nothing.

    Returns:
        The row with that setting, part or quantity in place of its own.

    Raises:
        InputError: `than` and `direction` do not go together, or it names something else.
    """
    if (row["direction"] in ("above", "below")) != bool(row["than"]):
        raise InputError(f"{path}: a row above or below something names it in `than`, others do not ({row['claim']}).")
    if not row["than"]:
        return None
    column, _, value = row["than"].partition("=")
    if column not in ("setting", "part", "quantity") or not value:
        raise InputError(f"{path}: than {row['than']!r}; use setting=, part= or quantity= and a name.")
    return pd.concat([row.drop(column), pd.Series({column: value})])


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
        A dict of MEASURED and `verdict`; ours is the mean over seeds; for above and below it is that of the
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
    same = there[there["quantity"].isin(METRICS.get(paper["quantity"], (paper["quantity"],)))]
    if len(same):
        if (same["dataset"] == results.EMBEDDED).all():
            return told | {"verdict": NOT_COMPARABLE, "why": "embedded data"}
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

    mine, other = of(with_quantity(paper, quantity)), other_side(paper)
    if other is not None:
        theirs = of(other if paper["than"].startswith("quantity=") else with_quantity(other, quantity))
        mine = mine.merge(theirs[["seed", "dataset", "value"]], on=["seed", "dataset"], suffixes=("", "_of_other"))
        mine = mine.assign(
            mine=mine["value"], value=mine["value"] - mine["value_of_other"], low=math.nan, high=math.nan
        )
    if not len(mine):
        return None
    return mine[mine["dataset"] == mine.sort_values("finished")["dataset"].iloc[-1]]


def with_quantity(row, quantity):
    """A row of paper.csv with another quantity in place of its own."""
    return pd.concat([row.drop("quantity"), pd.Series({"quantity": quantity})])


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


def compare(name, rows, tiers=JUDGED_TIERS):
    """Set an experiment's results beside the paper's numbers.

    Args:
        name: the experiment.
        rows: its results.
        tiers: as of `verdict`.

    Returns:
        paper.csv's columns and those of `verdict`, a row each.
    """
    paper = paper_rows(name)
    found = pd.DataFrame(
        [verdict(row, rows, tiers) for _, row in paper.iterrows()], columns=MEASURED, index=paper.index
    )
    return pd.concat([paper, found], axis=1).assign(experiment=name)


def claims(name, table):
    """The verdict on each claim of an experiment: that of its worst row.

    Args:
        name: the experiment.
        table: of `compare`.

    Returns:
        The columns of claims.csv, and experiment, verdict, tier, rows (how many are judged), beside (what is not
        comparable or missing, in words).
    """
    found = []
    for _, claim in claims_of(name).iterrows():
        rows = table[table["claim"] == claim["claim"]]
        counted = rows[rows["verdict"].isin(WORST_FIRST)]
        others = rows[~rows.index.isin(counted.index)]
        order = WORST_FIRST if len(counted) else UNJUDGED
        verdict = next((w for w in order if (rows["verdict"] == w).any()), MISSING)
        worst = rows[rows["verdict"] == verdict]
        counts = others["verdict"].value_counts() if len(counted) else {}
        beside = ", ".join(f"{counts[w]} {w}" for w in UNJUDGED if w in counts)
        about = {"experiment": name, "verdict": verdict, "tier": "", "rows": len(counted), "beside": beside}
        if len(worst):
            about["tier"] = worst["tier"].iloc[0]
        found.append({**claim, **about})
    return pd.DataFrame(found, columns=[*claims_of(name).columns, "experiment", "verdict", "tier", "rows", "beside"])


def both(name, tiers):
    """An experiment's comparison with the rows of this checkout and with the committed ones.

    Args:
        name: the experiment.
        tiers: {side: as of `verdict`}.

    Returns:
        {"yours": table of `compare`, "committed": likewise}.
    """
    committed = results.committed(name)
    rows = results.yours(name), results.empty() if committed is None else committed
    return {side: compare(name, of_side, tiers[side]) for side, of_side in zip(SIDES, rows)}


def lost(name):
    """Rows that the committed results reproduce and the present ones do not, at each tier.

    Returns:
        Rows of `compare`, of the present results; empty outside a git checkout.
    """
    committed, gone = results.committed(name), []
    here = results.read(name)
    for tier in JUDGED_TIERS if committed is not None else ():
        before, now = compare(name, committed, [tier]), compare(name, here, [tier])
        gone.append(now[before["verdict"].isin(GOOD) & ~now["verdict"].isin(GOOD)].assign(tier=tier))
    return pd.concat(gone) if gone else compare(name, results.empty())[:0]


def paper_says(row):
    """The paper's number with its own error and, where ours is of another metric, its metric; "–" where it has none."""
    if pd.isna(row["value"]) or row["kind"] == "claimed":
        return "–"
    metric = METRICS.get(row["quantity"], ("",))[0]
    named = f" ({metric})" if metric and row.get("quantity_measured", "") not in ("", metric) else ""
    return f"{row['value']:.4g}" + ("" if pd.isna(row["err"]) else f" ± {row['err']:.2g}") + named


def criterion(row):
    """What we accept, in a few characters: "within 0.3", "≥ 0.8", "> weight clipping"."""
    value, tolerance = row["value"], 0.0 if pd.isna(row["tolerance"]) else row["tolerance"]
    if row["direction"] in ("above", "below"):
        return f"{'>' if row['direction'] == 'above' else '<'} {row['than'].partition('=')[2]}"
    if row["direction"] == "sign":
        return "> 0" if value > 0 else "< 0"
    if row["direction"] in ("match", "same"):
        return f"{value:.4g} ± {tolerance:.3g}"
    if not row["direction"]:
        return "none"
    sign = "≥" if row["direction"] == "at_least" else "≤"
    return f"{sign} {value:.4g}" + (f" {'-' if sign == '≥' else '+'} {tolerance:.3g}" if tolerance else "")


def ours(row):
    """Our number: mean, interval, seeds and tier; of a comparison both sides and their difference."""
    if not row["seeds"]:
        return "–"
    text = f"{row['ours']:.4g}"
    if pd.notna(row["mine"]):
        text = f"{row['mine']:.4g} against {row['other']:.4g}, difference {text}"
    if pd.notna(row["low"]):
        text += f" [{row['low']:.4g}, {row['high']:.4g}]"
    return f"{text} ({row['tier']}, {row['seeds']} seed{'' if row['seeds'] == 1 else 's'})"


def told(row):
    """A verdict with its reason."""
    return row["verdict"] + (f" ({row['why']})" if row["why"] else "")


def at_tier(claim):
    """A claim's verdict with its tier, at most 30 characters: "paper: reproduced"."""
    return f"{claim['tier']}: {claim['verdict']}" if claim["tier"] else claim["verdict"]


def totals(claims):
    """How many claims have which verdict, in words."""
    counts = claims["verdict"].value_counts()
    order = [*reversed(WORST_FIRST), *UNJUDGED]
    return ", ".join(f"{counts[w]} {w}" for w in order if w in counts) or "no claims"


def table(name, tier=None):
    """An experiment's comparison for its notebook, with all rows that are there.

    Args:
        name: the experiment.
        tier: with this tier's rows only, of this checkout where it has any; the best tiers when None.

    Returns:
        A DataFrame as of `shown`.
    """
    rows = results.read(name)
    if tier and len(mine := results.yours(name).query("tier == @tier")):
        rows = mine
    return shown(compare(name, rows, [tier] if tier else JUDGED_TIERS))


def shown(table):
    """A table of `compare` for human readers.

    Returns:
        A DataFrame: claim, measured, the paper, we accept, ours, verdict.
    """
    rows = [
        {
            "claim": row["claim"],
            "measured": ", ".join(
                filter(None, (row["quantity_measured"] or row["quantity"], row["setting"], row["part"]))
            ),
            "the paper": paper_says(row),
            "we accept": criterion(row),
            "ours": ours(row),
            "verdict": told(row),
        }
        for _, row in table.iterrows()
    ]
    return pd.DataFrame(rows, columns=["claim", "measured", "the paper", "we accept", "ours", "verdict"])


def as_claims(yours, committed):
    """The claims as lines of at most 100 characters, and totals.

    Args:
        yours, committed: tables of `claims`, of the same claims.
    """
    lines = [f"{'':3} {'claim':34} {'yours':30} committed"]
    for (_, mine), (_, theirs) in zip(yours.iterrows(), committed.iterrows(), strict=True):
        lines.append(f"{mine['claim']:3} {mine['short']:34} {at_tier(mine):30} {at_tier(theirs)}".rstrip())
    for side, table in (("yours", yours), ("committed", committed)):
        text = f"{side}: {len(table)} claims: {totals(table)}"
        lines += ["", *textwrap.wrap(text, 100, subsequent_indent="  ")]
    return "\n".join(lines)


def as_rows(tables):
    """Every row, as lines for a terminal.

    Args:
        tables: {"yours": table of `compare`, "committed": likewise}, of the same rows.
    """
    head = ("claim", "quantity", "setting", "paper", "accepted", *(w for side in tables for w in (side, "verdict")))
    lines = [head]
    for position in range(len(next(iter(tables.values())))):
        rows = [table.iloc[position] for table in tables.values()]
        first = rows[0]
        where = ", ".join(filter(None, (first["setting"], first["part"])))
        cells = (first["claim"], first["quantity"], where, paper_says(first), criterion(first))
        lines.append((*cells, *(text for row in rows for text in (ours(row), told(row)))))
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)).rstrip() for line in lines)


def write_csv(path, tables):
    """Write every row with both sides, as CSV.

    Args:
        path: the file.
        tables: as of `as_rows`.

    Raises:
        InputError: it cannot be written.
    """
    sides = [table[MEASURED].add_prefix(f"{side}_").reset_index(drop=True) for side, table in tables.items()]
    about = next(iter(tables.values()))[["experiment", *PAPER_COLUMNS]].reset_index(drop=True)
    with replacing(path) as file:
        pd.concat([about, *sides], axis=1).to_csv(file, index=False)
