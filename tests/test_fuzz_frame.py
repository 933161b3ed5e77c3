"""Damaged files of experiments and results: read or refused in one sentence, whatever the damage."""

import random
import shutil

import pandas as pd
import pytest

from reproduction import compare, experiment, paper_csv, report, results
from reproduction.experiment import Experiment
from reproduction.job import Job
from wgangp import InputError

NAME = "fig1_gradient_norms"
TOKENS = rb"[ ] { } : , ' nan inf - 1e999 9999999999999999999999999 null &a *a !!x {x} {number} # | 2001-99-99 ~ <<:"
TOKENS = [*TOKENS.split(), b'"', b"\xff", b"\0", b"\n", b"\t", b"\xef\xbb\xbf", b"1.2x", b"? ", b"- "]


def damaged(data, chance):
    """Bytes with one to five places changed, inserted, deleted or repeated."""
    data = bytearray(data)
    for _ in range(chance.choice([1, 1, 2, 5])):
        start, length = chance.randrange(len(data) + 1), chance.choice([0, 1, 3, 10, 100])
        copied = chance.randrange(len(data) + 1)
        put = [chance.randbytes(1), chance.choice(TOKENS), b"", data[copied : copied + length]]
        data[start : start + length] = chance.choice(put)
    return bytes(data)


def read_configuration():
    one = Experiment(NAME)
    for tier in one.tiers:
        for setting in one.settings_at(tier):
            Job(one, setting, tier, 0)


def read_paper():
    for row in paper_csv.rows_of(NAME).iloc:
        compare.paper_says(row), compare.criterion(row)


def read_claims():
    claims = compare.claims(NAME, pd.DataFrame({"claim": ["1a"], "verdict": ["reproduced"], "tier": ["paper"]}))
    compare.as_claims(claims, claims)


def read_results():
    report.costs(results.read(NAME))


@pytest.mark.parametrize("count", [60, pytest.param(1000, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "name, read",
    [
        ("experiments/config.yaml", read_configuration),
        ("experiments/paper.csv", read_paper),
        ("experiments/claims.csv", read_claims),
        ("experiments/figures.csv", lambda: paper_csv.figures_of(NAME)),
        (f"results/{NAME}.csv", read_results),
    ],
)
def test_damaged_files(tmp_path, monkeypatch, name, read, count):
    folder = tmp_path / "experiments"
    shutil.copytree(experiment.FOLDER / NAME, folder / NAME)
    monkeypatch.setattr(experiment, "FOLDER", folder)
    monkeypatch.setattr(paper_csv, "FOLDER", folder)
    monkeypatch.setenv("WGANGP_OUTPUT", str(tmp_path))
    results.replace_runs(NAME, results.read(NAME, results.ROOT).groupby("setting").head(3).to_dict("records"))
    path = tmp_path / name.replace("experiments", f"experiments/{NAME}")
    whole, chance, refused = path.read_bytes(), random.Random(0), 0
    read()
    for _ in range(count):
        path.write_bytes(damaged(whole, chance))
        try:
            read()
        except InputError as error:
            refused += 1
            assert len(str(error).splitlines()) == 1
    assert refused > count / 10
