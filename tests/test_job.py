"""Runs: their folders, what a damaged file in one does, the commits of their rows."""

import json
import os
import re
import time

import pytest

from reproduction.job import Job, NoJob, complete_results, run_job
from wgangp import InputError
from wgangp.runtime.files import locked


def test_rows_of_a_resumed_run_name_all_its_commits(edited, monkeypatch):
    experiment = edited(lambda values: None)
    commits = []
    for commit, checkpoint in (("aaaa", True), ("bbbb", True), ("bbbb", False), ("cccc", False)):
        monkeypatch.setenv("WGANGP_COMMIT", commit)
        job = Job(experiment, "gradient penalty", "smoke", 0)
        job.begin("cpu")
        commits.append(job.stamped([{"setting": None}])[0]["commit"])
        path = job.folder / "checkpoint.npz"
        path.touch() if checkpoint else path.unlink(missing_ok=True)
    assert commits == ["aaaa", "aaaa bbbb", "aaaa bbbb", "cccc"]


def test_name_longer_than_a_file_may_have(edited):
    changed = edited(lambda values: values["settings"].update({"n" * 300: values["settings"]["gradient penalty"]}))
    with pytest.raises(InputError, match="cannot write .*nnn.*: File name too long"):
        run_job(Job(changed, "n" * 300, "smoke", 0), name="cpu")


@pytest.fixture
def job(edited):
    made = Job(edited(lambda values: None), "gradient penalty", "smoke", 0)
    made.folder.mkdir(parents=True)
    return made


def test_files_of_a_run_done_elsewhere_make_it_done(job, tmp_path):
    folder = job.folder.relative_to(tmp_path)
    files = {f"{folder}/rows.json": json.dumps([GOOD | {"seed": 1}]).encode(), f"{folder}/seconds.json": b"7.5"}
    with pytest.raises(ValueError, match="of another run"):
        job.store(files)
    assert not list(job.folder.iterdir())
    arrays = job.arrays_path("swissroll")
    files[f"{folder}/rows.json"] = json.dumps([GOOD]).encode()
    job.store(files | {str(arrays.relative_to(tmp_path)): b"arrays"})
    assert job.done and job.rows() == [GOOD] and job.spent == 7.5 and arrays.read_bytes() == b"arrays"


def test_time_is_kept_while_a_run_is_in_progress(job, monkeypatch):
    """A killed run has lost no more of it than since it was last kept; the next attempt counts on."""
    monkeypatch.setattr("reproduction.job.TIME_KEPT", 0.05)
    (job.folder / "seconds.json").write_text("100.0")
    kept = []

    def run(*_):
        deadline = time.monotonic() + 30
        while len(kept) < 2 and time.monotonic() < deadline:
            if job.spent not in (100.0, *kept):
                kept.append(job.spent)
        raise KeyboardInterrupt

    monkeypatch.setattr(job.experiment, "run", run, raising=False)
    with pytest.raises(KeyboardInterrupt):
        run_job(job, name="cpu")
    assert 100 < kept[0] < kept[1] <= job.spent


NO_JSON = [b"{", b"x", b"", b"\xff", b"[" * 100_000, b"null", b'"1"', b"[1]", b"{}"]
GOOD = {"setting": "gradient penalty", "tier": "smoke", "seed": 0, "quantity": "q", "part": "", "dataset": "d"}
GOOD |= {"value": 1.5, "samples": 3, "protocol": "p", "wall_seconds": 1.0}
GOOD |= dict.fromkeys(["config_sha256", "data_sha256", "device", "finished"], "x")


def told_as_damaged(capfd):
    errors = capfd.readouterr().err
    return errors.count("is damaged and not used (") == 1 and len(errors.splitlines()) == 1


@pytest.mark.parametrize(
    "text",
    [b"[]", *NO_JSON]
    + [json.dumps([GOOD | wrong]).encode() for wrong in ({"value": "1.2x"}, {"seed": 1}, {"dataset": None})],
)
def test_damaged_rows_are_put_aside(job, capfd, text):
    path = job.folder / "rows.json"
    path.write_text(json.dumps([GOOD]))
    assert job.rows() == [GOOD] and not capfd.readouterr().err
    path.write_bytes(text)
    assert job.rows() is None and told_as_damaged(capfd)
    complete_results([job])
    assert not job.done and (job.folder / "rows.json.damaged").read_bytes() == text


@pytest.mark.parametrize("text", [*NO_JSON, b"-1", b"NaN", b"Infinity", b"1" * 4000, b"1" * 5000])
def test_damaged_seconds_count_as_none(job, capfd, text):
    path = job.folder / "seconds.json"
    assert job.spent == 0.0
    path.write_text("12.5")
    assert job.spent == 12.5 and not capfd.readouterr().err
    path.write_bytes(text)
    assert job.spent == 0.0 and told_as_damaged(capfd)


@pytest.mark.parametrize("text", NO_JSON)
def test_commits_that_cannot_be_read_are_unknown(job, capfd, monkeypatch, text):
    monkeypatch.setenv("WGANGP_COMMIT", "aaaa")
    (job.folder / "checkpoint.npz").touch()
    (job.folder / "job.json").write_bytes(text)
    job.begin("cpu")
    assert job.commits == ["unknown", "aaaa"] and told_as_damaged(capfd)


def test_clock_that_is_set_back_takes_no_seconds_away(job, monkeypatch):
    job.begin("cpu")
    monkeypatch.setattr("time.time", lambda: 0.0)
    assert 0 <= job.seconds < 60


def test_forgetting_leaves_a_run_in_progress_alone(job, capfd):
    for name in ("rows.json", "checkpoint.npz"):
        (job.folder / name).touch()
    with locked(job.folder / "lock", wait=False):
        job.forget()
        assert job.done and (job.folder / "checkpoint.npz").exists()
    assert re.search(
        rf"in use by process {os.getpid()} on \S+ since \d{{4}}-\d\d-\d\d \d\d:\d\d; wait", capfd.readouterr().err
    )
    job.forget()
    assert {path.name for path in job.folder.iterdir()} == {"lock"}


def test_run_without_a_job_gives_its_rows_and_keeps_nothing(edited, tmp_path):
    experiment = edited(lambda values: None)
    config = experiment.config("gradient penalty", "smoke")
    rows = experiment.run(config, 0, NoJob())
    assert {row["quantity"] for row in rows} >= {"log10_gradient_norm", "slope_per_layer"}
    assert [path.name for path in tmp_path.iterdir()] == ["experiments"]
    run_job(Job(experiment, "gradient penalty", "smoke", 0), name="cpu")
    assert {"runs", "results"} <= {path.name for path in tmp_path.iterdir()}
