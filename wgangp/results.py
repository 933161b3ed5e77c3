"""Result rows with their provenance, in one CSV file per experiment."""

import hashlib
import io
import os
import subprocess
from pathlib import Path

import pandas as pd

from wgangp.errors import InputError
from wgangp.files import locked, replacing

COLUMNS = [
    "quantity",
    "setting",
    "tier",
    "seed",
    "value",
    "err",
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
KEY = ["quantity", "setting", "tier", "seed"]
OF_MANY = "runs "  # a config_sha256 that begins so is a digest of several runs' ones
ROOT = Path(__file__).resolve().parent.parent


def output_root():
    """Folder that holds results, paper_figures, notebooks and runs: $WGANGP_OUTPUT, else the repository."""
    return Path(os.environ.get("WGANGP_OUTPUT") or ROOT)


def row(quantity, value, protocol, data, setting=None, err=None, weights=""):
    """One measured number, as `run.py` returns it.

    Args:
        quantity: what was measured, in the field's words; the paper's name only for the paper's metric.
        value: a number.
        protocol: how, in a few words.
        data: sha256 of the data.
        setting: part of the run's setting, e.g. "layer 3"; None for the whole.
        err: standard error or read-off error of the value, in its unit.
        weights: sha256 of a metric network's weights.

    Returns:
        A dict.
    """
    return {
        "quantity": quantity,
        "setting": setting,
        "value": float(value),
        "err": err,
        "protocol": protocol,
        "data_sha256": data,
        "weights_sha256": weights,
    }


def path_of(name, root=None):
    """The CSV file of an experiment."""
    return (root or output_root()) / "results" / f"{name}.csv"


def read(name, root=None):
    """Read an experiment's rows.

    Args:
        name: the experiment.
        root: folder above `results`; the output root when None.

    Returns:
        A DataFrame with COLUMNS, empty where there is no file.
    """
    path = path_of(name, root)
    return parse(path.read_text(), path) if path.exists() else pd.DataFrame(columns=COLUMNS)


def parse(text, path):
    """Rows from a CSV's text.

    Raises:
        InputError: the columns are not those of a results file.
    """
    try:
        types = {"weights_sha256": str, "commit": str}
        frame = pd.read_csv(io.StringIO(text), dtype=types, float_precision="round_trip")
    except (ValueError, pd.errors.ParserError) as error:
        raise InputError(f"{path} cannot be read as CSV ({error}); restore it from git.") from None
    if list(frame.columns) != COLUMNS:
        raise InputError(f"{path} has columns {list(frame.columns)}, not {COLUMNS}; restore it from git.")
    return frame


def replace_job(name, setting, tier, seed, rows, summary=None):
    """Put one run's rows in place of those it had before; safe when several processes write.

    Args:
        name: the experiment.
        setting, tier, seed: the run's.
        rows: dicts with COLUMNS.
        summary: makes rows that are of many runs from all runs' rows (a DataFrame); see `digest_of_runs`.

    Raises:
        InputError: the file cannot be written; what was there is untouched.
    """

    def others(old):
        same = (old["tier"] == tier) & (old["seed"] == seed)
        same &= (old["setting"] == setting) | old["setting"].astype(str).str.startswith(f"{setting}, ")
        return old[~same]

    _rewrite(name, others, rows, summary)


def add_rows(name, rows):
    """Put rows in place of those with the same quantity, setting, tier and seed; safe when several processes write.

    Args:
        name: the experiment.
        rows: dicts with COLUMNS.

    Raises:
        InputError: the file cannot be written; what was there is untouched.
    """
    keys = pd.MultiIndex.from_frame(pd.DataFrame(rows)[KEY])
    _rewrite(name, lambda old: old[~pd.MultiIndex.from_frame(old[KEY]).isin(keys)], rows)


def _rewrite(name, kept, rows, summary=None):
    """Write kept(old rows) and new ones, and the summary of both in place of what it was."""
    path = path_of(name)
    with locked(output_root() / "runs" / f"{name}.lock"):
        old = kept(read(name))
        new = pd.DataFrame(rows, columns=COLUMNS)
        frame = pd.concat([old, new]) if len(old) else new
        if summary is not None:
            frame = of_single_runs(frame)
            frame = pd.concat([frame, pd.DataFrame(summary(frame), columns=COLUMNS)])
        frame = frame.sort_values(["tier", "setting", "quantity", "seed"])
        with replacing(path) as file:
            frame.to_csv(file, index=False)


def of_single_runs(frame):
    """The rows that are not of many runs."""
    return frame[~frame["config_sha256"].astype(str).str.startswith(OF_MANY)]


def digest_of_runs(frame):
    """What rows of many runs have for a config_sha256: a digest of the runs' own."""
    return OF_MANY + hashlib.sha256(" ".join(sorted(set(frame["config_sha256"]))).encode()).hexdigest()


def code_commit():
    """The commit of the running code, with "-dirty" where the code differs from it.

    $WGANGP_COMMIT says it instead where the code is a copy of a commit that git does not know.
    """
    if given := os.environ.get("WGANGP_COMMIT"):
        return given

    def git(*arguments):
        return subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=True).stdout

    try:
        changed = git("status", "--porcelain", "--", "wgangp", "experiments", "paddle_aten").strip()
        return git("rev-parse", "--short=12", "HEAD").strip() + ("-dirty" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
