"""Settings and their hashes."""

import csv
from pathlib import Path

from reproduction.config import Config
from reproduction.experiment import Experiment


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
