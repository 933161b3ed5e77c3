import gc
import io
import multiprocessing
import resource
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from reproduction import results
from wgangp import InputError
from wgangp.runtime.files import write_npz


@pytest.fixture(autouse=True)
def output(tmp_path, monkeypatch):
    monkeypatch.setenv("WGANGP_OUTPUT", str(tmp_path))
    return tmp_path


def row(setting, seed, value, tier="short", part="", dataset="cifar10", **fields):
    about = {"quantity": "q", "setting": setting, "part": part, "tier": tier, "seed": seed, "dataset": dataset}
    numbers = {"value": value, "err": None, "low": None, "high": None, "samples": 7, "wall_seconds": 1.0}
    return dict.fromkeys(results.COLUMNS, "x") | about | numbers | fields


def test_a_job_replaces_its_own_rows_only():
    results.replace_runs("e", [row("a", 0, 1), row("a", 0, 2, part="layer 1")])
    results.replace_runs("e", [row("a, b", 0, 3)])
    results.replace_runs("e", [row("a", 0, 4, "paper")])
    results.replace_runs("e", [row("a", 1, 5)])
    results.replace_runs("e", [row("a", 0, 6)])
    frame = results.read("e")
    assert sorted(frame["value"]) == [3, 4, 5, 6]
    assert not frame.duplicated(results.KEY).any()


def test_rows_of_embedded_data_do_not_take_the_place_of_real_ones():
    results.replace_runs("e", [row("a", 0, 1), row("a", 0, 2, part="layer 1")])
    results.replace_runs("e", [row("a", 0, 8, dataset="embedded")])
    results.add_rows("e", [row("a", 0, 9, dataset="embedded")])
    assert sorted(results.read("e")["value"]) == [1, 2, 9]


def test_rows_of_a_run_in_progress_are_added_and_give_way_to_those_of_its_end():
    results.add_rows("e", [row("a", 0, 1, part="iteration 1")])
    results.add_rows("e", [row("a", 0, 2, part="iteration 2"), row("b", 0, 9)])
    results.add_rows("e", [row("a", 0, 3, part="iteration 2")])
    assert sorted(results.read("e")["value"]) == [1, 3, 9]
    results.replace_runs("e", [row("a", 0, 4), row("a", 0, 5, part="iteration 2")])
    assert sorted(results.read("e")["value"]) == [4, 5, 9]


def summary(rows):
    """The mean over settings of each seed."""
    for _, group in rows.groupby("seed"):
        yield results.summary_row(group, "all", "mean", group["value"].mean(), "mean over settings", low=0.0, high=1.0)


def test_rows_of_many_runs_are_made_anew_from_all_of_them():
    for setting, value in (("a", 1), ("b", 3), ("b", 5)):
        results.replace_runs(
            "e", [row(setting, 0, value, config_sha256=setting, commit=setting)], lambda r: list(summary(r))
        )
    frame = results.read("e")
    (made,) = frame[frame["setting"] == "all"].to_dict("records")
    assert (
        made["value"] == 3
        and made["commit"] == "a b"
        and made["wall_seconds"] == 2
        and (made["low"], made["high"]) == (0, 1)
    )
    assert len(results.of_single_runs(frame)) == 2 and made["config_sha256"].startswith("runs ")


def test_parts_are_sorted_as_numbers():
    results.replace_runs("e", [row("a", 0, i, part=f"layer {i}") for i in (10, 9, 2, 1)])
    assert results.read("e")["part"].tolist() == ["layer 1", "layer 2", "layer 9", "layer 10"]


def git(folder, *arguments):
    command = ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@b", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_commit_is_that_of_the_code_and_dirty_where_the_code_differs(output, monkeypatch):
    monkeypatch.delenv("WGANGP_COMMIT", raising=False)
    monkeypatch.setattr(results, "ROOT", output)
    assert results.code_commit() == "unknown"
    for name in ("wgangp/a.py", "results/e.csv"):
        (output / name).parent.mkdir(exist_ok=True)
        (output / name).write_text("before")
    git(output, "init", "-q")
    git(output, "add", ".")
    git(output, "commit", "-qm", ".")
    commit = git(output, "rev-parse", "HEAD")[:12]
    assert results.code_commit() == commit
    (output / "results" / "e.csv").write_text("after")
    assert results.code_commit() == commit
    (output / "wgangp" / "a.py").write_text("after")
    assert results.code_commit() == f"{commit}-dirty"
    monkeypatch.setenv("WGANGP_COMMIT", "0123456789ab")  # of a copy without git
    assert results.code_commit() == "0123456789ab"


def write_many(first):
    for seed in range(first, first + 15):
        results.replace_runs("e", [row("a", seed, seed)])


def test_processes_that_write_at_once_lose_nothing():
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=write_many, args=(first,)) for first in (0, 100)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    assert sorted(results.read("e")["seed"]) == [*range(15), *range(100, 115)]


def fill_the_disk(queue):
    limit = 5000
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))  # writing more than this fails
    try:
        results.replace_runs("e", [row("b", 0, 1, part=f"layer {i}") for i in range(500)])
    except InputError as error:
        queue.put(str(error))


def test_failed_write_leaves_the_file_as_it_was(output):
    results.replace_runs("e", [row("a", 0, 1)])
    before = results.path_of("e").read_bytes()
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=fill_the_disk, args=(queue,))
    process.start()
    assert "cannot write" in queue.get(timeout=60)
    process.join()
    assert results.path_of("e").read_bytes() == before
    assert not list(output.rglob("*.part"))


@pytest.mark.parametrize(
    "damage, words",
    [
        (lambda text: b"a,b\n1,2\n", "has columns"),
        (lambda text: text.replace(b",1.5,", b",1.5x,"), "column value"),
        (lambda text: text.replace(b"cifar10", b"\xff\xfe"), "cannot be read"),
        (lambda text: text.replace(b",7,", b",seven,"), "column samples"),
        (lambda text: b"", "cannot be read"),
        (lambda text: text.replace(b",0,cifar10", b",0.5,cifar10"), "column seed"),
        (lambda text: text.replace(b",0,cifar10", b",,cifar10"), "column seed"),
        (lambda text: text.replace(b",0,cifar10", b",9" + 30 * b"9" + b",cifar10"), "column seed"),
        (lambda text: text.replace(b",cifar10,", b",,"), "e.csv, line 2: dataset is empty"),
        (lambda text: text.replace(b",1.5,", b",,"), "e.csv, line 2: value is empty"),
        (lambda text: text[: text.rindex(b",7,x") + 4] + 8 * b"," + b"\n", "e.csv, line 2: config_sha256 is empty"),
        (lambda text: text[: text.rindex(b",")] + b",\n", "e.csv, line 2: finished is empty"),
        (lambda text: text.replace(b",short,", b",shrot,"), "tier 'shrot' is unknown, there are: smoke, short"),
        (lambda text: text + text.splitlines()[1] + b"\n", "two rows are of q, a, , short, 0, cifar10"),
        (lambda text: text.replace(b"x", b'"', 1), "cannot be read as CSV"),
        (lambda text: b"<<<<<<< HEAD\n" + text, "cannot be read as CSV|has columns"),
    ],
)
def test_damaged_file_is_refused_in_a_sentence(damage, words):
    results.replace_runs("e", [row("a", 0, 1.5)])
    path = results.path_of("e")
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(InputError, match=words):
        results.read("e")


def test_remedy_for_a_damaged_file_fits_where_it_is(output, monkeypatch):
    again = "run the same wgangp run again, which puts the rows of finished runs back.$"
    results.path_of("e").mkdir(parents=True)
    with pytest.raises(InputError, match=rf"\); move it away and {again}"):
        results.read("e")
    monkeypatch.setattr(results, "ROOT", output)
    monkeypatch.setattr(results, "is_checkout", lambda: True)
    monkeypatch.setattr(results, "in_git", lambda: True)
    with pytest.raises(InputError, match=rf"it away, restore it .*git checkout HEAD -- results/e.csv\), and {again}"):
        results.read("e")
    with pytest.raises(InputError, match="; restore it from git.$"):
        results.parse("a,b", "HEAD:results/e.csv")


def test_a_value_measured_as_nan_is_read_again():
    results.replace_runs("e", [row("a", 0, float("nan")), row("b", 0, 1.5)])
    results.add_rows("e", [row("c", 0, 2.5)])
    assert results.read("e")["value"].isna().tolist() == [True, False, False]
    assert ",nan,,,,7," in results.path_of("e").read_text()


def test_results_file_that_is_a_folder():
    results.path_of("e").mkdir(parents=True)
    with pytest.raises(InputError, match="cannot be read .*Is a directory"):
        results.read("e")


def test_damaged_commit_is_refused_in_a_sentence(output, monkeypatch):
    monkeypatch.setattr(results, "ROOT", output)
    results.replace_runs("e", [row("a", 0, 1.5)])
    path = results.path_of("e")
    path.write_bytes(path.read_bytes().replace(b"cifar10", b"\xff"))
    for arguments in (["init", "-q"], ["add", "results"], ["commit", "-qm", "."]):
        git(output, *arguments)
    with pytest.raises(InputError, match="HEAD:results/e.csv cannot be read .*0xff"):
        results.committed("e")


@pytest.mark.parametrize("wrong, words", [({"value": "1.2x"}, "column value"), ({"samples": 1.5}, "column samples")])
def test_rows_that_could_not_be_read_again_are_not_written(wrong, words):
    results.replace_runs("e", [row("a", 0, 1)])
    before = results.path_of("e").read_bytes()
    with pytest.raises(InputError, match=words):
        results.replace_runs("e", [row("b", 0, 1) | wrong])
    assert results.path_of("e").read_bytes() == before


def test_reading_keeps_values():
    values = np.random.default_rng(0).standard_normal(100)
    for seed, value in enumerate(values):
        results.add_rows("e", [row("a", seed, value)])
    assert (results.read("e")["value"] == values).all()
    assert list(pd.read_csv(results.path_of("e"))) == results.COLUMNS


def test_rows_that_are_not_committed_are_yours(monkeypatch):
    results.replace_runs("e", [row("a", 0, 1.0), row("b", 0, 2.0)])
    committed = results.read("e")
    monkeypatch.setattr(results, "committed", lambda name: committed)
    assert not len(results.yours("e"))
    results.replace_runs("e", [row("a", 0, 1.0, finished="later")])
    results.replace_runs("e", [row("b", 1, 2.0)])
    assert sorted(zip(results.yours("e")["setting"], results.yours("e")["seed"])) == [("a", 0), ("b", 1)]
    monkeypatch.setattr(results, "committed", lambda name: None)  # no git
    assert len(results.yours("e")) == 3


ARRAYS = {
    "a": np.arange(100_000.0),
    "b/c": np.eye(300, dtype="float32"),
    "text": np.array("λ"),
    "empty": np.zeros((0, 2)),
}


@pytest.mark.parametrize("compressed", [False, True])
def test_the_bytes_are_numpys(compressed):
    ours, theirs = io.BytesIO(), io.BytesIO()
    write_npz(ours, ARRAYS, compressed)
    (np.savez_compressed if compressed else np.savez)(theirs, **ARRAYS)
    assert ours.getvalue() == theirs.getvalue()


@pytest.mark.parametrize("compressed", [False, True])
def test_full_disk_is_one_exception(monkeypatch, compressed):
    ignored = []
    monkeypatch.setattr(sys, "unraisablehook", ignored.append)
    with pytest.raises(OSError, match="No space left"):
        with open("/dev/full", "wb", buffering=0) as file:
            write_npz(file, ARRAYS, compressed)
    gc.collect()
    assert not ignored
