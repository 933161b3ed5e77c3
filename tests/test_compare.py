import math
import shutil

import pandas as pd
import pytest
from paper_row import paper

from reproduction import compare, paper_csv, results, verdicts
from reproduction.experiment import names
from wgangp import InputError

NAN = math.nan


def judged_claim(monkeypatch, *verdicts):
    monkeypatch.setattr(
        paper_csv, "claims_of", lambda name: pd.DataFrame([{"claim": "1a", "short": "", "says": "", "where": ""}])
    )
    table = pd.DataFrame([{"claim": "1a", "verdict": v, "tier": t} for v, t in verdicts])
    (claim,) = compare.claims("e", table).to_dict("records")
    return claim


def test_a_claim_has_the_verdict_of_its_worst_row(monkeypatch):
    for i, worst in enumerate(verdicts.WORST_FIRST):
        rows = [(verdict, "paper") for verdict in verdicts.WORST_FIRST[i:]]
        claim = judged_claim(monkeypatch, *rows, ("not comparable", ""), ("missing", ""), ("missing", ""))
        assert (claim["verdict"], claim["rows"]) == (worst, len(rows))
        assert claim["beside"] == "1 not comparable, 2 missing"
    assert judged_claim(monkeypatch, ("not comparable", "short"), ("missing", ""))["verdict"] == "not comparable"
    assert judged_claim(monkeypatch, ("missing", ""))["verdict"] == "missing"
    claim = judged_claim(monkeypatch, ("reproduced", "paper"), ("not shown at this tier", "short"))
    assert compare.at_tier(claim) == "short: not shown at this tier"


@pytest.mark.parametrize(
    "row, says, accepts",
    [
        (paper("match", 7.86, 0.2, err=0.07), "7.86 ± 0.07", "7.86 ± 0.2"),
        (paper("match", 0.0, 0.2, kind="claimed"), "–", "0 ± 0.2"),
        (paper("at_most", 1, 0.1), "1", "≤ 1 + 0.1"),
        (paper("at_least", 0.8, NAN, kind="claimed"), "–", "≥ 0.8"),
        (paper("above", 0.71, NAN, than="setting=weight clipping"), "0.71", "> weight clipping"),
        (paper("sign", -1, NAN, kind="claimed"), "–", "< 0"),
        (paper("", 3.0, NAN), "3", "none"),
    ],
)
def test_the_papers_error_and_what_we_accept_stand_apart(row, says, accepts):
    assert (compare.paper_says(row), compare.criterion(row)) == (says, accepts)


@pytest.mark.parametrize("name", names())
def test_every_paper_file_is_well_formed(name):
    rows, claims = paper_csv.rows_of(name), paper_csv.claims_of(name)
    assert not rows.duplicated(["claim", "quantity", "setting", "part", "than"]).any()
    assert rows["source"].ne("").all()
    assert rows.loc[rows["direction"].isin(["match", "same"]), "tolerance"].notna().all()
    free = rows["direction"].isin(["above", "below"])
    assert rows.loc[~free, "value"].notna().all()
    assert set(rows["claim"]) - {""} == set(claims["claim"]) and not claims["claim"].duplicated().any()
    assert claims.notna().all(axis=None) and (claims["short"].str.len() <= 34).all()
    judged = rows[rows["direction"].ne("")]
    assert judged.empty or "## What we accept, and why" in (paper_csv.FOLDER / name / "README.md").read_text()


def test_claims_have_names_of_their_own():
    claims = pd.concat([paper_csv.claims_of(name) for name in names()])["claim"]
    assert not claims.duplicated().any() and (claims.str.len() <= 3).all()


@pytest.mark.parametrize("name", names())
def test_committed_rows_have_their_provenance(name):
    rows = results.read(name, results.ROOT)
    for column in (
        "value",
        "dataset",
        "protocol",
        "config_sha256",
        "data_sha256",
        "commit",
        "device",
        "paddle",
        "finished",
    ):
        assert rows[column].notna().all(), column
    assert not rows["commit"].str.contains("dirty|unknown").any()
    assert not rows.duplicated(results.KEY).any()


def test_lines_of_the_claims_are_at_most_100_characters():
    claims = pd.concat([paper_csv.claims_of(name) for name in names()])
    claims = claims.assign(tier="medium", verdict="not shown at this tier", beside="3 not comparable, 1 missing")
    lines = compare.as_claims(claims, claims).splitlines()
    assert len(lines) > len(claims) and max(map(len, lines)) <= 100
    assert sum("medium: not shown at this tier" in line for line in lines) == len(claims)


@pytest.mark.parametrize(
    "old, new, words",
    [
        (b"slope_per_layer", b"\xff", "cannot be read as CSV: 'utf-8' codec can't decode byte 0xff"),
        (b",-0.82,", b",1.2x,", "cannot be read as CSV: could not convert string to float"),
        (b",-0.82,", b",,", "a row of slope_per_layer is compared with a value, and has none"),
        (b",digitised,", b",guessed,", "kind 'guessed' is unknown"),
        (b",0.3\n", b",-0.3\n", "err and tolerance are at least 0"),
        (b"claim,", b"Claim,", "has columns"),
        (b"slope", b'"', "cannot be read as CSV"),
        (b"1a,", b"1z,", "claim '1z' is not in claims.csv; add it there or correct it"),
    ],
)
def test_damaged_paper_file_is_refused_in_a_sentence(tmp_path, monkeypatch, old, new, words):
    shutil.copytree(paper_csv.FOLDER / "fig1_gradient_norms", tmp_path / "fig1_gradient_norms")
    monkeypatch.setattr(paper_csv, "FOLDER", tmp_path)
    path = tmp_path / "fig1_gradient_norms" / "paper.csv"
    assert old in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(old, new, 1))
    with pytest.raises(InputError, match=f"paper.csv.*{words}"):
        paper_csv.rows_of("fig1_gradient_norms")


@pytest.mark.parametrize("file, read", [("claims", paper_csv.claims_of), ("figures", paper_csv.figures_of)])
def test_what_is_named_twice_is_refused(tmp_path, monkeypatch, file, read):
    shutil.copytree(paper_csv.FOLDER / "fig1_gradient_norms", tmp_path / "fig1_gradient_norms")
    monkeypatch.setattr(paper_csv, "FOLDER", tmp_path)
    path = tmp_path / "fig1_gradient_norms" / f"{file}.csv"
    path.write_text(path.read_text() + path.read_text().splitlines()[1] + "\n")
    with pytest.raises(InputError, match=rf"{file}.csv: {file[:-1]} '\w+' is there twice; delete one"):
        read("fig1_gradient_norms")


def test_missing_paper_file_is_told_apart_from_an_unknown_experiment(tmp_path, monkeypatch):
    monkeypatch.setattr(paper_csv, "FOLDER", tmp_path)
    with pytest.raises(InputError, match="paper.csv is missing; restore it from git"):
        paper_csv.rows_of("fig1_gradient_norms")
    with pytest.raises(InputError, match="'fig9' is unknown; there are"):
        paper_csv.rows_of("fig9")
