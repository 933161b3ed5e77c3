import numpy as np
import pytest

from reproduction import merge, results
from reproduction.experiment import Experiment
from reproduction.job import Job
from wgangp import InputError

NAME = "fig1_gradient_norms"
SETTING = "gradient penalty"


@pytest.fixture(autouse=True)
def output(tmp_path, monkeypatch):
    monkeypatch.setenv("WGANGP_OUTPUT", str(tmp_path / "here"))
    return tmp_path


def job(seed=0, tier="short"):
    return Job(Experiment(NAME), SETTING, tier, seed)


def rows(values, seed=0, tier="short", finished="2026-01-01", config=None, commit="aaaa"):
    """Rows of a run's layers."""
    about = {"quantity": "log10_gradient_norm", "setting": SETTING, "tier": tier, "seed": seed, "dataset": "swissroll"}
    about |= {"config_sha256": config or job(seed, tier).config_sha256, "commit": commit, "finished": finished}
    numbers = dict.fromkeys(results.NUMBERS, None) | {"samples": 5, "wall_seconds": 1.0}
    return [
        dict.fromkeys(results.COLUMNS, "x") | about | numbers | {"part": f"layer {i}", "value": value}
        for i, value in enumerate(values, start=1)
    ]


def elsewhere(output, monkeypatch, *runs, arrays=None):
    """An output root beside the present one with those runs in it."""
    here = results.output_root()
    monkeypatch.setenv("WGANGP_OUTPUT", str(output / "there"))
    for run in runs:
        results.replace_runs(NAME, run)
    for seed, value in (arrays or {}).items():
        path = job(seed).arrays_path("swissroll")
        path = output / "there" / "results" / NAME / path.name
        path.parent.mkdir(exist_ok=True, parents=True)
        np.savez(path, value=value)
    monkeypatch.setenv("WGANGP_OUTPUT", str(here))
    return output / "there"


def single(seed=0):
    frame = results.of_single_runs(results.read(NAME))
    return frame[(frame["seed"] == seed) & (frame["quantity"] == "log10_gradient_norm")]


def test_runs_are_taken_by_key_and_keep_their_commits(output, monkeypatch):
    results.replace_runs(NAME, rows([1, 2, 3], seed=0))
    results.replace_runs(NAME, rows([4, 5, 6], seed=1))
    folder = elsewhere(
        output,
        monkeypatch,
        rows([7, 8, 9], 1, finished="2026-02-01", commit="bbbb"),
        rows([1, 1, 1], 2),
        rows([5], 1, "smoke"),
    )
    (folder / "results" / "fig9.csv").touch()
    told, of_others = merge.import_results(folder)
    assert told.startswith(f"{NAME}: 6 rows taken, 0 kept") and told.endswith(", 1 of tier smoke left out")
    assert of_others == "not imported, as no experiment has that name: fig9.csv"
    assert [single(seed)["value"].tolist() for seed in (0, 1, 2)] == [[1, 2, 3], [7, 8, 9], [1, 1, 1]]
    assert set(single(1)["commit"]) == {"bbbb"} and set(single(0)["commit"]) == {"aaaa"}
    assert not results.read(NAME).duplicated(results.KEY).any()


def test_what_is_newer_here_stays(output, monkeypatch):
    results.replace_runs(NAME, rows([1, 2], finished="2026-03-01"))
    folder = elsewhere(output, monkeypatch, rows([3, 4], finished="2026-02-01"), arrays={0: 1})
    (told,) = merge.import_results(folder)
    assert "0 rows taken, 2 kept" in told and single()["value"].tolist() == [1, 2]
    assert not job().arrays_path("swissroll").exists()


def test_rows_of_another_configuration_are_replaced_as_a_whole(output, monkeypatch):
    results.replace_runs(NAME, rows([1, 2, 3], config="old"))
    merge.import_results(elsewhere(output, monkeypatch, rows([7], finished="2026-02-01")))
    assert single()["value"].tolist() == [7]
    # of the same configuration the other rows stay, as those of a run in progress
    results.replace_runs(NAME, rows([1, 2, 3]))
    merge.import_results(elsewhere(output, monkeypatch, rows([7], finished="2026-02-02")))
    assert single()["value"].tolist() == [7, 2, 3]


def test_arrays_of_the_runs_that_are_taken_come_along(output, monkeypatch):
    folder = elsewhere(output, monkeypatch, rows([1]), rows([1], 1), arrays={0: 5, 7: 6})
    (told,) = merge.import_results(folder)
    assert told.endswith("1 file of arrays copied")
    assert np.load(job().arrays_path("swissroll"))["value"] == 5 and not job(7).arrays_path("swissroll").exists()


@pytest.mark.parametrize(
    "damage, words",
    [
        (lambda path: path.write_bytes(path.read_bytes()[:50]), "seed1.npz is not a whole npz file of arrays"),
        (lambda path: (path.unlink(), path.mkdir()), "cannot read .*there.*seed1.npz: Is a directory"),
        (lambda path: (path.parents[1] / f"{NAME}.csv").write_text("a"), "there/.*; get it again from where"),
        (lambda path: results.path_of(NAME).write_text("a,b"), "here/results/fig1_gradient_norms.csv has columns"),
    ],
)
def test_damaged_files_are_refused_before_anything_is_changed(output, monkeypatch, damage, words):
    results.replace_runs(NAME, rows([1], commit="old"))
    folder = elsewhere(output, monkeypatch, rows([2]), rows([3], 1), arrays={0: 5, 1: 6})
    damage(folder / "results" / NAME / job(1).arrays_path("swissroll").name)
    before = results.path_of(NAME).read_bytes()
    with pytest.raises(InputError, match=words):
        merge.import_results(folder)
    assert results.path_of(NAME).read_bytes() == before and not job().arrays_path("swissroll").exists()


def test_nothing_to_import_is_refused(output):
    with pytest.raises(InputError, match="has no results"):
        merge.import_results(output / "none")
    results.replace_runs(NAME, rows([1]))
    with pytest.raises(InputError, match="is where results are written now"):
        merge.import_results(results.output_root())
