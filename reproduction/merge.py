"""Brings the rows and arrays of another output root into this one: `wgangp import`."""

from pathlib import Path

import pandas as pd

from reproduction import results
from reproduction.display import counted
from reproduction.experiment import Experiment, names
from reproduction.job import Job
from wgangp.errors import InputError
from wgangp.runtime.files import locked, read_npz, reading, replacing


def import_results(folder: Path) -> list[str]:
    """Merge an output root's result rows and arrays into the present one.

    A run that is there in both is taken from where it finished last, as a whole where its configuration differs, else
    row by row. Rows keep their commits. Tier smoke stays behind.

    Args:
        folder: an output root, with results/<experiment>.csv in it.

    Returns:
        A sentence per experiment: rows taken, rows kept because those here are newer, arrays copied, rows left out;
        and one on the CSV files of no experiment.

    Raises:
        InputError: no results there, or files that cannot be read; nothing has been changed then.
    """
    folder = Path(folder)
    known, files = names(), sorted(path.stem for path in (folder / "results").glob("*.csv"))
    others = [f"{name}.csv" for name in files if name not in known]
    imported = {Experiment(name): results.of_single_runs(results.read(name, folder)) for name in files if name in known}
    if not imported:
        raise InputError(f"{folder} has no results/<experiment>.csv; name a folder that was $WGANGP_OUTPUT.")
    if folder.resolve() == results.output_root().resolve():
        raise InputError(f"{folder} is where results are written now; name another folder, or set WGANGP_OUTPUT.")
    for experiment, rows in imported.items():
        results.read(experiment.name)  # refuses a damaged one
        for source, _ in _arrays(experiment, rows[rows["tier"] != "smoke"], folder):
            read_npz(source)
    told = [_merge(experiment, rows, folder) for experiment, rows in imported.items()]
    return told + [f"not imported, as no experiment has that name: {', '.join(others)}"] * bool(others)


def _merge(experiment, imported, folder):
    name = experiment.name
    smoke = imported["tier"] == "smoke"  # which are for tests
    left_out = f", {smoke.sum()} of tier smoke left out" if smoke.any() else ""
    imported = imported[~smoke]
    with locked(results.output_root() / "runs" / f"{name}.lock"):
        present = results.of_single_runs(results.read(name))
        taken_runs, kept_rows = [], 0
        for run, rows in imported.groupby(results.RUN):
            same_run = present[(present[results.RUN] == pd.Series(run, results.RUN)).all(axis=1)]
            newer = len(same_run) and same_run["finished"].max() > rows["finished"].max()
            kept_rows += len(rows) * bool(newer)
            if not newer:
                same = set(same_run["config_sha256"]) <= set(rows["config_sha256"])
                keys = pd.MultiIndex.from_frame(rows[results.KEY])
                replaced = pd.MultiIndex.from_frame(same_run[results.KEY]).isin(keys) if same else slice(None)
                present = present.drop(same_run.index[replaced])
                taken_runs.append((run, rows))
        if taken_runs:
            frames = [rows for _, rows in taken_runs]
            results.write(name, pd.concat([present, *frames] if len(present) else frames), experiment.summary)
    taken = counted(sum(len(rows) for _, rows in taken_runs), "row")
    sources = [arrays for _, rows in taken_runs for arrays in _arrays(experiment, rows, folder)]
    for source, target in sources:
        with reading(source):
            arrays = source.read_bytes()
        with replacing(target) as file:
            file.write(arrays)
    copied = counted(len(sources), "file")
    return f"{name}: {taken} taken, {kept_rows} kept as they are newer here, {copied} of arrays copied{left_out}"


def _arrays(experiment, rows, folder):
    """The files of arrays that the runs of some rows have in a folder, each with the one whose place it is to take."""
    paths = []
    for setting, tier, seed, dataset in rows[results.RUN].drop_duplicates().itertuples(index=False):
        try:
            job = Job(experiment, setting, tier, int(seed))
        except InputError:  # a setting or tier that is no longer run
            continue
        paths.append((job.arrays_path(dataset, folder), job.arrays_path(dataset)))
    return [(source, target) for source, target in paths if source.exists()]
