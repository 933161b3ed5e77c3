"""Result rows with their provenance, in one CSV file per experiment."""

import hashlib
import io
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from reproduction import TIERS
from wgangp.errors import InputError
from wgangp.runtime.files import locked, replacing

COLUMNS = [
    "quantity",
    "setting",
    "part",
    "tier",
    "seed",
    "dataset",
    "value",
    "err",
    "low",
    "high",
    "samples",
    "protocol",
    "config_sha256",
    "data_sha256",
    "weights_sha256",
    "commit",
    "device",
    "paddle",
    "wall_seconds",
    "finished",
]
KEY = ["quantity", "setting", "part", "tier", "seed", "dataset"]
RUN = ["setting", "tier", "seed", "dataset"]
REQUIRED = [*KEY, "protocol", "config_sha256", "data_sha256", "device", "finished"]  # of every row, but for its part
NUMBERS = ["value", "err", "low", "high", "wall_seconds"]
EMBEDDED = "embedded"  # dataset of what runs without data are trained on; never compared with the paper
SUMMARY = "runs "  # a config_sha256 that begins so is a digest of several runs' ones
ROOT = Path(__file__).resolve().parent.parent  # of the checkout, or where the package is installed without one


def is_checkout() -> bool:
    """Whether the package lies in a checkout of the repository, with its experiments and committed results."""
    return (ROOT / "run_all.sh").is_file()


def output_root() -> Path:
    """Folder that holds results, paper_figures, notebooks and runs.

    $WGANGP_OUTPUT, else the checkout, else the current folder.
    """
    return Path(os.environ.get("WGANGP_OUTPUT") or (ROOT if is_checkout() else Path.cwd()))


def row(
    quantity: str,
    value: float,
    data: Any,
    protocol: str,
    part: str = "",
    samples: int | None = None,
    err: float | None = None,
    low: float | None = None,
    high: float | None = None,
    weights: str = "",
) -> dict:
    """One measured number, as `run.py` returns it.

    Args:
        quantity: what was measured, in the field's words; the paper's name only for the paper's metric.
        value: a number.
        data: what was trained on; an object with `name` and `sha256`.
        protocol: how, in a few words.
        part: which of several numbers of the run: a layer, an iteration, a threshold; "" for the only one.
        samples: how many samples were measured.
        err: standard error or read-off error of the value, in its unit.
        low, high: ends of the value's own 95 % interval, where it has one.
        weights: sha256 of a metric network's weights.

    Returns:
        A dict.
    """
    return {
        "quantity": quantity,
        "part": part,
        "dataset": data.name,
        "value": float(value),
        "err": err,
        "low": low,
        "high": high,
        "samples": samples,
        "protocol": protocol,
        "data_sha256": data.sha256,
        "weights_sha256": weights,
    }


def path_of(name: str, root: Path | None = None) -> Path:
    """The CSV file of an experiment."""
    return (root or output_root()) / "results" / f"{name}.csv"


def read(name: str, root: Path | None = None) -> pd.DataFrame:
    """Read an experiment's rows.

    Args:
        name: the experiment.
        root: folder above `results`; the output root when None.

    Returns:
        A DataFrame with COLUMNS, empty where there is no file.

    Raises:
        InputError: it is not a results file.
    """
    path = path_of(name, root)
    if not path.exists():
        return empty()
    try:
        return parse(path.read_text("utf-8"), path)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read ({error}); {_remedy(path)}.") from None


def _remedy(path):
    """What to do about a damaged results file, or one of a commit, whose name is a string."""
    if not isinstance(path, Path):
        return "restore it from git"
    again = "run the same wgangp run again, which puts the rows of finished runs back"
    if path.resolve().parent == ROOT / "results" and is_checkout() and in_git():
        return f"move it away, restore it from git (git checkout HEAD -- results/{path.name}), and {again}"
    if path.resolve().parent == (output_root() / "results").resolve():
        return f"move it away and {again}"
    return "get it again from where it was written"


def empty() -> pd.DataFrame:
    """A results file without rows."""
    return parse(",".join(COLUMNS), "")


def parse(text: str, path: Path | str) -> pd.DataFrame:
    """Rows from a CSV's text; a value that was measured as NaN is written so, an empty one is none.

    Args:
        text: the file's text.
        path: its name in messages.

    Raises:
        InputError: the columns are not COLUMNS, a value is empty, or as of `checked`.
    """
    try:
        return _parsed(text, path)
    except ValueError as error:
        raise InputError(f"{error}; {_remedy(path)}.") from None


def _parsed(text, path):
    words = {column: str for column in COLUMNS if column not in (*NUMBERS[1:], "seed", "samples")}
    reading = {"dtype": words, "float_precision": "round_trip", "keep_default_na": False, "na_values": [""]}
    try:
        frame = pd.read_csv(io.StringIO(text), **reading)
    except (ValueError, pd.errors.ParserError) as error:
        raise ValueError(f"{path} cannot be read as CSV ({str(error).strip()})") from None
    if list(frame.columns) != COLUMNS:
        raise ValueError(f"{path} has columns {list(frame.columns)}, not {COLUMNS}")
    _check_filled(frame, ["value"], path, ("line", 2))
    return checked(frame, path, ("line", 2))


def checked(frame: pd.DataFrame, where: Path | str, first: tuple[str, int]) -> pd.DataFrame:
    """Rows with the types that their columns have.

    Args:
        frame: a DataFrame; its columns are replaced.
        where: for messages.
        first: what a row is called in messages, and the first one's number.

    Raises:
        ValueError: a value is not a number, one of REQUIRED is empty, a tier is unknown, or two rows have the same key;
            it does not say what to do.
    """
    for column in frame.columns.intersection([*NUMBERS, "seed", "samples"]):
        try:
            kind = "Int64" if column in ("seed", "samples") else "float64"
            frame[column] = frame[column].astype(kind).astype("int64" if column == "seed" else kind)
        except (ValueError, TypeError, OverflowError) as error:
            raise ValueError(f"{where}, column {column}: {error}") from None
    frame["part"] = frame["part"].fillna("")
    _check_filled(frame, REQUIRED, where, first)
    unknown = frame[~frame["tier"].isin(TIERS)]
    if len(unknown):
        known = ", ".join(TIERS)
        raise ValueError(f"{where}: tier {unknown['tier'].iloc[0]!r} is unknown, there are: {known}")
    twice = frame[frame.duplicated(KEY)]
    if len(twice):
        key = ", ".join(map(str, twice.iloc[0][KEY]))
        raise ValueError(f"{where}: two rows are of {key}")
    return frame


def _check_filled(frame, columns, where, first):
    """Refuse rows that are empty in one of some columns."""
    for column in columns:
        empty = frame[column].isna().to_numpy()
        if empty.any():
            word, number = first
            raise ValueError(f"{where}, {word} {number + empty.argmax()}: {column} is empty")


def frame_of(rows: list[dict]) -> pd.DataFrame:
    """Rows of a run as a DataFrame.

    Args:
        rows: dicts with COLUMNS.

    Raises:
        InputError: as of `checked`.
    """
    try:
        return checked(pd.DataFrame(rows, columns=COLUMNS), "the rows of the run", ("row", 1))
    except ValueError as error:
        raise InputError(f"{error}; correct its run.py.") from None


def replace_runs(name: str, rows: list[dict], summary: Callable | None = None) -> None:
    """Put runs' rows in place of those they had before on the same data; safe when several processes write.

    Args:
        name: the experiment.
        rows: dicts with COLUMNS, all those of one or several runs.
        summary: makes rows that are of many runs from all runs' rows (a DataFrame); see `digest_of_runs`.

    Raises:
        InputError: the file cannot be written; what was there is untouched.
    """
    _rewrite(name, rows, RUN, summary)


def add_rows(name: str, rows: list[dict]) -> None:
    """Put rows in place of those with the same KEY; safe when several processes write.

    Args:
        name: the experiment.
        rows: dicts with COLUMNS.

    Raises:
        InputError: the file cannot be written; what was there is untouched.
    """
    _rewrite(name, rows, KEY)


def _rewrite(name, rows, same, summary=None):
    """Write new rows in place of the old ones that equal one in the columns `same`, and the summary of all."""
    with locked(output_root() / "runs" / f"{name}.lock"):
        old = read(name)
        new = frame_of(rows)
        old = old[~pd.MultiIndex.from_frame(old[same]).isin(pd.MultiIndex.from_frame(new[same]))]
        write(name, pd.concat([old, new]) if len(old) else new, summary)


def write(name: str, frame: pd.DataFrame, summary: Callable | None = None) -> None:
    """Write an experiment's results file, whole or not at all.

    Args:
        name: the experiment.
        frame: all rows.
        summary: as of `replace_runs`.

    Raises:
        InputError: the file cannot be written; what was there is untouched.
    """
    if summary is not None:
        frame = of_single_runs(frame)
        summary_rows = pd.DataFrame(summary(frame), columns=COLUMNS).astype({"samples": "Int64"})
        replaced = pd.MultiIndex.from_frame(frame[KEY]).isin(pd.MultiIndex.from_frame(summary_rows[KEY]))
        frame = pd.concat([frame[~replaced], summary_rows]) if len(summary_rows) else frame
    frame = frame.sort_values(["tier", "setting", "quantity", "part", "dataset", "seed"], key=natural)
    frame = frame.assign(value=frame["value"].astype(object).fillna("nan"))  # which is not an empty one
    with replacing(path_of(name)) as file:
        frame[COLUMNS].to_csv(file, index=False)


def natural(column: pd.Series) -> pd.Series:
    """A sort key that puts part "layer 10" after "layer 9"."""
    if column.name != "part":
        return column
    return column.map(lambda part: tuple(word.rjust(8, "0") if word[:1].isdigit() else word for word in part.split()))


def of_single_runs(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of single runs, without those that `summary` made."""
    return frame[~frame["config_sha256"].astype(str).str.startswith(SUMMARY)]


def digest_of_runs(frame: pd.DataFrame) -> str:
    """The config_sha256 of a row made from many runs: a digest of theirs."""
    return SUMMARY + hashlib.sha256(" ".join(sorted(set(frame["config_sha256"]))).encode()).hexdigest()


def summary_row(frame: pd.DataFrame, setting: str, quantity: str, value: float, protocol: str, **fields: Any) -> dict:
    """A row made from rows of one or many runs, as `summary` of a `summary.py` returns it.

    Args:
        frame: the rows that it is made from, of one tier, seed and data set.
        setting: that it belongs to.
        quantity, value, protocol: as of `row`.
        fields: part, samples, err, low, high of `row`.

    Returns:
        A dict with COLUMNS; its provenance is that of the rows, seconds added up.
    """
    runs = frame.drop_duplicates("config_sha256")
    first = frame.iloc[0]
    words = {column: frame[column].dropna().str.split().explode() for column in ("commit", "weights_sha256", "paddle")}
    words["device"] = frame["device"].dropna()
    joined = {column: " ".join(sorted(set(values.dropna()))) for column, values in words.items()}
    about = {name: first[name] for name in ("tier", "seed", "dataset", "data_sha256")}
    about |= {"wall_seconds": runs["wall_seconds"].sum(), "finished": frame["finished"].max()}
    fields_of_runs = dict.fromkeys(COLUMNS) | {"part": ""} | about | joined | fields
    return fields_of_runs | {
        "setting": setting,
        "quantity": quantity,
        "value": float(value),
        "protocol": protocol,
        "config_sha256": digest_of_runs(frame),
    }


def code_commit() -> str:
    """The commit of the running code, with "-dirty" where the code differs from it.

    $WGANGP_COMMIT says it instead where the code is a copy of a commit that git does not know.
    """
    if given := os.environ.get("WGANGP_COMMIT"):
        return given
    changed = git("status", "--porcelain", "--", "wgangp", "reproduction", "experiments", "paddle_aten")
    commit = git("rev-parse", "--short=12", "HEAD")
    if changed is None or commit is None:
        return "unknown"
    return commit.strip() + ("-dirty" if changed.strip() else "")


def git(*arguments: str) -> str | None:
    """What a git command prints in the repository; None where it fails, or there is no git."""
    try:
        done = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, encoding="utf-8", check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout


def in_git() -> bool:
    """Whether the repository is a git checkout with a commit."""
    return git("rev-parse", "HEAD") is not None


def committed(name: str) -> pd.DataFrame | None:
    """An experiment's rows as committed.

    Returns:
        A DataFrame, empty where the commit has no file; None outside a git checkout.
    """
    if not in_git():
        return None
    path = path_of(name, ROOT).relative_to(ROOT).as_posix()
    try:
        text = git("show", f"HEAD:{path}")
    except UnicodeDecodeError as error:
        raise InputError(f"HEAD:{path} cannot be read ({error}); commit a whole one.") from None
    return empty() if text is None else parse(text, f"HEAD:{path}")


def uncommitted(rows: pd.DataFrame, committed: pd.DataFrame | None) -> pd.DataFrame:
    """The rows that are not among the committed ones; all of them where there is no git checkout."""
    if committed is None or not len(committed):
        return rows
    columns = [*KEY, "value", "commit", "finished"]
    return rows[~pd.MultiIndex.from_frame(rows[columns]).isin(pd.MultiIndex.from_frame(committed[columns]))]


def yours(name: str) -> pd.DataFrame:
    """An experiment's rows that were measured in this checkout: those that are not committed."""
    return uncommitted(read(name), committed(name))
