"""The order of runs, and the time that is announced for them."""

from types import SimpleNamespace

import pandas as pd
import pytest

from wgangp import results, schedule
from wgangp.__main__ import main


class EXPERIMENT:
    name = "one"


def job(sha256, experiment=EXPERIMENT, done=False, spent=0.0):
    label = f"{experiment.name} {sha256}"
    return SimpleNamespace(
        experiment=experiment, label=label, config_sha256=sha256, done=done, spent=spent, tier="short"
    )


@pytest.fixture
def committed(monkeypatch):
    """Seconds of runs a (10, 20 and, on a GPU, 1) and b (40); c was never run."""
    rows = pd.DataFrame(
        [
            ("a", "CPU, 1 thread(s)", 10.0),
            ("a", "CPU, 1 thread(s)", 20.0),
            ("a", "a GPU", 1.0),
            ("b", "CPU, 1 thread(s)", 40.0),
        ],
        columns=["config_sha256", "device", "wall_seconds"],
    )
    monkeypatch.setattr(results, "read", lambda *_: rows)


def test_times_are_those_of_the_same_kind_of_device(committed):
    jobs = [job("a"), job("b"), job("c")]
    clock = schedule.Clock(jobs, on_cpu=True)
    assert clock.of(jobs[:1]) == pytest.approx(15) and clock.of(jobs[1:2]) == pytest.approx(40)
    assert clock.of(jobs[2:]) == pytest.approx((15 + 40) / 2)  # a run never measured counts as the others' mean
    gpu = schedule.Clock(jobs, on_cpu=False)
    assert [gpu.of([one]) for one in jobs] == pytest.approx([1, 1, 1]) and gpu.phrase(jobs, 1) == ", about 1 min"
    nothing = schedule.Clock(jobs[2:], on_cpu=True)
    assert nothing.of(jobs[2:]) == 0 and nothing.phrase(jobs[2:], 1) == ""


def test_a_run_never_measured_counts_as_its_own_experiments(committed):
    other = SimpleNamespace(name="other")
    jobs = [job("a"), job("b", other), job("c", other)]
    assert schedule.Clock(jobs, on_cpu=True).of(jobs[2:]) == pytest.approx(40)


def test_times_follow_what_this_machine_needed(committed):
    jobs = [job("a", done=True, spent=30.0), job("b")]
    clock = schedule.Clock(jobs, on_cpu=True)  # twice as slow, weighed against a minute as fast as committed
    assert clock.of(jobs[1:]) == pytest.approx(40 * (60 + 30) / (60 + 15))
    for _ in range(1000):
        clock.add(jobs[1], 120.0)
    assert clock.of(jobs[1:]) == pytest.approx(120, rel=0.01)


def test_a_run_that_would_end_alone_begins_first(committed):
    jobs = [job("a") for _ in range(4)] + [job("b")]
    board = schedule.Board(jobs, schedule.Clock(jobs, True), at_once=3, notebooks=False)
    assert board.next_job() is jobs[-1]  # 40 of 100 seconds, shared by three
    board = schedule.Board(jobs, schedule.Clock(jobs, True), at_once=2, notebooks=False)
    assert [board.next_job().config_sha256 for _ in jobs] == ["a", "a", "b", "a", "a"]  # 40 of 70


def test_each_experiment_is_shown_when_its_runs_have_ended(tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("WGANGP_OUTPUT", str(tmp_path))
    monkeypatch.setenv("WGANGP_DATA", str(tmp_path / "none"))
    monkeypatch.setenv("WGANGP_OFFLINE", "1")
    for _ in range(2):  # the second time there is nothing left to train
        assert main(["run", "mnist_digits", "--tier", "smoke", "--seed", "5", "--jobs", "2", "--notebooks"]) == 0
        told = capfd.readouterr().out
        assert told.index("== mnist_digits") > told.rfind("done in") and "Tier smoke: 3 of 3 runs done." in told
        assert (tmp_path / "paper_figures" / "mnist_digits.png").exists()
