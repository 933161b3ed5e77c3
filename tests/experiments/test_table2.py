"""The sweep of random architectures: failures, counts, and a sweep that is really killed."""

import signal
import subprocess
import sys
import time
from math import comb

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from reproduction import compare, paper_csv, results, sampling, verdicts
from reproduction.experiment import Experiment
from reproduction.job import Job, NoJob, run_job
from wgangp import InputError
from wgangp.gan import BaseGAN

NAME = "table2_random_architectures"


@pytest.fixture
def embedded(tmp_path, monkeypatch):
    for name, value in (("OUTPUT", tmp_path / "output"), ("DATA", tmp_path / "no_data"), ("OFFLINE", "1")):
        monkeypatch.setenv(f"WGANGP_{name}", str(value))
    return tmp_path / "output"


def values(rows):
    return {row["quantity"]: row["value"] for row in rows}


def test_settings_are_numbered():
    table2 = Experiment(NAME)
    assert len(table2.settings) == len(set(table2.settings)) == 600
    assert table2.settings_at("paper") == table2.settings
    short = table2.settings_at("short")
    assert short == table2.settings[: len(short)] and len(short) >= 3 * 8
    configs = [table2.config(f"architecture 008, {method}", "short") for method in ("GAN", "WGAN-GP")]
    gan, penalised = ((c.learning_rate, c.beta1, c.beta2, c.iterations) for c in configs)
    paper = table2.config("architecture 008, GAN", "paper"), table2.config("architecture 008, WGAN-GP", "paper")
    assert [(c.learning_rate, c.beta1, c.beta2) for c in paper] == [(2e-4, 0.5, 0.999), (1e-4, 0.0, 0.9)]
    assert gan[1:] == (0.5, 0.999, configs[1].iterations) and penalised[1:3] == (0.0, 0.9)
    assert all(c.weight_decay == 1e-3 and c.iterations == 100_000 and c.divisor == 1 for c in paper)
    with pytest.raises(InputError, match="no setting 'architecture 8, GAN'; there are: .*; and 550 more"):
        table2.config("architecture 8, GAN", "paper")


def test_a_diverged_architecture_is_a_failure(embedded):
    table2 = Experiment(NAME)
    for method in ("GAN", "WGAN-GP"):
        config = table2.config(f"architecture 001, {method}", "smoke")
        rows = table2.run(config.model_copy(update={"learning_rate": 1e30, "iterations": 50}), 0, NoJob())
        found = values(rows)
        assert found["failed"] == 1 and found["share_of_real_frechet_pixels"] == 0 and "frechet_pixels" not in found
        assert "diverged" in next(row["protocol"] for row in rows if row["quantity"] == "failed")


def test_an_error_of_an_operator_is_a_failure_and_a_mistake_of_ours_is_not(embedded, monkeypatch):
    table2 = Experiment(NAME)
    config = table2.config("architecture 001, GAN", "smoke")

    def raises(error):
        def train(*_, **__):
            raise error

        monkeypatch.setattr(BaseGAN, "train", train)
        return table2.run(config, 0, NoJob())

    assert values(raises(RuntimeError("(Fatal) an operator")))["failed"] == 1
    for mistake in (KeyError("x"), TypeError("x"), MemoryError("which a neighbour took")):
        with pytest.raises(type(mistake)):
            raises(mistake)


def rows_of(
    shares, methods=("GAN", "WGAN-GP", "WGAN-GP one-sided"), metric="classifier_score", dataset="cifar10", **about
):
    """Rows of made-up runs, an architecture a line and a method a column."""
    about = dict.fromkeys(results.COLUMNS, "x") | {"tier": "short", "seed": 0, "wall_seconds": 2.0, "part": ""} | about
    about |= {"quantity": f"share_of_real_{metric}", "dataset": dataset}
    rows = [
        about | {"setting": f"architecture {i:03}, {method}", "value": value, "config_sha256": f"{i} {method}"}
        for i, line in enumerate(shares, 1)
        for method, value in zip(methods, line, strict=True)
    ]
    return pd.DataFrame(rows, columns=results.COLUMNS)


def summary(*frames):
    frame = pd.concat(frames).sample(frac=1, random_state=0)  # in any order
    table = pd.DataFrame(Experiment(NAME).summary(frame), columns=results.COLUMNS)
    assert not table.duplicated(results.KEY).any()
    return table


def wilson(count, n):
    """Wilson 1927."""
    z, p = stats.norm.ppf(0.975), count / n
    centre, half = p + z**2 / (2 * n), z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n * n))
    return (centre - half) / (1 + z**2 / n), (centre + half) / (1 + z**2 / n)


def sign_test(higher, n):
    """Twice the smaller tail of Binomial(n, 1/2), summed term by term."""
    tail = sum(comb(n, k) for k in range(min(higher, n - higher) + 1)) / 2**n
    return min(1.0, 2 * tail)


def check_share(row, count, n):
    assert row["value"] == count / n and row["samples"] == n
    assert (row["low"], row["high"]) == pytest.approx(wilson(count, n), abs=1e-12)
    assert row["err"] == pytest.approx(np.diff(wilson(count, n))[0] / 2)


GROUPS = (("short", 0, "cifar10"), ("short", 1, "cifar10"), ("paper", 0, "cifar10"), ("short", 0, "embedded"))


def test_counts_and_intervals_recomputed():
    shares = {group: np.random.default_rng(i).uniform(0, 0.9, (30, 3)) for i, group in enumerate(GROUPS)}
    for of_group in shares.values():
        of_group[0] = 0  # failures
    frames = [rows_of(s, tier=tier, seed=seed, dataset=data) for (tier, seed, data), s in shares.items()]
    made = summary(*frames)
    for (tier, seed, dataset), of_group in shares.items():
        table = made[(made["tier"] == tier) & (made["seed"] == seed) & (made["dataset"] == dataset)]
        check_counts(table, of_group, f"on_{dataset}_by_classifier_score")
    assert len(made) == 4 * (4 * 17 + 2 + 3 + 4)


def check_counts(table, shares, name):
    assert set(table["wall_seconds"]) == {120.0}  # of two methods' 30 runs each
    assert set(table["setting"]) == {"GAN against WGAN-GP", "two-sided against one-sided"}
    leads = []
    for threshold in 1 + np.arange(17) / 2:
        rows = table[table["part"] == f"min score {threshold:.1f}"].set_index("quantity")
        gan, penalised = (shares[:, k] * 11.24 > threshold for k in (0, 1))
        expected = [sum(gan > penalised), sum(penalised > gan), sum(gan & penalised), sum(~gan & ~penalised)]
        for kind, count in zip(["only_gan", "only_wgan_gp", "both", "neither"], expected, strict=True):
            check_share(rows.loc[f"{kind}_{name}"], count, 30)
        if expected[0] + expected[1] >= 10:
            leads.append((expected[1] - expected[0]) / 30)
    by_name = table[table["part"] == ""].set_index("quantity")
    smallest = by_name.loc["lead_where_ten_differ"]
    assert smallest["value"] == pytest.approx(min(leads)) and pd.isna(smallest["low"]) and pd.isna(smallest["high"])
    higher = int((shares[:, 1] > shares[:, 0]).sum())
    check_share(by_name.loc[f"wgan_gp_higher_{name}"], higher, 30)
    check_share(by_name.loc["wgan_gp_higher"], higher, 29)  # the pair of failures decides nothing
    assert by_name.loc["sign_test_p_wgan_gp_higher", "value"] == pytest.approx(sign_test(higher, 29))
    better = int((shares[:, 1] > shares[:, 2]).sum())
    check_share(by_name.loc[f"two_sided_better_{name}"], better, 30)
    check_share(by_name.loc[f"one_sided_better_{name}"], 29 - better, 30)
    check_share(by_name.loc["two_sided_higher"], better, 29)
    assert by_name.loc["sign_test_p", "value"] == pytest.approx(sign_test(better, 29))
    ladder = (shares[:, :2, None] * 11.24 > 1 + np.arange(17) / 2).mean(axis=2)
    lead, row = np.diff(ladder)[:, 0], by_name.loc["lead_of_wgan_gp"]
    assert row["value"] == pytest.approx(lead.mean()) and row["err"] == pytest.approx(stats.sem(lead))
    interval = stats.ttest_1samp(lead, 0).confidence_interval(0.95)
    assert (row["low"], row["high"]) == pytest.approx((interval.low, interval.high))


def test_rows_say_which_runs_they_are_of():
    shares = np.random.default_rng(2).uniform(0, 1, (4, 3))
    frame = rows_of(shares)
    table = summary(frame[~(frame["setting"] == "architecture 002, GAN")])
    of_gan, of_penalties = (
        frame[frame["setting"].str.endswith(methods)] for methods in ((" GAN", "WGAN-GP"), ("WGAN-GP", "one-sided"))
    )
    of_gan = of_gan[~of_gan["setting"].str.contains("002")]
    told = table.groupby("setting")["config_sha256"].agg(set).to_dict()
    assert told == {
        "GAN against WGAN-GP": {results.digest_of_runs(of_gan)},
        "two-sided against one-sided": {results.digest_of_runs(of_penalties)},
    }
    samples = table[table["part"] != ""].groupby("setting")["samples"].agg(set).to_dict()
    assert samples == {"GAN against WGAN-GP": {3}}


def judged_claims(shares):
    table = compare.compare(NAME, summary(rows_of(shares)))
    return table, compare.claims(NAME, table).set_index("claim")["verdict"]


def test_fewer_than_ten_that_differ_decide_nothing():
    shares = np.full((30, 3), 0.5)
    shares[:9, 0] = 0.1  # only WGAN-GP succeeds
    row = summary(rows_of(shares)).set_index("quantity").loc["lead_where_ten_differ"]
    assert (row["value"], row["low"], row["high"]) == (0, -1, 1)
    table, claims = judged_claims(shares)
    assert claims["6a"] == verdicts.INCONCLUSIVE
    shares[9, 0] = 0.1
    row = summary(rows_of(shares)).set_index("quantity").loc["lead_where_ten_differ"]
    assert row["value"] == pytest.approx(10 / 30) and pd.isna(row["low"])
    assert judged_claims(shares)[1]["6a"] == verdicts.SEEN
    shares[:, :2] = shares[:, 1::-1]  # GAN in place of WGAN-GP: as small a p for the wrong side
    table, claims = judged_claims(shares)
    assert claims["6a"] == verdicts.NOT_SHOWN
    p = table.set_index("quantity").loc["sign_test_p_wgan_gp_higher"]
    assert p["verdict"] == verdicts.SEEN and p["ours"] == pytest.approx(2 / 2**10)


def test_the_smallest_lead_counts():
    shares = np.full((40, 3), 0.05)  # below every minimum score
    shares[:30, 1] = 0.5  # above all up to 5.5, with WGAN-GP only
    shares[30:36, 0] = 0.75  # above all up to 8.0, with GAN only: they are fewer than ten beyond 5.5
    lead = summary(rows_of(shares)).set_index("quantity").loc["lead_where_ten_differ", "value"]
    assert lead == pytest.approx((30 - 6) / 40)
    shares[30:, 0] = 0.75
    assert summary(rows_of(shares)).set_index("quantity").loc["lead_where_ten_differ", "value"] == -10 / 40


@pytest.mark.parametrize(
    "two_sided, n, word",
    [
        (100, 177, verdicts.REPRODUCED),  # the paper's own
        (50, 100, verdicts.REPRODUCED),
        (5, 10, verdicts.INCONCLUSIVE),
        (70, 100, verdicts.NOT_SHOWN),
        (30, 100, verdicts.NOT_SHOWN),
        (58, 100, verdicts.INCONCLUSIVE),
    ],
)
def test_two_penalties_are_alike_where_the_interval_says_so(two_sided, n, word):
    shares = np.full((n, 3), 0.5)
    shares[:two_sided, 1], shares[two_sided:, 1] = 0.6, 0.4
    low, high = wilson(two_sided, n)
    assert word == (
        verdicts.REPRODUCED
        if 0.35 <= low and high <= 0.65
        else verdicts.INCONCLUSIVE
        if low <= 0.5 <= high
        else verdicts.NOT_SHOWN
    )
    assert judged_claims(shares)[1]["6b"] == word


def test_counts_need_both_methods_and_one_metric():
    assert summary(rows_of([])).empty and summary(rows_of([[0.5]] * 3, ["GAN"])).empty
    assert set(summary(rows_of([[0.5, 0.6]] * 3, ["WGAN-GP one-sided", "WGAN-GP"]))["setting"]) == {
        "two-sided against one-sided"
    }
    others = rows_of(np.ones((4, 3)), metric="frechet_pixels").tail(3)
    table = summary(rows_of(np.full((3, 3), 0.5)), others)
    assert len(table) and not table["quantity"].str.contains("pixels").any()
    assert not table["quantity"].isin(["wgan_gp_higher", "two_sided_higher", "sign_test_p"]).any()  # nothing differs
    one = summary(rows_of([[0.1, 0.9, 0.5]]))
    assert "lead_of_wgan_gp" not in set(one["quantity"]) and "wgan_gp_higher" in set(one["quantity"])


def test_inception_scores_meet_the_papers_thresholds_as_they_are():
    share = Experiment(NAME).module("run").share_of_real
    assert share("inception_score", 5.0, 9.9) * 11.24 == pytest.approx(5.0)
    assert share("classifier_score", 3.0, 6.0) == share("frechet_pixels", 20.0, 10.0) == 0.5


def test_papers_rows_are_its_table():
    rows = paper_csv.rows_of(NAME)
    table = rows[rows["part"].str.startswith("min score")].pivot(index="part", columns="quantity", values="value")
    assert len(table) == 17 and np.allclose(table.sum(axis=1), 1)
    totals = (200 * (table["only_wgan_gp"] + table["both"])).round().astype(int).tolist()
    assert totals == [200, 200, 200, 199, 198, 197, 193, 191, 189, 180, 166, 142, 109, 70, 34, 6, 0]
    lead, by_name = table["only_wgan_gp"] - table["only_gan"], rows.set_index("quantity")["value"]
    assert by_name["lead_of_wgan_gp"] == pytest.approx(lead.mean(), abs=5e-4)
    ten_differ = 200 * (table["only_wgan_gp"] + table["only_gan"]) >= 9.5
    assert by_name["lead_where_ten_differ"] == pytest.approx(lead[ten_differ].min())
    assert by_name["two_sided_higher"].tolist() == pytest.approx([0.5, 100 / 177], abs=5e-4)


def test_tolerances_of_counts_are_newcombes():
    rows = paper_csv.rows_of(NAME)
    for _, row in rows[rows["part"].str.startswith("min score")].iterrows():
        low, high = wilson(round(200 * row["value"]), 200)
        assert row["tolerance"] == pytest.approx(np.hypot(row["value"] - low, high - row["value"]), abs=1e-3)


def test_counts_of_another_metric_are_not_compared():
    judged = judged_claims(np.random.default_rng(1).uniform(0, 1, (9, 3)))[0]
    counted = judged[judged["part"].str.startswith("min score")]
    assert (counted["verdict"] == verdicts.NOT_COMPARABLE).all() and (counted["claim"] == "").all()
    assert counted["why"].str.contains("by_classifier_score").all()


def test_finished_runs_keep_networks_and_no_checkpoint(embedded):
    table2 = Experiment(NAME)
    job = Job(table2, "architecture 001, GAN", "smoke", 0)
    run_job(job, name="cpu")
    assert not list(job.folder.glob("checkpoint*"))
    gan, _, _ = sampling.from_run(job.folder / "networks.npz")
    assert gan.generate(3, seed=0).shape == (3, 3, 32, 32)


def test_killed_sweep_goes_on_without_repeating(embedded):
    command = [sys.executable, "-m", "wgangp", "run", NAME, "--tier", "smoke", "--jobs", "1"]
    for number in (1, 3, 5):
        for method in ("GAN", "WGAN-GP", "WGAN-GP one-sided"):
            command += ["--setting", f"architecture {number:03}, {method}"]

    def finished():
        return {path: (path.stat().st_mtime_ns, path.read_text()) for path in embedded.glob(f"runs/{NAME}/*/rows.json")}

    process = subprocess.Popen(command, cwd=results.ROOT, stdout=subprocess.PIPE, text=True)
    deadline = time.time() + 60
    while len(finished()) < 2 and time.time() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    began = [path.parent for path in embedded.glob(f"runs/{NAME}/*/job.json")]
    time.sleep(1.5)  # its worker ends when it sees that it is alone
    before = finished()
    assert 2 <= len(before) < 9
    told = subprocess.run(command, cwd=results.ROOT, capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    assert f"{9 - len(before)} of 9 runs to do" in told.stdout
    assert told.stdout.count("done in") == 9 - len(before)
    after = finished()
    assert len(after) == 9 and set(began) <= {path.parent for path in after}
    assert {path: after[path] for path in before} == before
    rows = results.read(NAME)
    assert not rows.duplicated(results.KEY).any()
    told = rows[rows["quantity"] == "share_of_real_frechet_pixels"]["protocol"]
    assert len(told) == 9 and told.nunique() == 3  # one architecture's three methods, three times
    both = rows[(rows["quantity"] == "both_on_embedded_by_frechet_pixels") & (rows["part"] == "min score 1.0")]
    assert both["samples"].tolist() == [3]


def test_figures_draw_what_was_counted(embedded):
    shares = np.random.default_rng(3).uniform(0.1, 0.9, (8, 3))
    shares[2, 0] = 0
    about = dict.fromkeys(["err", "low", "high", "samples"])
    rows = rows_of(shares, **about)
    other = rows_of(shares[:, ::-1], dataset="embedded", **about)  # real data come first
    path = results.path_of(NAME)
    path.parent.mkdir(parents=True)
    pd.concat([rows, other, summary(rows, other)]).assign(finished="2026-01-01").to_csv(path, index=False)
    figure = Experiment(NAME).module("figure")
    assert figure.shares_of_real().to_numpy() == pytest.approx(shares)
    gan, two_sided, one_sided = shares.T
    titles = [ax.get_title() for ax in figure.pairs().axes]
    assert titles == [
        f"{second} higher: {(y > x).sum()}, {first}: {(x > y).sum()}"
        for first, x, second, y in (
            ("GAN", gan, "WGAN-GP", two_sided),
            ("one-sided penalty", one_sided, "two-sided penalty", two_sided),
        )
    ]
    drawn = figure.shares_over_minimum_scores()
    both = drawn.axes[2].lines[0].get_ydata()
    assert both == pytest.approx([100 * np.mean(np.minimum(gan, two_sided) * 11.24 > 1 + k / 2) for k in range(17)])
    assert "8 architectures, 100 iterations, classifier score" in drawn.get_suptitle()
