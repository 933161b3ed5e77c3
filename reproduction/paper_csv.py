"""The paper's numbers and claims, and what our figures show: an experiment's paper.csv, claims.csv and figures.csv."""

from pathlib import Path

import pandas as pd

from reproduction.experiment import FOLDER, names, unknown
from wgangp.errors import InputError

COLUMNS = [
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
NUMBERS = ("value", "err", "tolerance")
CLAIM_COLUMNS = ["claim", "short", "says", "where"]
FIGURE_COLUMNS = ["figure", "caption", "alt"]
KINDS = ("reported", "digitised", "claimed", "quoted")
DIRECTIONS = ("match", "same", "at_least", "at_most", "above", "below", "sign")


def rows_of(name: str) -> pd.DataFrame:
    """Read an experiment's paper.csv.

    Returns:
        A DataFrame with COLUMNS.

    Raises:
        InputError: no such experiment, or the file is missing or not as it must be.
    """
    if name not in names():
        raise unknown(name)
    path = FOLDER / name / "paper.csv"
    words = {column: str for column in COLUMNS if column not in NUMBERS}
    frame = _read(path, COLUMNS, words | dict.fromkeys(NUMBERS, "float64"))
    frame[list(words)] = frame[list(words)].fillna("")
    for column, known in (("direction", (*DIRECTIONS, "")), ("kind", KINDS)):
        odd = set(frame[column]) - set(known)
        if odd:
            raise InputError(f"{path}: {column} {sorted(odd)[0]!r} is unknown; use {', '.join(filter(None, known))}.")
    without = set(frame["claim"]) - {"", *claims_of(name)["claim"]}
    if without:
        raise InputError(f"{path}: claim {sorted(without)[0]!r} is not in claims.csv; add it there or correct it.")
    for _, row in frame.iterrows():
        other_side(row, path)
        if row["direction"] not in ("above", "below", "") and pd.isna(row["value"]):
            raise InputError(f"{path}: a row of {row['quantity']} is compared with a value, and has none.")
    if (frame[["err", "tolerance"]] < 0).any(axis=None):
        raise InputError(f"{path}: err and tolerance are at least 0, or empty.")
    return frame


def claims_of(name: str) -> pd.DataFrame:
    """Read an experiment's claims.csv: the claims that the rows of paper.csv belong to.

    Returns:
        A DataFrame: claim (its name), short (at most 34 characters), says (the paper's claim in a sentence), where
        (in the paper).

    Raises:
        InputError: the file is missing or not as it must be.
    """
    return _read_named(FOLDER / name / "claims.csv", CLAIM_COLUMNS)


def figures_of(name: str) -> pd.DataFrame:
    """Read an experiment's figures.csv: what its figures show, in the order in which they are shown.

    Returns:
        A DataFrame: figure (its file's name without the ending), caption (what is drawn, in a sentence without a stop),
        alt (for who cannot see it: the kind of picture, its axes and what is on them).

    Raises:
        InputError: the file is missing or not as it must be.
    """
    return _read_named(FOLDER / name / "figures.csv", FIGURE_COLUMNS)


def _read_named(path, columns):
    """A table of words, whose first column names each of its rows."""
    frame = _read(path, columns, str)
    twice = frame[columns[0]][frame.duplicated(columns[0])]
    if len(twice):
        raise InputError(f"{path}: {columns[0]} {twice.iloc[0]!r} is there twice; delete one.")
    return frame


def _read(path, columns, types):
    try:
        frame = pd.read_csv(path, dtype=types)
    except FileNotFoundError:
        raise InputError(f"{path} is missing; restore it from git (git checkout HEAD -- {path}).") from None
    except (ValueError, OSError) as error:
        raise InputError(f"{path} cannot be read as CSV: {str(error).strip()}.") from None
    if list(frame.columns) != columns:
        raise InputError(f"{path} has columns {list(frame.columns)}, not {columns}.")
    return frame


def other_side(row: pd.Series, path: Path | str = "paper.csv") -> dict | None:
    """What a row of paper.csv is compared with: its `than`, "setting=weight clipping" or the like; None for nothing.

    Returns:
        The row's fields, a dict, with that setting, part or quantity in place of its own.

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
    return {**row, column: value}
