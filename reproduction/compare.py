"""The paper's numbers and claims beside ours, as tables and lines."""

import textwrap
from pathlib import Path

import pandas as pd

from reproduction import paper_csv, results, verdicts
from reproduction.display import counted
from wgangp.runtime.files import replacing

SIDES = ("yours", "committed")  # what was measured in this checkout, and what came with it


def compare(name: str, rows: pd.DataFrame, tiers: list[str] = verdicts.JUDGED_TIERS) -> pd.DataFrame:
    """Set an experiment's results beside the paper's numbers.

    Args:
        name: the experiment.
        rows: its results.
        tiers: as of `verdict`.

    Returns:
        paper.csv's columns and those of `verdict`, a row each.
    """
    numbers = paper_csv.rows_of(name)
    judged = pd.DataFrame(
        [verdicts.verdict(row, rows, tiers) for _, row in numbers.iterrows()],
        columns=verdicts.MEASURED,
        index=numbers.index,
    )
    return pd.concat([numbers, judged], axis=1).assign(experiment=name)


def claims(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """The verdict on each claim of an experiment: that of its worst row.

    Args:
        name: the experiment.
        table: of `compare`.

    Returns:
        The columns of claims.csv, and experiment, verdict, tier, rows (how many are judged), beside (what is not
        comparable or missing, in words).
    """
    known, judged = paper_csv.claims_of(name), []
    for _, claim in known.iterrows():
        rows = table[table["claim"] == claim["claim"]]
        counted = rows[rows["verdict"].isin(verdicts.WORST_FIRST)]
        others = rows[~rows.index.isin(counted.index)]
        order = verdicts.WORST_FIRST if len(counted) else verdicts.UNJUDGED
        verdict = next((w for w in order if (rows["verdict"] == w).any()), verdicts.MISSING)
        worst = rows[rows["verdict"] == verdict]
        counts = others["verdict"].value_counts() if len(counted) else {}
        beside = ", ".join(f"{counts[w]} {w}" for w in verdicts.UNJUDGED if w in counts)
        about = {"experiment": name, "verdict": verdict, "tier": "", "rows": len(counted), "beside": beside}
        if len(worst):
            about["tier"] = worst["tier"].iloc[0]
        judged.append({**claim, **about})
    return pd.DataFrame(judged, columns=[*known.columns, "experiment", "verdict", "tier", "rows", "beside"])


def both(name: str, tiers: dict[str, list[str]]) -> dict[str, pd.DataFrame]:
    """An experiment's comparison with the rows of this checkout and with the committed ones.

    Args:
        name: the experiment.
        tiers: {side: as of `verdict`}.

    Returns:
        {"yours": table of `compare`, "committed": likewise}.
    """
    committed = results.committed(name)
    rows = results.uncommitted(results.read(name), committed), results.empty() if committed is None else committed
    return {side: compare(name, of_side, tiers[side]) for side, of_side in zip(SIDES, rows)}


def lost(name: str) -> pd.DataFrame:
    """Rows that the committed results reproduce and the present ones do not, at each tier.

    Returns:
        Rows of `compare`, of the present results; empty outside a git checkout.
    """
    committed, lost_rows = results.committed(name), []
    present = results.read(name)
    for tier in verdicts.JUDGED_TIERS if committed is not None else ():
        before, now = compare(name, committed, [tier]), compare(name, present, [tier])
        is_lost = before["verdict"].isin(verdicts.GOOD) & ~now["verdict"].isin(verdicts.GOOD)
        lost_rows.append(now[is_lost].assign(tier=tier))
    return pd.concat(lost_rows) if lost_rows else compare(name, results.empty())[:0]


def paper_says(row: pd.Series) -> str:
    """The paper's number with its own error and, where ours is of another metric, its metric; "–" where it has none."""
    if pd.isna(row["value"]) or row["kind"] == "claimed":
        return "–"
    metric = verdicts.METRICS.get(row["quantity"], ("",))[0]
    named = f" ({metric})" if metric and row.get("quantity_measured", "") not in ("", metric) else ""
    return f"{row['value']:.4g}" + ("" if pd.isna(row["err"]) else f" ± {row['err']:.2g}") + named


def criterion(row: pd.Series) -> str:
    """What we accept, in a few characters: "-0.82 ± 0.3", "≥ 0.8", "> weight clipping"."""
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


def ours(row: pd.Series) -> str:
    """Our number: mean, interval, seeds and tier; of a comparison both sides and their difference."""
    if not row["seeds"]:
        return "–"
    text = f"{row['ours']:.4g}"
    if pd.notna(row["mine"]):
        text = f"{row['mine']:.4g} against {row['other']:.4g}, difference {text}"
    if pd.notna(row["low"]):
        text += f" [{row['low']:.4g}, {row['high']:.4g}]"
    return f"{text} ({row['tier']}, {counted(row['seeds'], 'seed')})"


def verdict_with_reason(row: pd.Series) -> str:
    """A verdict with its reason."""
    return row["verdict"] + (f" ({row['why']})" if row["why"] else "")


def at_tier(claim: pd.Series) -> str:
    """A claim's verdict with its tier, at most 30 characters: "paper: reproduced"."""
    return f"{claim['tier']}: {claim['verdict']}" if claim["tier"] else claim["verdict"]


def totals(claims: pd.DataFrame) -> str:
    """How many claims have which verdict, in words."""
    counts = claims["verdict"].value_counts()
    order = [*reversed(verdicts.WORST_FIRST), *verdicts.UNJUDGED]
    return ", ".join(f"{counts[w]} {w}" for w in order if w in counts) or "no claims"


def judged(name: str, tier: str | None = None) -> pd.DataFrame:
    """An experiment's comparison for its notebook, with all rows that are there.

    Args:
        name: the experiment.
        tier: with this tier's rows only, of this checkout where it has any; the best tiers when None.

    Returns:
        As `compare`.
    """
    rows = results.read(name)
    if tier and len(mine := results.yours(name).query("tier == @tier")):
        rows = mine
    return compare(name, rows, [tier] if tier else verdicts.JUDGED_TIERS)


def table(name: str, tier: str | None = None) -> pd.DataFrame:
    """`judged` as of `shown`."""
    return shown(judged(name, tier))


def shown(table: pd.DataFrame) -> pd.DataFrame:
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
            "verdict": verdict_with_reason(row),
        }
        for _, row in table.iterrows()
    ]
    return pd.DataFrame(rows, columns=["claim", "measured", "the paper", "we accept", "ours", "verdict"])


def as_claims(yours: pd.DataFrame, committed: pd.DataFrame) -> str:
    """The claims as lines of at most 100 characters, and totals.

    Args:
        yours, committed: tables of `claims`, of the same claims.
    """
    lines = [f"{'':3} {'claim':34} {'yours (tier: verdict)':30} committed (tier: verdict)"]
    for (_, mine), (_, theirs) in zip(yours.iterrows(), committed.iterrows(), strict=True):
        lines.append(f"{mine['claim']:3} {mine['short']:34} {at_tier(mine):30} {at_tier(theirs)}".rstrip())
    for side, table in (("yours", yours), ("committed", committed)):
        text = f"{side}: {counted(len(table), 'claim')}: {totals(table)}"
        if beside := [f"{claim['claim']} {claim['beside']}" for _, claim in table.iterrows() if claim["beside"]]:
            text += f". Rows that do not count: {'; '.join(beside)}."
        lines += ["", *textwrap.wrap(text, 100, subsequent_indent="  ")]
    return "\n".join(lines)


def as_rows(tables: dict[str, pd.DataFrame]) -> str:
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
        lines.append((*cells, *(text for row in rows for text in (ours(row), verdict_with_reason(row)))))
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)).rstrip() for line in lines)


def write_csv(path: Path, tables: dict[str, pd.DataFrame]) -> None:
    """Write every row with both sides, as CSV.

    Args:
        path: the file.
        tables: as of `as_rows`.

    Raises:
        InputError: it cannot be written.
    """
    sides = [table[verdicts.MEASURED].add_prefix(f"{side}_").reset_index(drop=True) for side, table in tables.items()]
    about = next(iter(tables.values()))[["experiment", *paper_csv.COLUMNS]].reset_index(drop=True)
    with replacing(path) as file:
        pd.concat([about, *sides], axis=1).to_csv(file, index=False)
