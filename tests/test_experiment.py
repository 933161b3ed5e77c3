"""Reading and resolving config.yaml."""

import pytest

from reproduction import TIERS
from reproduction.experiment import Experiment, full_name
from reproduction.job import Job
from wgangp import InputError


def test_order_of_overrides(edited):
    def change(values):
        values["common"]["width"] = 1
        values["settings"]["clip c=0.1"]["width"] = 2
        values["tiers"]["short"]["width"] = 3
        del values["tiers"]["smoke"]["width"]
        values["tiers"]["paper"]["settings"] = {"clip c=0.1": {"width": 4}}

    changed = edited(change)
    widths = {tier: changed.config("clip c=0.1", tier).width for tier in TIERS}
    assert widths == {"smoke": 2, "short": 3, "medium": 2, "paper": 4}


def test_unknown_key_is_named_with_the_known_ones(edited):
    changed = edited(lambda values: values["common"].update(widht=7))
    with pytest.raises(
        InputError, match=r"config.yaml \(setting 'clip c=0.1', tier short\): unknown key 'widht'; known.*width"
    ):
        changed.config("clip c=0.1", "short")
    with pytest.raises(InputError, match="unknown key 'sedes'"):
        edited(lambda values: values.update(sedes=[1]))


def test_wrong_type_is_named(edited):
    changed = edited(lambda values: values["common"].update(width="wide"))
    with pytest.raises(InputError, match="key 'width': .* got 'wide'"):
        changed.config("clip c=0.1", "paper")
    with pytest.raises(InputError, match="seeds.1"):
        edited(lambda values: values.update(seeds=[0, "one"]))


def test_missing_key_is_named(edited):
    changed = edited(lambda values: values["common"].pop("depth"))
    with pytest.raises(InputError, match="key 'depth' is missing"):
        changed.config("clip c=0.1", "paper")


def test_unknown_names(edited):
    with pytest.raises(InputError, match="experiment 'fig9' is unknown; there are: fig1_gradient_norms"):
        Experiment("fig9")
    with pytest.raises(InputError, match="no setting 'clip c=7'; there are: .*'clip c=0.1'"):
        edited(lambda values: None).config("clip c=7", "short")
    with pytest.raises(InputError, match="tier 'long' is unknown"):
        edited(lambda values: values["tiers"].update(long={}))


def test_changed_number_changes_the_identity(edited):
    before = edited(lambda values: None)
    after = edited(lambda values: values["tiers"]["short"].update(iterations=81))
    jobs = [Job(e, "gradient penalty", "short", 0) for e in (before, after)]
    assert jobs[0].config_sha256 != jobs[1].config_sha256 and jobs[0].folder != jobs[1].folder
    assert before.config("gradient penalty", "paper").digest() == after.config("gradient penalty", "paper").digest()


@pytest.mark.parametrize(
    "text, words",
    [
        (b"seeds: [0]\n# \xff\n", "cannot be read as YAML: 'utf-8' codec can't decode byte 0xff"),
        (b"seeds: 2001-99-99", "cannot be read as YAML: month must be in 1..12"),
        (b"[" * 2_000, "cannot be read as YAML: maximum recursion depth exceeded"),
        (b"seeds: [0]\ncommon: {a: 1,\n  a: 2}", "read as YAML: line 3 has the key 'a' a second time; delete one"),
        (b"seeds: [0]\ncommon: {}\nseeds: [1]", "line 3 has the key 'seeds' a second time"),
        (b"{seeds: [], common: {}, settings: {}, tiers: {}}", r"key 'seeds': List should have at least 1 .*got \[\]"),
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
def test_damaged_configuration_is_refused_in_a_sentence(edited, text, words):
    with pytest.raises(InputError, match=rf"config.yaml.*{words}") as told:
        edited(text)
    assert "\n" not in str(told.value)


def test_experiment_without_a_tier(edited):
    changed = edited(lambda values: values["tiers"].pop("smoke"))
    assert changed.tiers == ["short", "medium", "paper"]
    for ask in (lambda: changed.settings_at("smoke"), lambda: changed.config("clip c=0.1", "smoke")):
        with pytest.raises(
            InputError, match="fig1_gradient_norms has no tier 'smoke'; there are: short, medium, paper."
        ):
            ask()


def test_the_beginning_of_one_name_alone_stands_for_it():
    assert full_name("fig1") == full_name("fig1_gradient_norms") == "fig1_gradient_norms"
    assert [full_name(f"table{i}")[:6] for i in (2, 3, 4)] == ["table2", "table3", "table4"]
    with pytest.raises(InputError, match="'table' is the beginning of several experiments: table2_random.*; type more"):
        full_name("table")
    with pytest.raises(InputError, match="experiment 'fig9' is unknown; there are: fig1_gradient_norms"):
        full_name("fig9")
