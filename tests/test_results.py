import multiprocessing
import resource

import numpy as np
import pandas as pd
import pytest

from wgangp import InputError, results


@pytest.fixture(autouse=True)
def output(tmp_path, monkeypatch):
    monkeypatch.setenv("WGANGP_OUTPUT", str(tmp_path))
    return tmp_path


def rows(setting, seed, value, tier="short"):
    row = dict.fromkeys(results.COLUMNS, "x") | {"quantity": "q", "setting": setting, "tier": tier, "seed": seed}
    return [row | {"value": value, "wall_seconds": 1.0}]


def test_a_job_replaces_its_own_rows_only():
    results.replace_job("e", "a", "short", 0, rows("a", 0, 1) + rows("a, layer 1", 0, 2))
    results.replace_job("e", "ab", "short", 0, rows("ab", 0, 3))
    results.replace_job("e", "a", "paper", 0, rows("a", 0, 4, "paper"))
    results.replace_job("e", "a", "short", 1, rows("a", 1, 5))
    results.replace_job("e", "a", "short", 0, rows("a", 0, 6))
    frame = results.read("e")
    assert sorted(frame["value"]) == [3, 4, 5, 6]
    assert not frame.duplicated(results.KEY).any()


def test_rows_of_a_run_on_its_way_are_added_and_give_way_to_those_of_its_end():
    results.add_rows("e", rows("a, iteration 1", 0, 1))
    results.add_rows("e", rows("a, iteration 2", 0, 2) + rows("b", 0, 9))
    results.add_rows("e", rows("a, iteration 2", 0, 3))
    assert sorted(results.read("e")["value"]) == [1, 3, 9]
    results.replace_job("e", "a", "short", 0, rows("a", 0, 4) + rows("a, iteration 2", 0, 5))
    assert sorted(results.read("e")["value"]) == [4, 5, 9]


def test_commit_of_a_copy(monkeypatch):
    monkeypatch.setenv("WGANGP_COMMIT", "0123456789ab")
    assert results.code_commit() == "0123456789ab"
    monkeypatch.delenv("WGANGP_COMMIT")
    assert results.code_commit() != "0123456789ab"


def write_many(first):
    for seed in range(first, first + 15):
        results.replace_job("e", "a", "short", seed, rows("a", seed, seed))


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
        results.replace_job("e", "b", "short", 0, rows("b", 0, 1) * 500)
    except InputError as error:
        queue.put(str(error))


def test_failed_write_leaves_the_file_as_it_was(output):
    results.replace_job("e", "a", "short", 0, rows("a", 0, 1))
    before = results.path_of("e").read_bytes()
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=fill_the_disk, args=(queue,))
    process.start()
    assert "cannot write" in queue.get(timeout=60)
    process.join()
    assert results.path_of("e").read_bytes() == before
    assert not list(output.rglob("*.part"))


def test_foreign_csv_is_refused(output):
    path = results.path_of("e")
    path.parent.mkdir()
    path.write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="has columns"):
        results.read("e")


def test_reading_keeps_values(output):
    values = np.random.default_rng(0).standard_normal(100)
    for seed, value in enumerate(values):
        results.add_rows("e", rows("a", seed, value))
    assert (results.read("e")["value"] == values).all()
    assert list(pd.read_csv(results.path_of("e"))) == results.COLUMNS
