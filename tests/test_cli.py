import errno
import io
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from commands import start_command

from reproduction import job as jobs
from reproduction import processes, results, worker
from reproduction.__main__ import main, settle_folders
from reproduction.experiment import Experiment
from reproduction.job import Job
from reproduction.results import read
from wgangp.runtime.files import locked

FIG1 = "fig1_gradient_norms"
ONE_RUN = ["run", FIG1, "--tier", "smoke", "--seed", "0", "--setting", "gradient penalty", "--jobs", "1"]
LONG = "n" * 300  # longer than a file's name may be


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
        (
            ["run", "fig1_gradient_norms", "--seed", "-1"],
            "--seed is -1; use an integer of at least 0 and below 4294967296",
        ),
        (["run", "fig1_gradient_norms", "--setting", "x"], "has no setting 'x'"),
        (["run", "fig1_gradient_norms", "--jobs", "0"], "--jobs is 0; use an integer of at least 1"),
        (["run", "fig1_gradient_norms", "--device", "tpu"], "invalid choice: 'tpu'"),
        (["run", FIG1, "--device", "gpu"], "--device gpu: this Paddle sees no GPU"),
        (["run", FIG1, "--budget", "0"], "--budget is 0.0; use a finite number above 0"),
        (["run", FIG1, "--budget", "-1"], "--budget is -1.0; use a finite number above 0"),
        (["run", FIG1, "--budget", "nan"], "--budget is nan; use a finite number above 0"),
        (["run", FIG1, "--budget", "inf"], "--budget is inf; use a finite number above 0"),
        (["run", FIG1, "--jobs", "-3"], "--jobs is -3; use an integer of at least 1"),
        (
            ["run", FIG1, "--seed", str(2**200)],
            "; use an integer of at least 0 and below 4294967296",
        ),
        (["run", FIG1, "--seed", "0", "--seed", str(2**32)], "--seed is 4294967296; use an integer"),
        (["compare", FIG1, "--seed", "-1"], "--seed is -1; use an integer of at least 0"),
        (["generate", FIG1, "--seed", "-1"], "--seed is -1; use an integer of at least 0"),
        (["generate", FIG1, "--run-seed", "-1"], "--run-seed is -1; use an integer of at least 0"),
        (["generate", FIG1, "--number", "0"], "--number is 0; use an integer of at least 1"),
        (["score", "none.npy", "--data", "cifar10", "--real", "0"], "--real is 0; use an integer of at least 1"),
        (["compare", FIG1, "--csv", ""], "argument --csv: the name is empty; name a file or a folder"),
        (["score", "", "--data", "cifar10"], "argument SAMPLES: the name is empty"),
        (["import", ""], "argument FOLDER: the name is empty"),
        (["generate", FIG1, "-o", ""], "argument -o/--output: the name is empty"),
        (["run", "all", "fig9"], "experiment 'fig9' is unknown"),
        (["compare", "all", "fig9"], "experiment 'fig9' is unknown"),
        (["compare", FIG1, "--seed", "1"], "--seed goes with --yours"),
        (["data", "list", "mnist"], "data list lists all files and takes no names; leave out mnist."),
        (["doctor", "--device", "gpu"], "--device gpu: this Paddle sees no GPU"),
        (["compare", FIG1, "--csv", LONG], "File name too long"),
        (["compare", LONG], "is unknown; there are:"),
        (["notebook", LONG], "is unknown; there are:"),
        (["import", LONG], "File name too long"),
        (["compare", "fig9"], "experiment 'fig9' is unknown"),
        (["notebook", "fig9"], "experiment 'fig9' is unknown"),
        (["import", "none"], "none has no results/<experiment>.csv"),
        (["generate", "none/checkpoint.npz"], "nor a checkpoint in a run's folder"),
        (["score", "none.npy", "--data", "swissroll"], "cannot be read as an array"),
        (["score", "none.npy", "--data", "moons"], "--data moons is unknown; use one of 8gaussians"),
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
    assert "1 of 1 run to do" in capfd.readouterr().out
    job = Job(Experiment(name), setting, "smoke", 7)
    rows = read(name)
    assert set(rows["config_sha256"]) == {job.config_sha256} and set(rows["seed"]) == {7}
    assert (rows["wall_seconds"] > 0).all() and rows["finished"].str.endswith("Z").all()

    assert main(arguments) == 0
    assert "0 of 1 run to do" in capfd.readouterr().out
    assert main([*arguments, "--fresh"]) == 0
    assert "1 of 1 run to do" in capfd.readouterr().out

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


@pytest.mark.parametrize("command", [["run", FIG1], ["compare", FIG1], ["report"], ["notebook", FIG1], ["doctor"]])
@pytest.mark.parametrize("variable", ["WGANGP_OUTPUT", "WGANGP_DATA"])
def test_folder_of_a_user_whom_there_is_not(capfd, monkeypatch, command, variable):
    monkeypatch.setenv(variable, "~nosuchuser/here")
    assert f"{variable} is ~nosuchuser/here: there is no such user" in refused(capfd, *command)


def test_device_of_the_environment_is_checked_before_anything_runs(capfd, monkeypatch, output):
    monkeypatch.setenv("WGANGP_DEVICE", "tpu")
    convert = ["data", "convert-inception", "none.pth"]
    for command in (["run", FIG1], ["generate", FIG1], ["score", "none.npy", "--data", "cifar10"], ["doctor"], convert):
        assert "--device tpu is unknown; use auto, cpu, gpu, aten" in refused(capfd, *command)
    assert not list(output.iterdir())


@pytest.mark.parametrize("variable", ["PADDLE_TRAINERS_NUM", "PADDLE_TRAINER_ID"])
def test_variables_of_the_launcher_are_numbers(capfd, monkeypatch, variable):
    monkeypatch.setenv(variable, "two")
    assert f"{variable} is 'two', not a number; unset it" in refused(capfd, *ONE_RUN)


def test_nothing_is_forgotten_where_results_are_damaged(capfd, output):
    assert main(ONE_RUN) == 0
    rows = list(output.glob("runs/*/*/rows.json"))
    (output / "results" / f"{FIG1}.csv").write_text("garbage")
    assert "has columns ['garbage']" in refused(capfd, *ONE_RUN, "--fresh")
    assert len(rows) == 1 and rows[0].exists()


def test_embedded_data_are_told(capfd, monkeypatch, output):
    monkeypatch.setenv("WGANGP_DATA", str(output / "nowhere"))
    monkeypatch.setenv("WGANGP_OFFLINE", "1")
    arguments = ["run", "mnist_digits", "--tier", "smoke", "--setting", "DCGAN", "--jobs", "1"]
    for done in ("1 of 1 run to do", "0 of 1 run to do"):
        assert main(arguments) == 0
        told = capfd.readouterr().out
        assert done in told and "Small embedded data stand in for missing files in mnist_digits" in told
        assert str(output / "nowhere") in told
    (rows,) = output.glob("runs/mnist_digits/*/rows.json")
    rows.write_text(rows.read_text().replace('"dataset": "embedded"', '"dataset": "mnist"'))  # as after a run with data
    assert main(arguments) == 0
    assert set(read("mnist_digits")["dataset"]) == {"embedded"} and "mbedded" not in capfd.readouterr().out
    assert main(ONE_RUN) == 0
    assert "mbedded" not in capfd.readouterr().out


def test_relative_folders_are_the_callers(capfd, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/me")
    for given, settled in (("out", tmp_path / "out"), ("~/out", Path("/home/me/out")), ("", results.ROOT)):
        monkeypatch.setenv("WGANGP_OUTPUT", given)
        monkeypatch.setenv("WGANGP_DATA", "")
        settle_folders()
        assert os.environ["WGANGP_OUTPUT"] == str(settled) and os.environ["WGANGP_DATA"] == str(tmp_path / "data")
    monkeypatch.setenv("WGANGP_OUTPUT", "out")
    assert main(ONE_RUN) == 0
    assert (tmp_path / "out" / "results" / f"{FIG1}.csv").exists() and not (results.ROOT / "out").exists()
    monkeypatch.setenv("WGANGP_OUTPUT", "out")
    capfd.readouterr()
    assert main(ONE_RUN) == 0
    assert "0 of 1 run to do" in capfd.readouterr().out


def test_each_run_is_done_once_however_often_it_is_named(capfd):
    twice = [ONE_RUN[0], FIG1, *ONE_RUN[1:], "--seed", "0", "--setting", "gradient penalty", "--budget", "1e-9"]
    assert main(twice) == 0
    assert "1 of 1 run to do, 1 at a time" in capfd.readouterr().out


@pytest.fixture
def no_process(monkeypatch):
    """Runs what a worker's process would."""

    def ask(_, job, *__):
        return worker.outcome(**job.about, deadline=None, device={"name": "cpu"})[0]

    monkeypatch.setattr(processes.Workers, "start_worker", lambda _: None)
    monkeypatch.setattr(processes, "ask", ask)


def test_run_in_progress_elsewhere_is_neither_failed_nor_deleted(capfd, no_process):
    job = Job(Experiment(FIG1), "gradient penalty", "smoke", 0)
    with locked(job.folder / "lock", wait=False):
        checkpoint = job.folder / "checkpoint.npz"
        checkpoint.write_bytes(b"half a run")
        assert main([*ONE_RUN, "--fresh"]) == 0
        told = capfd.readouterr()
        assert f"in use by process {os.getpid()} on " in told.err and "Traceback" not in told.err
        assert f"in progress in another process: {job.label}" in told.out
        assert "In progress in another process: 1 run; run the same command" in told.out
        assert checkpoint.read_bytes() == b"half a run" and not job.done


def test_rows_that_cannot_be_read_are_measured_again(capfd, no_process):
    job = Job(Experiment(FIG1), "gradient penalty", "smoke", 0)
    jobs.run_job(job, name="cpu")
    before = results.read(FIG1).drop(columns=["finished", "wall_seconds"])
    for name, text in (("rows.json", "{"), ("seconds.json", "x"), ("job.json", "[")):
        (job.folder / name).write_text(text)
    assert main(ONE_RUN) == 0
    told = capfd.readouterr()
    assert "rows.json is damaged" in told.err and "seconds.json is damaged" in told.err and "job.json is" in told.err
    assert "1 of 1 run to do" in told.out and job.rows()
    after = results.read(FIG1).drop(columns=["finished", "wall_seconds"])
    assert (after["value"] == before["value"]).all() and (job.folder / "rows.json.damaged").read_text() == "{"
    assert after["commit"].str.contains("unknown").all()


@pytest.mark.parametrize("command", [ONE_RUN, ["compare", FIG1], ["report"]])
def test_damaged_results_stop_a_command_in_a_sentence(capfd, output, command):
    path = results.path_of(FIG1)
    path.parent.mkdir()
    path.write_bytes(results.path_of(FIG1, results.ROOT).read_bytes().replace(b"swissroll", b"swiss\xffroll", 1))
    assert "can't decode byte 0xff" in refused(capfd, *command)


@pytest.mark.parametrize("command", [["report"], ["compare", FIG1, "--csv", "out/a.csv"]])
def test_file_where_the_output_folder_should_be(capfd, output, monkeypatch, command):
    """What stands for a folder without rights, which those of root ignore."""
    monkeypatch.chdir(output)
    (output / "out").touch()
    monkeypatch.setenv("WGANGP_OUTPUT", "out")
    assert "cannot write" in refused(capfd, *command)
    assert (output / "out").is_file()


@pytest.mark.parametrize("command", [ONE_RUN, ["compare", FIG1], ["report"], ["readme"], ["doctor"]])
def test_folder_without_rights(capfd, monkeypatch, command):
    def denied(path, *_, **__):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(Path, "exists", denied)
    monkeypatch.setattr(Path, "is_dir", denied)
    assert "Permission denied; fix that and run again." in refused(capfd, *command)


def test_defects_of_paddle_are_not_taken_for_the_systems(monkeypatch):
    def fails(*_):
        raise OSError("(InvalidArgument) a defect")

    monkeypatch.setattr("reproduction.report.write", fails)
    with pytest.raises(OSError, match="a defect"):
        main(["report"])


def test_full_disk_while_a_notebook_is_executed(capfd, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/x/y")

    monkeypatch.setattr(tempfile, "TemporaryDirectory", full)
    assert "/x/y: No space left on device" in refused(capfd, "notebook", FIG1)


def test_full_disk_at_the_end_of_a_run_loses_nothing(monkeypatch):
    job = Job(Experiment(FIG1), "gradient penalty", "smoke", 0)
    write, iterations = jobs.write_json, []

    def full(path, value):
        if path.name == "rows.json":
            raise jobs.write_error(path, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
        write(path, value)

    monkeypatch.setattr(jobs, "write_json", full)
    with pytest.raises(results.InputError, match="rows.json: No space left on device; make room"):
        jobs.run_job(job, name="cpu")
    assert (job.folder / "checkpoint.npz").exists() and not job.done
    monkeypatch.setattr(jobs, "write_json", write)
    monkeypatch.setattr("wgangp.gan.BaseGAN.iteration", lambda *_: iterations.append(1))
    assert jobs.run_job(job, name="cpu") and job.done and not iterations
    assert not jobs.run_job(job, name="cpu")  # it is done


def test_output_folder_that_is_not_there_yet(capfd, monkeypatch, output):
    (output / "file").touch()
    for folder, state in (
        (output / "none" / "deep", ", not made yet"),
        (output, ""),
        (output / "file", ", is no folder"),
    ):
        monkeypatch.setenv("WGANGP_OUTPUT", str(folder))
        assert main(["doctor"]) == 0
        assert re.search(rf"{folder}{state}, \d+ GiB free", capfd.readouterr().out)
    monkeypatch.setenv("WGANGP_OUTPUT", str(output / LONG))
    assert "File name too long" in refused(capfd, "doctor")


@pytest.fixture
def stdout(monkeypatch):
    """Puts a text file in place of the standard output."""

    def put(file, encoding="utf-8"):
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(file, encoding=encoding))
        return sys.stdout

    return put


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "gb2312"])
@pytest.mark.parametrize("command", [["compare", FIG1, "--rows"], ["doctor"], ["generate", "-h"]])
def test_terminals_that_lack_letters(stdout, monkeypatch, output, command, encoding):
    monkeypatch.setenv("WGANGP_OUTPUT", str(output / "λ 中 é"))
    written = stdout(io.BytesIO(), encoding)
    try:
        assert main(command) == 0
    except SystemExit as error:  # of --help
        assert error.code == 0
    text = written.buffer.getvalue()
    text.decode(encoding)
    if command[1:] == [FIG1, "--rows"] and encoding == "ascii":
        assert b"\\xb1" in text  # ±
    if command == ["doctor"] and encoding == "ascii":
        assert rb"\u03bb \u4e2d \xe9" in text


@pytest.mark.parametrize("command", [["compare", FIG1, "--rows"], ["doctor"]])  # more, and less, than a buffer holds
def test_closed_pipe_and_full_disk_as_output(stdout, capfd, command):
    reading, writing = os.pipe()
    os.close(reading)
    with stdout(os.fdopen(writing, "wb")):
        assert main(command) == 128 + signal.SIGPIPE
    with stdout(open("/dev/full", "wb")):
        assert main(command) == 2
    told = capfd.readouterr().err
    assert told.strip() == "wgangp: the system: No space left on device; fix that and run again."


@pytest.mark.parametrize(
    "command, delay, number",
    [
        ("compare", 0.0, signal.SIGINT),
        ("report", 0.4, signal.SIGINT),
        ("report", 1.0, signal.SIGTERM),  # Paddle has its own handler by then
        ("run all", 1.5, signal.SIGINT),
    ],
)
def test_interrupted_at_any_moment(command, delay, number):
    """While it is being imported, and later."""
    process = start_command(*command.split(), stderr=subprocess.PIPE)
    while process.poll() is None and b"numpy" not in Path(f"/proc/{process.pid}/maps").read_bytes():
        time.sleep(0.01)
    time.sleep(delay)
    process.send_signal(number)
    process.send_signal(number)
    told = process.communicate(timeout=30)[1]
    assert process.returncode == 130 and told.startswith("\nwgangp: stopped") and len(told.splitlines()) == 2


def test_locale_without_utf_8(output):
    process = start_command("report", stderr=subprocess.PIPE, LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    told, errors = process.communicate()
    assert (process.returncode, told, errors) == (0, f"Wrote {output}/report.html.\n", "")


def test_show_prints_claims_rows_and_files_of_an_experiment(capfd, monkeypatch):
    monkeypatch.delenv("WGANGP_OUTPUT", raising=False)
    assert main(["show", "table3"]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert lines[0] == "table3_cifar_inception"
    assert any(line.startswith("7c  labels help") for line in lines)
    assert any(line.split()[:3] == ["7a", "inception_score", "unsupervised"] for line in lines)
    files = [Path(line) for line in lines if line.startswith("/")]
    assert all(file.is_file() for file in files)
    assert {file.suffix for file in files} >= {".ipynb", ".csv", ".yaml", ".jpg"}


def test_commands_take_the_beginning_of_a_name(capfd):
    assert main(["compare", "fig4"]) == 0
    out = capfd.readouterr().out
    assert "4a" in out and "7a" not in out
    assert "'fig' is the beginning of several experiments" in refused(capfd, "run", "fig")
