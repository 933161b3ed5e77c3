"""Settings and their hashes."""

import csv
from pathlib import Path

import pytest

from reproduction.config import Config, MethodConfig
from reproduction.experiment import Experiment
from reproduction.job import NoJob
from wgangp import DCGAN, WGAN, WGAN_GP, Callback
from wgangp.networks.toy import toy_critic, toy_generator


def test_configurations_keep_their_hashes():
    """Checkpoints and committed rows are found by them."""
    with open(Path(__file__).with_name("configuration_hashes.tsv"), newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            config = Experiment(row["experiment"]).config(row["setting"], row["tier"])
            assert config.digest() == row["sha256"], row


def test_hash_of_table_3_at_the_paper_tier():
    """With these the model was trained to 80,000 and 60,000 iterations."""
    hashes = {
        setting: Experiment("table3_cifar_inception").config(setting, "paper").digest()[:8]
        for setting in ("supervised", "unsupervised")
    }
    assert hashes == {"supervised": "c3c9405b", "unsupervised": "3026b4c9"}


def test_field_that_came_later_does_not_change_the_hash_at_its_default():
    class Before(Config):
        width: int

    class After(Before):
        new: int = 3

    same = {"setting": "a", "tier": "short", "width": 5}
    before = Before(**same).digest()
    assert After(**same).digest() == After(**same, new=3).digest() == before != After(**same, new=4).digest()


SETTINGS = {"setting": "a", "tier": "short", "method": "gp", "batch_size": 1, "iterations": 2, "learning_rate": 0.3}
SETTINGS |= {"beta1": 0.4, "beta2": 0.5, "lambda_gp": 6.0, "critic_iters": 7, "c": 0.8}


class Recorder:
    """Stands for a GAN and keeps what it is trained with."""

    def train(self, data, **options):
        self.data, self.options = data, options
        return "history"


def test_training_is_given_every_setting_and_what_the_job_says():
    gan, callback, job = Recorder(), Callback(print), NoJob(Path("c.npz"), 9.0, "label")
    options = {"lr_decay": True, "g_learning_rate": 0.1}
    assert MethodConfig(**SETTINGS).train(gan, "data", 8, job, [callback], **options) == "history"
    expected = {"batch_size": 1, "iterations": 2, "g_learning_rate": 0.1, "d_learning_rate": 0.3, "lr_decay": True}
    expected |= {"beta1": 0.4, "beta2": 0.5, "seed": 8, "callbacks": [callback]}
    expected |= {"checkpoint": Path("c.npz"), "deadline": 9.0, "progress": "label"}
    assert gan.data == "data" and gan.options == expected


@pytest.mark.parametrize(
    "method, kind, own", [("gp", WGAN_GP, {"lambda_gp": 6.0}), ("clip", WGAN, {"clip": 0.8}), ("dcgan", DCGAN, {})]
)
def test_each_method_has_its_own_settings(method, kind, own):
    gan = MethodConfig(**SETTINGS | {"method": method}).gan(toy_generator(4, 1), toy_critic(4, 1))
    assert type(gan) is kind and gan.critic_iters == 7
    assert {name: getattr(gan, name) for name in own} == own
