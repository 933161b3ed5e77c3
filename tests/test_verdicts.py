import math
import random

import numpy as np
import pandas as pd
import pytest
from paper_row import paper

from reproduction import paper_csv, results, verdicts
from wgangp import InputError

NAN, INF = math.nan, math.inf


def ours(values, tier="paper", **fields):
    """Rows of a quantity, a value for each seed; `fields` may hold one value or one for each seed."""
    rows = [dict.fromkeys(results.COLUMNS, "x") | {"seed": i, "value": v} for i, v in enumerate(values)]
    about = {"quantity": "q", "setting": "s", "part": "", "tier": tier, "dataset": "cifar10", "low": NAN, "high": NAN}
    return pd.DataFrame(rows, columns=results.COLUMNS).assign(**about | fields)


# direction, value, tolerance, what each seed gave, tier, verdict
VERDICTS = [
    ("at_least", 0.8, NAN, [0.2, 0.9, 1.4], "paper", "inconclusive"),
    ("sign", 1.0, NAN, [-5, -4, 9.1], "paper", "inconclusive"),
    ("at_least", 0.8, NAN, [0.801], "paper", "seen once"),
    ("at_least", 0.8, NAN, [0.799], "paper", "not seen once"),
    ("at_least", 0.8, NAN, [0.799], "short", "not seen once"),
    ("at_least", 0.8, NAN, [0.9, 0.91, 0.92], "paper", "reproduced"),
    ("at_least", 0.8, NAN, [0.9, 0.91, 0.92], "short", "reproduced"),
    ("at_least", 0.8, NAN, [0.5, 0.51, 0.52], "paper", "not reproduced"),
    ("at_least", 0.8, NAN, [0.5, 0.51, 0.52], "medium", "not shown at this tier"),
    ("at_least", 0.8, NAN, [0.5, 0.51, 0.52], "short", "not shown at this tier"),
    ("at_least", 0.8, 0.3, [0.55, 0.56, 0.57], "paper", "reproduced"),
    ("at_least", 8, NAN, [8, 8, 8], "paper", "reproduced"),
    ("at_least", 25, NAN, [25, 25, 24], "paper", "inconclusive"),
    ("at_most", 0.1, NAN, [0.01, 0.011, 0.012], "paper", "reproduced"),
    ("at_most", 1, 0.02, [1.01], "paper", "seen once"),
    ("at_most", 1, 0.02, [1.03], "paper", "not seen once"),
    ("match", 7.86, 0.2, [7.8, 7.85, 7.9], "paper", "reproduced"),
    ("match", 7.86, 0.2, [7.5, 7.51, 7.52], "paper", "not reproduced"),
    ("match", 7.86, 0.2, [7.6, 7.7, 7.8], "paper", "inconclusive"),
    ("match", 7.86, 0.2, [7.6], "paper", "not seen once"),
    ("match", -1.8, 0.3, [-1.81, -1.82], "paper", "reproduced"),
    ("sign", -3.0, NAN, [-0.01], "paper", "seen once"),
    ("sign", -3.0, NAN, [0.0], "paper", "not seen once"),
    ("sign", 1.0, NAN, [1, 2, 3], "paper", "inconclusive"),
    ("sign", 1.0, NAN, [10, 11, 12], "paper", "reproduced"),
    ("at_least", 0.8, NAN, [INF, INF], "paper", "not reproduced"),
    ("at_least", 0.8, NAN, [1.0, INF, 1.0], "short", "not shown at this tier"),
    ("at_least", 0.8, NAN, [INF], "paper", "not seen once"),
    ("at_most", 0.8, NAN, [-INF], "paper", "not seen once"),
    ("match", 1.0, 0.1, [NAN], "paper", "not seen once"),
    ("sign", 1.0, NAN, [NAN, 1.0], "paper", "not reproduced"),
    ("", 3.0, NAN, [3.0], "paper", "not comparable"),
]


@pytest.mark.parametrize("direction, value, tolerance, values, tier, expected", VERDICTS)
def test_verdicts(direction, value, tolerance, values, tier, expected):
    told = verdicts.verdict(paper(direction, value, tolerance), ours(values, tier))
    assert (told["verdict"], told["tier"], told["seeds"]) == (expected, tier, len(values))


# direction, value, tolerance, low, high, verdict of one run whose row has an interval of its own
OWN_INTERVALS = [
    ("at_least", 0.5, NAN, 0.51, 0.9, "reproduced"),
    ("at_least", 0.5, NAN, 0.4, 0.9, "inconclusive"),
    ("at_least", 0.5, NAN, 0.1, 0.4, "not reproduced"),
    ("sign", 1, NAN, -1.0, 1.0, "inconclusive"),
    ("same", 0.5, 0.15, 0.40, 0.60, "reproduced"),
    ("same", 0.5, 0.15, 0.52, 0.60, "reproduced"),
    ("same", 0.5, 0.15, 0.52, 0.80, "not reproduced"),
    ("same", 0.5, 0.15, 0.30, 0.80, "inconclusive"),
    ("match", 0.5, 0.15, 0.52, 0.80, "inconclusive"),
]


@pytest.mark.parametrize("direction, value, tolerance, low, high, expected", OWN_INTERVALS)
def test_one_run_with_an_interval_of_its_own(direction, value, tolerance, low, high, expected):
    told = verdicts.verdict(paper(direction, value, tolerance), ours([(low + high) / 2], low=low, high=high))
    assert (told["verdict"], told["why"]) == (expected, "one run")


def test_widening_an_interval_never_turns_inconclusive_into_a_verdict():
    chance = random.Random(0)
    inconclusive = 0
    for _ in range(20_000):
        direction = chance.choice(paper_csv.DIRECTIONS)
        value, tolerance = chance.choice([-1.0, 0.5, 2.0]), chance.choice([0.0, 0.5])
        low = chance.uniform(-4, 4)
        high = low + chance.expovariate(1)
        if verdicts.judge(low, high, direction, value, tolerance) is None:
            inconclusive += 1
            wider = low - chance.expovariate(1), high + chance.expovariate(1)
            assert verdicts.judge(*wider, direction, value, tolerance) is None
        for inside in (low, high):  # a verdict holds for every number in the interval
            met = verdicts.judge(low, high, direction, value, tolerance)
            if met is not None and direction != "same":
                assert verdicts.judge(inside, inside, direction, value, tolerance) == met
    assert inconclusive > 1000


def test_interval_is_students():
    low, high = verdicts.interval([1.0, 2.0, 3.0])
    half = 4.302653 / np.sqrt(3)  # t(0.975) with two degrees of freedom, standard deviation 1
    assert (low, high) == (pytest.approx(2 - half, rel=1e-6), pytest.approx(2 + half, rel=1e-6))


@pytest.mark.parametrize(
    "direction, mine, theirs, expected",
    [
        (
            "above",
            [5, 15, 25],
            [1, 11.1, 20.9],
            "reproduced",
        ),  # differences 4, 3.9, 4.1: paired, the seeds' spread is out
        ("above", [1, 2, 3], [1.5, 2.5, 3.4], "not reproduced"),
        ("below", [1, 2, 3], [1.5, 2.5, 3.4], "reproduced"),
        ("above", [1, 2, 3], [0, 2, 4], "inconclusive"),
        ("above", [1.0], [0.9], "seen once"),
        ("above", [1.0], [1.0], "not seen once"),
        ("below", [INF], [1.0], "not seen once"),
    ],
)
def test_above_and_below_are_paired_by_seed(direction, mine, theirs, expected):
    rows = pd.concat([ours(mine), ours(theirs, setting="other")])
    told = verdicts.verdict(paper(direction, NAN, NAN, than="setting=other"), rows.sample(frac=1, random_state=0))
    assert told["verdict"] == expected
    if np.isfinite(mine).all():
        assert told["ours"] == pytest.approx(np.mean(mine) - np.mean(theirs))


def test_what_a_row_can_be_compared_with():
    rows = pd.concat(
        [
            ours([3, 3.1], setting="clip c=0.1"),
            ours([2, 2.1], quantity="r"),
            ours([1, 1.1], part="quarter"),
            ours([2.5, 2.6]),
            ours([9.0, 9.0], "medium", setting="clip c=0.1"),
        ]
    )
    verdict = lambda direction, than: verdicts.verdict(paper(direction, NAN, NAN, than=than), rows)["verdict"]  # noqa: E731
    assert verdict("below", "setting=clip c=0.1") == "reproduced"
    assert verdict("above", "quantity=r") == verdict("above", "part=quarter") == "reproduced"
    missing = verdicts.verdict(paper("below", NAN, NAN, than="setting=none"), rows)
    assert (missing["verdict"], missing["why"]) == ("missing", "the other side was not run")
    for direction, than in (("above", ""), ("match", "setting=x"), ("above", "seed=3"), ("below", "other")):
        with pytest.raises(InputError):
            paper_csv.other_side(paper(direction, than=than))


def test_only_seeds_and_tiers_that_both_sides_have_are_paired():
    rows = pd.concat([ours([1.0, 2.0, 9.0]), ours([0.0, 1.0], setting="other"), ours([5.0], "short", setting="other")])
    told = verdicts.verdict(paper("above", NAN, NAN, than="setting=other"), rows)
    assert (told["seeds"], told["ours"], told["tier"]) == (2, 1.0, "paper")
    rows = pd.concat([ours([1.0]), ours([2.0, 2.0], "short"), ours([1.0, 1.0], "short", setting="other")])
    told = verdicts.verdict(paper("above", NAN, NAN, than="setting=other"), rows)
    assert (told["seeds"], told["tier"], told["verdict"]) == (2, "short", "reproduced")


def test_best_tier_counts_and_never_smoke():
    rows = pd.concat([ours([5.0, 5.0], "short"), ours([1.0]), ours([3.0], "medium"), ours([9.0], "smoke")])
    told = verdicts.verdict(paper(), rows)
    assert (told["tier"], told["ours"], told["seeds"]) == ("paper", 1, 1)
    told = verdicts.verdict(paper(), rows, ["short"])
    assert (told["tier"], told["ours"], told["seeds"]) == ("short", 5, 2)
    assert verdicts.verdict(paper(), ours([1.0], "smoke"))["verdict"] == "missing"


def test_metrics_stand_in_for_each_other_in_comparisons_but_not_under_the_papers_name():
    rows = pd.concat([ours([3.0], quantity="classifier_score"), ours([2.0], quantity="classifier_score", setting="t")])
    told = verdicts.verdict(paper("above", NAN, NAN, quantity="score", than="setting=t"), rows)
    assert (told["verdict"], told["quantity_measured"]) == ("seen once", "classifier_score")
    better = pd.concat(
        [rows, ours([1.0], quantity="inception_score"), ours([2.0], quantity="inception_score", setting="t")]
    )
    told = verdicts.verdict(paper("above", NAN, NAN, quantity="score", than="setting=t"), better)
    assert (told["verdict"], told["quantity_measured"]) == ("not seen once", "inception_score")
    told = verdicts.verdict(paper(quantity="inception_score"), rows)
    assert (told["verdict"], told["why"]) == ("not comparable", "measured instead: classifier_score")
    real = ours([9.9], quantity="classifier_score_of_real_images")
    told = verdicts.verdict(paper(quantity="inception_score"), pd.concat([rows, real]))
    assert told["why"] == "measured instead: classifier_score 3 (real images 9.9)"


def test_what_was_not_measured():
    assert verdicts.verdict(paper(), ours([]))["verdict"] == "missing"
    assert verdicts.verdict(paper(kind="quoted"), ours([1.0]))["verdict"] == "quoted"
    assert verdicts.verdict(paper(kind="claimed"), ours([1.0], quantity="r"))["verdict"] == "missing"
    both = pd.concat([ours([1.0], quantity="q_of_less"), ours([1.0], quantity="r")])
    assert verdicts.verdict(paper(), both)["why"] == "measured instead: q_of_less"


def test_embedded_data_are_never_compared():
    embedded = ours([1.0], dataset="embedded")
    told = verdicts.verdict(paper(), embedded)
    assert (told["verdict"], told["why"]) == ("not comparable", "embedded data")
    pixels = ours([1.0], dataset="embedded", quantity="frechet_pixels")
    told = verdicts.verdict(paper("below", NAN, NAN, quantity="distance", than="setting=t"), pixels)
    assert (told["verdict"], told["why"]) == ("not comparable", "embedded data")
    told = verdicts.verdict(paper(), pd.concat([embedded, ours([1.05], "short")]))
    assert (told["verdict"], told["tier"], told["ours"]) == ("seen once", "short", 1.05)


def test_of_several_data_sets_the_one_that_finished_last_counts():
    rows = pd.concat(
        [ours([1.0, 1.0], dataset="a", finished="2026-01-01"), ours([2.0], dataset="b", finished="2026-02-01")]
    )
    told = verdicts.verdict(paper(), rows)
    assert (told["dataset"], told["ours"], told["seeds"]) == ("b", 2.0, 1)
