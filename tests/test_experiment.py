import csv
import json
import os
import re
import shutil
from pathlib import Path

import pytest
import yaml

from reproduction import experiment
from reproduction.experiment import Config, Experiment, Job, digest, publish_missing, run_job
from wgangp import InputError
from wgangp.runtime.files import locked


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A copy of an experiment's folder whose config.yaml may be edited."""
    folder = tmp_path / "experiments"
    shutil.copytree(experiment.FOLDER / "fig1_gradient_norms", folder / "fig1_gradient_norms")
    monkeypatch.setattr(experiment, "FOLDER", folder)
    monkeypatch.setenv("WGANGP_OUTPUT", str(tmp_path))

    def edit(change):
        path = folder / "fig1_gradient_norms" / "config.yaml"
        if isinstance(change, bytes):
            path.write_bytes(change)
        else:
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


@pytest.mark.parametrize(
    "text, words",
    [
        (b"seeds: [0]\n# \xff\n", "cannot be read as YAML: 'utf-8' codec can't decode byte 0xff"),
        (b"seeds: 2001-99-99", "cannot be read as YAML: month must be in 1..12"),
        (b"[" * 2_000, "cannot be read as YAML: maximum recursion depth exceeded"),
        (b"seeds: [\n", "cannot be read as YAML: while parsing"),
        (b"seeds: \x01", "cannot be read as YAML: unacceptable character #x0001"),
        (b"", "Input should be a valid dictionary .* got None"),
        (b"- 1", "Input should be a valid dictionary"),
        (b"{seeds: [0], common: {1: 2}, settings: {}, tiers: {}}", r"key 'common.1.\[key\]': .* string, got 1"),
        (b"{seeds: [0], common: {}, settings: {1: {}}, tiers: {}}", r"key 'settings.1.\[key\]': .* string, got 1"),
        (b"{seeds: [0], common: {}, settings: {a: {1: 2}}, tiers: {}}", "key 'settings.a.1.* string, got 1"),
        (b"{seeds: [0], common: {}, settings: {a: {}}, tiers: {short: {1: 2}}}", "key 'tiers.short.1.*string"),
        (b"{seeds: [0], common: {}, settings: {}, tiers: {1: {}}}", r"key 'tiers.1.\[key\]': .* string, got 1"),
        (b"{seeds: [-1], common: {}, settings: {}, tiers: {}}", "key 'seeds.0': .* greater than or equal to 0, got -1"),
        (
            b"{seeds: [4294967296], common: {}, settings: {}, tiers: {}}",
            "key 'seeds.0': .* less than 4294967296",
        ),
        (
            b"{seeds: [0], common: {}, settings: {'a {x}': {}}, tiers: {short: {numbers: 2}}}",
            "setting 'a {x}': .*{number}",
        ),
        (
            b"{seeds: [0], common: {}, settings: {'{number} {': {}}, tiers: {short: {numbers: 2}}}",
            "and no other braces",
        ),
        (b"{seeds: [0], common: {}, settings: {a: {}}, tiers: {short: {numbers: 2}}}", "setting 'a': .*{number}"),
        (b"{seeds: [0], common: {}, settings: {'{number.real}': {}}, tiers: {short: {numbers: 2}}}", "no other braces"),
        (
            b"{seeds: [0], common: {}, settings: {'k=1': {}, 'K 1': {}}, tiers: {}}",
            "'k=1' and 'K 1' have the same names of f",
        ),
    ],
)
def test_damaged_configuration_is_refused_in_a_sentence(copy, text, words):
    with pytest.raises(InputError, match=rf"config.yaml.*{words}") as told:
        copy(text)
    assert "\n" not in str(told.value)


def test_experiment_without_a_tier(copy):
    changed = copy(lambda values: values["tiers"].pop("smoke"))
    assert changed.tiers == ["short", "medium", "paper"]
    for ask in (lambda: changed.settings_at("smoke"), lambda: changed.config("clip c=0.1", "smoke")):
        with pytest.raises(
            InputError, match="fig1_gradient_norms has no tier 'smoke'; there are: short, medium, paper."
        ):
            ask()


def test_name_longer_than_a_file_may_have(copy):
    changed = copy(lambda values: values["settings"].update({"n" * 300: values["settings"]["gradient penalty"]}))
    with pytest.raises(InputError, match="cannot write .*nnn.*: File name too long"):
        run_job(Job(changed, "n" * 300, "smoke", 0), name="cpu")


@pytest.fixture
def job(copy):
    made = Job(copy(lambda values: None), "gradient penalty", "smoke", 0)
    made.folder.mkdir(parents=True)
    return made


NO_JSON = [b"{", b"x", b"", b"\xff", b"[" * 100_000, b"null", b'"1"', b"[1]", b"{}"]
GOOD = {"setting": "gradient penalty", "tier": "smoke", "seed": 0, "quantity": "q", "part": "", "dataset": "d"}
GOOD |= {"value": 1.5, "samples": 3, "protocol": "p", "wall_seconds": 1.0}


def told_as_damaged(capfd):
    errors = capfd.readouterr().err
    return errors.count("is damaged and not used (") == 1 and len(errors.splitlines()) == 1


@pytest.mark.parametrize(
    "text",
    NO_JSON + [json.dumps([GOOD | wrong]).encode() for wrong in ({"value": "1.2x"}, {"seed": 1}, {"dataset": None})],
)
def test_damaged_rows_are_put_aside(job, capfd, text):
    path = job.folder / "rows.json"
    path.write_text(json.dumps([GOOD]))
    assert job.rows() == [GOOD] and not capfd.readouterr().err
    path.write_bytes(text)
    assert job.rows() is None and told_as_damaged(capfd)
    publish_missing([job])
    assert not job.done and (job.folder / "rows.json.damaged").read_bytes() == text


@pytest.mark.parametrize("text", [*NO_JSON, b"-1", b"NaN", b"Infinity", b"1" * 4000, b"1" * 5000])
def test_damaged_seconds_count_as_none(job, capfd, text):
    path = job.folder / "seconds.json"
    assert job.spent == 0.0
    path.write_text("12.5")
    assert job.spent == 12.5 and not capfd.readouterr().err
    path.write_bytes(text)
    assert job.spent == 0.0 and told_as_damaged(capfd)


@pytest.mark.parametrize("text", NO_JSON)
def test_commits_that_cannot_be_read_are_unknown(job, capfd, monkeypatch, text):
    monkeypatch.setenv("WGANGP_COMMIT", "aaaa")
    (job.folder / "checkpoint.npz").touch()
    (job.folder / "job.json").write_bytes(text)
    job.begin("cpu")
    assert job.commits == ["unknown", "aaaa"] and told_as_damaged(capfd)


def test_clock_that_is_set_back_takes_no_seconds_away(job, monkeypatch):
    job.begin("cpu")
    monkeypatch.setattr("time.time", lambda: 0.0)
    assert 0 <= job.seconds < 60


def test_forgetting_leaves_a_run_in_progress_alone(job, capfd):
    for name in ("rows.json", "checkpoint.npz"):
        (job.folder / name).touch()
    with locked(job.folder / "lock", wait=False):
        job.forget()
        assert job.done and (job.folder / "checkpoint.npz").exists()
    assert re.search(
        rf"in use by process {os.getpid()} on \S+ since \d{{4}}-\d\d-\d\d \d\d:\d\d; wait", capfd.readouterr().err
    )
    job.forget()
    assert {path.name for path in job.folder.iterdir()} == {"lock"}
