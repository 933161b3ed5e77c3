"""The order of runs, and the time that is announced for them."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import pandas as pd
import pytest
from commands import processes_of, start_command

from reproduction import processes, results, schedule
from reproduction.__main__ import main

NEVER = "not known (never measured at this tier on"
UNKNOWN = f"time {NEVER}"


class EXPERIMENT:
    name = "one"


def job(sha256, experiment=EXPERIMENT, done=False, spent=0.0, seed=0):
    label = f"{experiment.name} {sha256}"
    return SimpleNamespace(
        experiment=experiment, label=label, config_sha256=sha256, done=done, spent=spent, tier="short", seed=seed
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
    assert clock.each(jobs[:1]).sum() == pytest.approx(15) and clock.each(jobs[1:2]).sum() == pytest.approx(40)
    assert clock.each(jobs[2:]).sum() == pytest.approx((15 + 40) / 2)  # a run never measured counts as the others' mean
    gpu = schedule.Clock(jobs, on_cpu=False)
    assert [gpu.each([one]).sum() for one in jobs] == pytest.approx([1, 1, 1])
    assert gpu.phrase(jobs, 1) == ", about 1 min"
    nothing = schedule.Clock(jobs[2:], on_cpu=True)
    assert nothing.each(jobs[2:]).sum() == 0
    assert nothing.phrase(jobs[2:], 1) == f", {UNKNOWN} a CPU)" and nothing.phrase([], 1) == ""


def test_a_run_never_measured_counts_as_its_own_experiments(committed):
    other = SimpleNamespace(name="other")
    jobs = [job("a"), job("b", other), job("c", other)]
    assert schedule.Clock(jobs, on_cpu=True).each(jobs[2:]).sum() == pytest.approx(40)


def test_times_of_another_device_or_experiment_are_not_announced(committed):
    other = type("OTHER", (), {"name": "other"})
    jobs = [job("a"), job("c", other), job("d", other)]
    gpu_only = schedule.Clock([job("e")], on_cpu=False)
    assert gpu_only.phrase([job("e")], 1) == f", {UNKNOWN} a GPU)"
    clock = schedule.Clock(jobs, on_cpu=True)
    assert clock.phrase(jobs, 2, " in all") == f", about 1 min in all, time of 2 runs {NEVER} a CPU)"
    announced = schedule.plan(jobs, jobs[1:], clock, 2).splitlines()
    assert announced[0] == f"2 of 3 runs to do, 2 at a time, {UNKNOWN} a CPU):"
    assert "shows the time that it has left" in announced[1] and announced[2] == "  one: 0 runs"
    clock.add(jobs[1], 13_200.0)  # 3 h 40 min
    assert clock.phrase(jobs[2:], 2) == ", about 220 min"  # a run alone is not shared
    done = [job("a"), job("c", other, done=True, spent=13_200.0), job("d", other)]
    assert schedule.Clock(done, on_cpu=True).phrase(done[2:], 1) == ", about 220 min"


def test_times_follow_what_this_machine_needed(committed):
    jobs = [job("a", done=True, spent=30.0), job("b")]
    clock = schedule.Clock(jobs, on_cpu=True)  # twice as slow, weighed against a minute as fast as committed
    assert clock.each(jobs[1:]).sum() == pytest.approx(40 * (60 + 30) / (60 + 15))
    for _ in range(1000):
        clock.add(jobs[1], 120.0)
    assert clock.each(jobs[1:]).sum() == pytest.approx(120, rel=0.01)


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


def test_the_runs_counted_are_of_the_seeds_that_the_experiment_itself_has(monkeypatch, committed):
    def popen(command, **_):
        commands.append(command[3:])
        return subprocess.Popen(["true"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8")

    commands, other = [], type("Other", (), {"name": "other"})
    jobs = [job("a", seed=0), job("a", seed=1), job("b", other, seed=2)]
    board = schedule.Board(jobs, schedule.Clock(jobs, True), at_once=1, notebooks=True)
    monkeypatch.setattr(schedule, "subprocess", SimpleNamespace(**vars(subprocess) | {"Popen": popen}))
    board.draw_figures(0, EXPERIMENT)
    assert commands[1] == ["compare", "one", "--yours", "short", "--seed", "0", "--seed", "1"]


FIG1 = "fig1_gradient_norms"
ONE_RUN = ["run", FIG1, "--tier", "smoke", "--seed", "0", "--setting", "gradient penalty", "--jobs", "1"]


@pytest.mark.parametrize("command", [["reproduction.worker"], ["wgangp", "report"]])
def test_process_whose_parent_has_gone_does_nothing(tmp_path, command):
    gone = subprocess.Popen(["true"])
    gone.wait()
    about = {"name": FIG1, "setting": "gradient penalty", "tier": "paper", "seed": 0}
    about |= {"deadline": None, "device": {"name": "cpu"}}
    worker = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=results.ROOT,
        env=os.environ | {"WGANGP_OUTPUT": str(tmp_path), "WGANGP_PARENT": str(gone.pid)},
        input=json.dumps(about),
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert worker.returncode == 1 and not worker.stdout and "Traceback" not in worker.stderr
    assert not list(tmp_path.glob("runs/*/*/checkpoint.npz")) and not (tmp_path / "report.html").exists()


def test_too_little_memory_is_told_in_a_sentence_and_ends_no_worker(tmp_path):
    """Paddle raises a MemoryError where a GPU has no more."""
    code = (
        "import runpy, reproduction.job as job\n"
        "def run_job(*_, **__): raise MemoryError('C++ stack of ResourceExhausted')\n"
        "job.run_job = run_job\n"
        "runpy.run_module('reproduction.worker', run_name='__main__')"
    )
    about = {"name": FIG1, "setting": "gradient penalty", "tier": "smoke", "seed": 0, "deadline": None, "device": {}}
    worker = subprocess.run(
        [sys.executable, "-c", code],
        cwd=results.ROOT,
        env=os.environ | {"WGANGP_OUTPUT": str(tmp_path)},
        input=(json.dumps(about) + "\n") * 2,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert worker.returncode == 0 and worker.stdout == '{"outcome": "failed"}\n' * 2
    assert worker.stderr.count("there is too little memory for this run") == 2 and "Traceback" not in worker.stderr


@pytest.mark.parametrize(
    "start, words",
    [
        (OSError(errno.EAGAIN, os.strerror(errno.EAGAIN)), "wgangp: the system: Resource temporarily unavailable"),
        (["false"], f"failed: {FIG1}"),
    ],
)
def test_worker_that_cannot_start_or_dies(monkeypatch, tmp_path, capfd, start, words):
    def popen(*_, **options):
        if isinstance(start, OSError):
            raise start
        process = real(start, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        process.poll = lambda: None  # it dies only once it has been asked
        process.wait()
        return process

    real = subprocess.Popen
    monkeypatch.setenv("WGANGP_OUTPUT", str(tmp_path))
    monkeypatch.setattr(processes.subprocess, "Popen", popen)
    monkeypatch.setattr(results, "git", lambda *_: None)
    assert main(ONE_RUN) in (1, 2)
    told = capfd.readouterr()
    assert words in told.err and "Traceback" not in told.err
    assert isinstance(start, OSError) or "(its process ended with status 1)" in told.out


@pytest.mark.slow
def test_interrupted_while_a_notebook_is_executed(tmp_path):
    process = start_command(*ONE_RUN, "--notebooks", WGANGP_OUTPUT=str(tmp_path))
    deadline = time.time() + 60
    while not processes_of(tmp_path, "ipykernel") and time.time() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    told = process.communicate(timeout=30)[0]
    assert process.returncode == 130 and "Traceback" not in told
    assert told.endswith("wgangp: stopped; run the same command to resume.\n")
    deadline = time.time() + 10
    while processes_of(tmp_path) and time.time() < deadline:
        time.sleep(0.05)
    assert not processes_of(tmp_path) and not list(tmp_path.rglob("*.part"))
