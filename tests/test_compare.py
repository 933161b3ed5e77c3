import numpy as np
import pandas as pd
import pytest

from wgangp import compare, results
from wgangp.experiment import names


def paper(direction="match", value=1.0, tolerance=0.1, quantity="q", setting="s"):
    return pd.Series(
        {"quantity": quantity, "setting": setting, "value": value, "direction": direction, "tolerance": tolerance}
    )


def ours(values, tier="short", quantity="q", setting="s", protocol="p"):
    rows = [dict.fromkeys(results.COLUMNS, "x") | {"seed": i, "value": v} for i, v in enumerate(values)]
    frame = pd.DataFrame(rows, columns=results.COLUMNS)
    return frame.assign(tier=tier, quantity=quantity, setting=setting, protocol=protocol)


@pytest.mark.parametrize(
    "direction, value, measured, good",
    [
        ("match", 1.0, 1.09, True),
        ("match", 1.0, 1.11, False),
        ("match", 1.0, 0.89, False),
        ("at_least", 1.0, 0.95, True),
        ("at_least", 1.0, 0.85, False),
        ("at_least", 1.0, 50, True),
        ("at_most", 1.0, 1.05, True),
        ("at_most", 1.0, 1.15, False),
        ("sign", -3.0, -0.01, True),
        ("sign", -3.0, 0.01, False),
    ],
)
def test_directions(direction, value, measured, good):
    assert compare.holds(measured, direction, value, 0.1) == good
    told = compare.verdict(paper(direction, value), ours([measured]))
    assert told["verdict"] == (compare.REPRODUCED if good else compare.NOT_REPRODUCED)


def test_interval_is_students_and_needs_two_seeds():
    mean, half = compare.interval([1.0, 2.0, 3.0])
    assert (mean, half) == (2, pytest.approx(4.302653 * 1 / np.sqrt(3), rel=1e-6))
    assert np.isnan(compare.interval([1.0])[1])


def test_best_tier_counts():
    rows = pd.concat([ours([5.0, 5.0]), ours([1.0], "paper"), ours([9.0], "smoke")])
    told = compare.verdict(paper(), rows)
    assert (told["tier"], told["ours"], told["seeds"], told["verdict"]) == ("paper", 1, 1, "reproduced")


def test_what_was_not_measured():
    verdict = lambda rows: compare.verdict(paper(), rows)  # noqa: E731
    assert verdict(ours([]))["verdict"] == "missing"
    assert verdict(ours([1.0], "smoke"))["why"] == "smoke tier only"
    other = verdict(ours([1.0], quantity="classifier_score"))
    assert (other["verdict"], other["why"]) == ("not comparable", "measured instead: classifier_score")
    named = pd.concat(
        [ours([1.0], quantity=f"{paper()['quantity']}_of_less"), ours([1.0], quantity="classifier_score")]
    )
    assert verdict(named)["why"] == f"measured instead: {paper()['quantity']}_of_less"
    assert verdict(ours([1.0], protocol="x; dataset=embedded"))["verdict"] == "not comparable"


@pytest.mark.parametrize("name", names())
def test_every_paper_file_is_well_formed(name):
    rows = compare.paper_rows(name)
    assert not rows.duplicated(["quantity", "setting"]).any()
    assert set(rows["kind"]) <= {"reported", "digitised", "qualitative"}
    assert rows["source"].notna().all() and rows["value"].notna().all()
    assert rows.loc[rows["direction"] == "match", "tolerance"].notna().all()


@pytest.mark.parametrize("name", names())
def test_committed_rows_have_their_provenance(name):
    rows = results.read(name, results.ROOT)
    for column in ("value", "protocol", "config_sha256", "data_sha256", "commit", "device", "paddle", "finished"):
        assert rows[column].notna().all(), column
    assert not rows["commit"].str.contains("dirty|unknown").any()
    assert not rows.duplicated(results.KEY).any()
