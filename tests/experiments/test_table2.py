"""The sweep of random architectures: failures, counts, and a sweep that is really killed."""

import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from wgangp import InputError, compare, experiment, results
from wgangp.base_gan import BaseGAN
from wgangp.experiment import Experiment, Job, run_job

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
        rows = table2.run(config.model_copy(update={"learning_rate": 1e30, "iterations": 50}), 0)
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
        return table2.run(config, 0)

    rows = raises(MemoryError())
    assert values(rows)["failed"] == 1 and rows[-1]["protocol"] == "MemoryError"
    assert values(raises(RuntimeError("(Fatal) an operator")))["failed"] == 1
    for mistake in (KeyError("x"), TypeError("x")):
        with pytest.raises(type(mistake)):
            raises(mistake)


def rows_of(shares, methods=("GAN", "WGAN-GP", "WGAN-GP one-sided"), quantity="share_of_real_classifier_score"):
    rows = [
        dict.fromkeys(results.COLUMNS, "x")
        | {
            "quantity": quantity,
            "setting": f"architecture {i:03}, {method}",
            "tier": "short",
            "seed": 0,
            "value": value,
        }
        | {"protocol": "500 images; dataset=cifar10", "wall_seconds": 2.0}
        for i, line in enumerate(shares)
        for method, value in zip(methods, line, strict=True)
    ]
    return pd.DataFrame(rows)


def test_counts_and_intervals_recomputed():
    summary = Experiment(NAME).module.summary
    shares = np.random.default_rng(0).uniform(0, 0.9, (30, 3))
    shares[0] = 0  # failures
    table = pd.DataFrame(summary(rows_of(shares)))
    assert not table.duplicated(results.KEY).any() and set(table["wall_seconds"]) == {180.0}
    for threshold in 1 + np.arange(17) / 2:
        rows = table[table["setting"] == f"min score {threshold:.1f}"].set_index("quantity")
        gan, penalised = (shares[:, k] * 11.24 > threshold for k in (0, 1))
        expected = [sum(gan > penalised), sum(penalised > gan), sum(gan & penalised), sum(~gan & ~penalised)]
        names = ["only_gan", "only_wgan_gp", "both", "neither"]
        found = [rows.loc[f"{name}_on_cifar10_by_classifier_score"] for name in names]
        assert [row["value"] for row in found] == [count / 30 for count in expected]
        z = stats.norm.ppf(0.975)
        for row, count in zip(found, expected, strict=True):
            p = count / 30
            half = z * np.sqrt(p * (1 - p) / 30 + z**2 / 3600) / (1 + z**2 / 30)  # Wilson 1927
            centre = (p + z**2 / 60) / (1 + z**2 / 30)
            assert row["err"] == pytest.approx(half)
            assert f"{count} of 30;" in row["protocol"]
            assert row["protocol"].endswith(f"{max(centre - half, 0):.3f} to {centre + half:.3f}; dataset=cifar10")
    by_name = table.set_index("quantity")
    higher = (shares[:, 1] > shares[:, 0]).mean()
    assert by_name.loc["wgan_gp_higher_on_cifar10_by_classifier_score", "value"] == higher
    better = (shares[:, 1] > shares[:, 2]).sum()
    assert by_name.loc["two_sided_better_on_cifar10_by_classifier_score", "value"] == better / 30
    p = min(1, 2 * stats.binom.cdf(min(better, 29 - better), 29, 0.5))  # the pair of failures decides nothing
    assert by_name.loc["sign_test_p", "value"] == pytest.approx(p)
    ladder = (shares[:, :2, None] * 11.24 > 1 + np.arange(17) / 2).mean(axis=2)
    lead = np.diff(ladder)[:, 0]
    assert by_name.loc["lead_of_wgan_gp", "value"] == pytest.approx(lead.mean())
    interval = stats.ttest_1samp(lead, 0).confidence_interval(0.95)
    assert by_name.loc["lead_of_wgan_gp_lower_end", "value"] == pytest.approx(interval.low)


def test_counts_need_both_methods_and_one_metric():
    summary = Experiment(NAME).module.summary
    assert summary(rows_of([[0.5]] * 3, ["GAN"])) == []
    two = pd.concat([rows_of(np.ones((3, 3))), rows_of(np.ones((1, 3)), quantity="share_of_real_frechet_pixels")])
    table = pd.DataFrame(summary(two))
    assert not table.duplicated(results.KEY).any() and not table["quantity"].str.contains("pixels").any()


def test_inception_scores_meet_the_papers_thresholds_as_they_are():
    share = Experiment(NAME).module.share_of_real
    assert share("inception_score", 5.0, 9.9) * 11.24 == pytest.approx(5.0)
    assert share("classifier_score", 3.0, 6.0) == share("frechet_pixels", 20.0, 10.0) == 0.5


def test_papers_rows_are_its_table():
    rows = compare.paper_rows(NAME)
    table = rows[rows["setting"].str.startswith("min score")].pivot(index="setting", columns="quantity", values="value")
    assert len(table) == 17 and np.allclose(table.sum(axis=1), 1)
    totals = (200 * (table["only_wgan_gp"] + table["both"])).round().astype(int).tolist()
    assert totals == [200, 200, 200, 199, 198, 197, 193, 191, 189, 180, 166, 142, 109, 70, 34, 6, 0]
    lead = rows.set_index("quantity").loc["lead_of_wgan_gp_lower_end", "value"]
    assert lead == pytest.approx((table["only_wgan_gp"] - table["only_gan"]).mean(), abs=5e-4)


def test_counts_of_another_metric_are_not_compared(embedded):
    table2 = Experiment(NAME)
    frame = pd.DataFrame(table2.module.summary(rows_of(np.random.default_rng(1).uniform(0, 1, (9, 3)))))
    judged = compare.compare(NAME, frame.reindex(columns=results.COLUMNS))
    counted = judged[judged["setting"].str.startswith("min score")]
    assert (counted["verdict"] == compare.NOT_COMPARABLE).all()
    assert counted["why"].str.contains("by_classifier_score").all()
    lead = judged.set_index("quantity").loc["lead_of_wgan_gp_lower_end"]
    assert lead["verdict"] == (compare.REPRODUCED if lead["ours"] > 0 else compare.NOT_REPRODUCED)


def test_finished_runs_keep_networks_and_no_checkpoint(embedded):
    table2 = Experiment(NAME)
    job = Job(table2, "architecture 001, GAN", "smoke", 0)
    run_job(job, name="cpu")
    assert not list(job.folder.glob("checkpoint*"))
    gan = experiment.load_trained(job.folder / "networks.npz")
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
    both = rows[(rows["quantity"] == "both_on_embedded_by_frechet_pixels") & (rows["setting"] == "min score 1.0")]
    assert both["protocol"].str.contains(" of 3;").all() and len(both) == 1
