import csv
import shutil
from pathlib import Path

import pytest
import yaml

from wgangp import InputError, experiment
from wgangp.experiment import Config, Experiment, Job, digest


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A copy of an experiment's folder whose config.yaml may be edited."""
    folder = tmp_path / "experiments"
    shutil.copytree(experiment.FOLDER / "fig1_gradient_norms", folder / "fig1_gradient_norms")
    monkeypatch.setattr(experiment, "FOLDER", folder)
    monkeypatch.setenv("WGANGP_OUTPUT", str(tmp_path))

    def edit(change):
        path = folder / "fig1_gradient_norms" / "config.yaml"
        values = yaml.safe_load(path.read_text())
        change(values)
        path.write_text(yaml.safe_dump(values))
        return Experiment("fig1_gradient_norms")

    return edit


def test_order_of_overrides(copy):
    def change(values):
        values["common"]["width"] = 1
        values["settings"]["clip c=0.1"]["width"] = 2
        values["tiers"]["short"]["width"] = 3
        del values["tiers"]["smoke"]["width"]
        values["tiers"]["paper"]["settings"] = {"clip c=0.1": {"width": 4}}

    changed = copy(change)
    widths = {tier: changed.config("clip c=0.1", tier).width for tier in experiment.TIERS}
    assert widths == {"smoke": 2, "short": 3, "medium": 2, "paper": 4}


def test_unknown_key_is_named_with_the_known_ones(copy):
    changed = copy(lambda values: values["common"].update(widht=7))
    with pytest.raises(
        InputError, match=r"config.yaml \(setting 'clip c=0.1', tier short\): unknown key 'widht'; known.*width"
    ):
        changed.config("clip c=0.1", "short")
    with pytest.raises(InputError, match="unknown key 'sedes'"):
        copy(lambda values: values.update(sedes=[1]))


def test_wrong_type_is_named(copy):
    changed = copy(lambda values: values["common"].update(width="wide"))
    with pytest.raises(InputError, match="key 'width': .* got 'wide'"):
        changed.config("clip c=0.1", "paper")
    with pytest.raises(InputError, match="seeds.1"):
        copy(lambda values: values.update(seeds=[0, "one"]))


def test_missing_key_is_named(copy):
    changed = copy(lambda values: values["common"].pop("depth"))
    with pytest.raises(InputError, match="key 'depth' is missing"):
        changed.config("clip c=0.1", "paper")


def test_unknown_names(copy):
    with pytest.raises(InputError, match="experiment 'fig9' is unknown; there are: fig1_gradient_norms"):
        Experiment("fig9")
    with pytest.raises(InputError, match="no setting 'clip c=7'; there are: .*'clip c=0.1'"):
        copy(lambda values: None).config("clip c=7", "short")
    with pytest.raises(InputError, match="tier 'long' is unknown"):
        copy(lambda values: values["tiers"].update(long={}))


def test_changed_number_changes_the_identity(copy):
    before = copy(lambda values: None)
    after = copy(lambda values: values["tiers"]["short"].update(iterations=81))
    jobs = [Job(e, "gradient penalty", "short", 0) for e in (before, after)]
    assert jobs[0].config_sha256 != jobs[1].config_sha256 and jobs[0].folder != jobs[1].folder
    assert digest(before.config("gradient penalty", "paper")) == digest(after.config("gradient penalty", "paper"))


def test_configurations_keep_their_hashes():
    """Checkpoints and committed rows are found by them."""
    with open(Path(__file__).with_name("configuration_hashes.tsv"), newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            config = Experiment(row["experiment"]).config(row["setting"], row["tier"])
            assert digest(config) == row["sha256"], row


def test_hash_of_table_3_at_the_paper_tier():
    """With these the model was trained to 80,000 and 60,000 iterations."""
    hashes = {
        setting: digest(Experiment("table3_cifar_inception").config(setting, "paper"))[:8]
        for setting in ("supervised", "unsupervised")
    }
    assert hashes == {"supervised": "c3c9405b", "unsupervised": "3026b4c9"}


def test_field_that_came_later_does_not_change_the_hash_at_its_default():
    class Before(Config):
        width: int

    class After(Before):
        new: int = 3

    same = {"setting": "a", "tier": "short", "width": 5}
    assert (
        digest(Before(**same)) == digest(After(**same)) == digest(After(**same, new=3)) != digest(After(**same, new=4))
    )


def test_rows_of_a_resumed_run_name_all_its_commits(copy, monkeypatch):
    experiment = copy(lambda values: None)
    commits = []
    for commit, checkpoint in (("aaaa", True), ("bbbb", True), ("bbbb", False), ("cccc", False)):
        monkeypatch.setenv("WGANGP_COMMIT", commit)
        job = Job(experiment, "gradient penalty", "smoke", 0)
        job.begin("cpu")
        commits.append(job.stamped([{"setting": None}])[0]["commit"])
        path = job.folder / "checkpoint.npz"
        path.touch() if checkpoint else path.unlink(missing_ok=True)
    assert commits == ["aaaa", "aaaa bbbb", "aaaa bbbb", "cccc"]
