import numpy as np
import pandas as pd
import pytest

from wgangp import results
from wgangp.__main__ import main
from wgangp.experiment import Experiment, Job
from wgangp.results import read


@pytest.fixture(autouse=True)
def output(tmp_path, monkeypatch):
    monkeypatch.setenv("WGANGP_OUTPUT", str(tmp_path))
    return tmp_path


def refused(capfd, *arguments):
    """The one line that a refused command prints."""
    try:
        status = main(list(arguments))
    except SystemExit as error:  # argparse
        status = error.code
    told = capfd.readouterr().err
    assert status != 0
    assert "Traceback" not in told
    return told.strip().splitlines()[-1]


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["run", "fig9"], "experiment 'fig9' is unknown; there are:"),
        (["run", "fig1_gradient_norms", "--tier", "long"], "invalid choice: 'long'"),
        (["run", "fig1_gradient_norms", "--seed", "one"], "invalid int value: 'one'"),
        (["run", "fig1_gradient_norms", "--seed", "-1"], "a seed is a non-negative integer"),
        (["run", "fig1_gradient_norms", "--setting", "x"], "has no setting 'x'"),
        (["run", "fig1_gradient_norms", "--jobs", "0"], "--jobs 0: use at least 1"),
        (["run", "fig1_gradient_norms", "--device", "tpu"], "invalid choice: 'tpu'"),
        (["compare", "fig9"], "experiment 'fig9' is unknown"),
        (["notebook", "fig9"], "there is no notebook"),
        (["import", "none"], "none has no results/<experiment>.csv"),
        (["generate", "none/checkpoint.npz"], "nor a checkpoint in a run's folder"),
        (["score", "none.npy", "--data", "swissroll"], "cannot be read as an array"),
        (["score", "none.npy", "--data", "moons"], "invalid choice: 'moons'"),
    ],
)
def test_bad_input_is_one_sentence(capfd, arguments, words):
    assert words in refused(capfd, *arguments)


def test_unwritable_results_folder(capfd, monkeypatch):
    monkeypatch.setenv("WGANGP_OUTPUT", "/dev/null/results")
    assert main(["run", "fig1_gradient_norms", "--tier", "smoke", "--seed", "0", "--jobs", "1"]) == 1
    told = capfd.readouterr().err
    assert "cannot write /dev/null/results" in told and "Traceback" not in told


def test_run_generate_score_and_changed_config(capfd, output):
    name, setting = "fig2_toy_8gaussians", "gp, 8gaussians, trained generator"
    arguments = ["run", name, "--tier", "smoke", "--seed", "7", "--setting", setting, "--jobs", "1"]
    assert main(arguments) == 0
    assert "1 of 1 runs to do" in capfd.readouterr().out
    job = Job(Experiment(name), setting, "smoke", 7)
    rows = read(name)
    assert set(rows["config_sha256"]) == {job.config_sha256} and set(rows["seed"]) == {7}
    assert (rows["wall_seconds"] > 0).all() and rows["finished"].str.endswith("Z").all()

    assert main(arguments) == 0
    assert "0 of 1 runs to do" in capfd.readouterr().out
    assert main([*arguments, "--fresh"]) == 0
    assert "1 of 1 runs to do" in capfd.readouterr().out

    samples = output / "samples.npy"
    assert main(["generate", str(job.folder / "checkpoint.npz"), "-n", "50", "-o", str(samples)]) == 0
    assert np.load(samples).shape == (50, 2)
    assert main(["score", str(samples), "--data", "8gaussians"]) == 0
    assert "modes found" in capfd.readouterr().out
    np.save(samples, np.zeros((5, 3)))
    assert "points in the plane are [n, 2]" in refused(capfd, "score", str(samples), "--data", "8gaussians")


def test_budget_stops_cleanly_and_the_next_call_goes_on(capfd):
    arguments = ["run", "fig1_gradient_norms", "--tier", "smoke", "--seed", "0", "--jobs", "1"]
    assert main([*arguments, "--budget", "0.0001"]) == 0
    assert "The budget is spent with 4 runs to go" in capfd.readouterr().out
    assert main(arguments) == 0
    assert len(results.of_single_runs(read("fig1_gradient_norms"))["config_sha256"].unique()) == 4


def test_compare_check_looks_at_every_tier(capfd, output):
    name = "fig1_gradient_norms"
    committed = results.read(name, results.ROOT)
    path = results.path_of(name)
    path.parent.mkdir()
    committed.to_csv(path, index=False)
    assert main(["compare", name, "--check"]) == 0
    assert "Every row that the committed results reproduce still is." in capfd.readouterr().out
    for tier in ("short", "paper"):
        spoilt = committed["value"].where(committed["tier"] != tier, 1e9)
        committed.assign(value=spoilt).to_csv(path, index=False)
        assert main(["compare", name, "--check"]) == 1
        assert "No longer reproduced or seen:" in capfd.readouterr().out


def test_compare_shows_what_was_run_here_as_yours(capfd, output):
    name = "fig1_gradient_norms"
    run = ["run", name, "--tier", "smoke", "--seed", "0", "--setting", "gradient penalty", "--jobs", "1"]
    assert main(["compare", name, "--yours", "smoke"]) == 0
    nothing = capfd.readouterr().out
    assert "yours: 4 claims: 4 missing" in nothing and "Tier smoke: 0 of 12 runs done." in nothing
    assert main(run) == 0
    capfd.readouterr()
    table = output / "table.csv"
    assert main(["compare", name, "--yours", "smoke", "--rows", "--csv", str(table)]) == 0
    told = capfd.readouterr().out
    assert "Tier smoke: 1 of 12 runs done." in told and "(smoke, 1 seed)" in told
    rows = pd.read_csv(table)
    mine = rows[(rows["quantity"] == "share_of_weights_at_c") & (rows["setting"] == "gradient penalty")].iloc[0]
    assert mine["yours_tier"] == "smoke" and mine["committed_tier"] == "paper" and mine["yours_seeds"] == 1
    assert main(["compare", name, "--yours", "smoke", "--seed", "0"]) == 0
    assert "Tier smoke: 1 of 4 runs done." in capfd.readouterr().out
    assert main(["compare", name, "--tier", "short"]) == 0
    assert "paper:" not in capfd.readouterr().out


def test_finished_run_is_put_back_where_the_results_lack_it_and_not_written_otherwise(capfd, output):
    name = "fig1_gradient_norms"
    run = ["run", name, "--tier", "smoke", "--seed", "0", "--setting", "gradient penalty", "--jobs", "1"]
    assert main(run) == 0
    path = results.path_of(name)
    written, text = path.stat().st_mtime_ns, path.read_bytes()
    assert main(run) == 0
    assert path.stat().st_mtime_ns == written
    path.unlink()
    assert main(run) == 0
    assert path.read_bytes() == text


def test_doctor_and_data(capfd):
    assert main(["doctor"]) == 0 and main(["data", "list"]) == 0
    told = capfd.readouterr().out
    assert "MKL_DEBUG_CPU_TYPE" in told and "25gaussians" in told
