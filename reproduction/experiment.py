"""An experiment's folder: its code, and its configuration with the settings of every tier."""

import importlib
import re
import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Annotated, Any

import pandas as pd
import pydantic
import yaml

from reproduction import SEEDS, TIERS, results
from reproduction.config import Config, explain
from wgangp.errors import InputError

FOLDER = results.ROOT / "experiments"
NUMBER = r"\{number(:0\d)?\}"  # in a setting's name

# The folder as a package, from wherever the command or the notebook is started.
_spec = ModuleSpec("experiments", None, is_package=True)
_spec.submodule_search_locations = [str(FOLDER)]
sys.modules["experiments"] = module_from_spec(_spec)


class Tier(pydantic.BaseModel):
    """A tier's overrides: of all settings, and of single ones under `settings`; `skip` names those not run.

    Of a numbered setting it runs the first `numbers`.
    """

    model_config = pydantic.ConfigDict(extra="allow")
    settings: dict[str, dict[str, Any]] = {}
    skip: list[str] = []
    numbers: pydantic.PositiveInt | None = None


class File(pydantic.BaseModel):
    """The layout of config.yaml; a setting with {number} in its name stands for many, numbered from 1."""

    model_config = pydantic.ConfigDict(extra="forbid")
    seeds: Annotated[list[Annotated[int, pydantic.Field(ge=0, lt=SEEDS)]], pydantic.Field(min_length=1)]
    common: dict[str, Any]
    settings: dict[str, dict[str, Any]]
    tiers: dict[str, Tier]


class Loader(yaml.SafeLoader):
    """Reads YAML whose mappings have every key once."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        """As of SafeLoader.

        Raises:
            ValueError: a key is there twice.
        """
        keys = []
        for key_node, _ in node.value:
            key = (key_node.tag, key_node.value)
            if key in keys:
                line = key_node.start_mark.line + 1
                raise ValueError(f"line {line} has the key {key_node.value!r} a second time; delete one")
            keys.append(key)
        return super().construct_mapping(node, deep)


def names() -> list[str]:
    """The experiments there are, sorted."""
    return sorted(path.parent.name for path in FOLDER.glob("*/config.yaml"))


def full_name(name: str) -> str:
    """The experiment that a name, or the beginning of one name alone, stands for.

    Raises:
        InputError: there is none, or there are several.
    """
    candidates = [known for known in names() if known.startswith(name)]
    if name in candidates:
        return name
    if len(candidates) > 1:
        raise InputError(f"'{name}' is the beginning of several experiments: {', '.join(candidates)}; type more of it.")
    if not candidates:
        raise unknown(name)
    return candidates[0]


def unknown(name: str) -> InputError:
    """The error for an experiment that there is not."""
    return InputError(f"experiment '{name}' is unknown; there are: {', '.join(names())}.")


def readme_section(readme: str, title: str) -> str:
    """The text of a README under a second-level heading, empty where there is none."""
    match = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", readme, re.MULTILINE | re.DOTALL)
    return match[1].strip() if match else ""


def readme_findings(readme: str) -> str:
    """What an experiment's README says under "What we find" about the committed rows, after their table."""
    return readme_section(readme, "What we find").partition("<!-- /verdicts -->")[2].strip()


def numbered(settings: dict[str, dict], count: int | None) -> dict[str, dict]:
    """Settings with {number} in their names, written out number by number.

    Args:
        settings: {name: values}.
        count: numbers 1 to count; None where no name has one.

    Returns:
        {name: values}, each with its `number` where it has one.

    Raises:
        InputError: a name without {number}, or with other braces.
    """
    if count is None:
        return settings
    for name in settings:
        others, numbers = re.subn(NUMBER, "", name)
        if not numbers or set("{}") & set(others):
            raise InputError(
                f"setting '{name}': where a tier has `numbers`, names have {{number}}, and no other braces."
            )
    return {
        name.format(number=number): values | {"number": number}
        for number in range(1, count + 1)
        for name, values in settings.items()
    }


class Experiment:
    """A folder of `experiments/`.

    Args:
        name: the folder's name.

    Attributes:
        seeds, settings: what config.yaml pins.
        about: the comment at its top: what is produced, how long it takes, on which data.
        claim: what the paper claims, the docstring of run.py.
        run: `run(config, seed, job)` of its run.py, which trains, measures and returns rows; see `Job` and `NoJob`.
        summary: `summary(rows)` of its summary.py, which makes rows from those of all runs; None for none.

    Raises:
        InputError: there is none, or its config.yaml is not as it must be.
    """

    def __init__(self, name: str):
        if name not in names():
            raise unknown(name)
        self.name, self.path = name, FOLDER / name / "config.yaml"
        self.run: Callable[..., list[dict]] = self.module("run").run
        self.claim = self.module("run").__doc__
        self.summary: Callable[[pd.DataFrame], list[dict]] | None = None
        if find_spec(f"experiments.{name}.summary"):
            self.summary = self.module("summary").summary
        try:
            text = self.path.read_text("utf-8")
            self.file = File.model_validate(yaml.load(text, Loader))
        except pydantic.ValidationError as error:
            raise InputError(f"{self.path}: {explain(error, File)}") from None
        except (yaml.YAMLError, OSError, ValueError, RecursionError) as error:
            raise InputError(f"{self.path} cannot be read as YAML: {' '.join(str(error).split())}.") from None
        self.about = re.match(r"(?:#.*\n)*", text)[0]
        count = max((tier.numbers for tier in self.file.tiers.values() if tier.numbers), default=None)
        try:
            self.values = numbered(self.file.settings, count)
            self.overrides = {name: numbered(tier.settings, count) for name, tier in self.file.tiers.items()}
        except InputError as error:
            raise InputError(f"{self.path}: {error}") from None
        self.seeds, self.settings = self.file.seeds, list(self.values)
        by_file_name = {}
        for setting in self.settings:
            other = by_file_name.setdefault(self.file_name(setting), setting)
            if other != setting:
                raise InputError(f"{self.path}: settings '{other}' and '{setting}' have the same names of files.")
        for tier, overrides in self.overrides.items():
            if tier not in TIERS:
                raise InputError(f"{self.path}: tier '{tier}' is unknown; use {', '.join(TIERS)}.")
            for setting in [*overrides, *self.file.tiers[tier].skip]:
                self._check_setting(setting)

    def module(self, file: str) -> ModuleType:
        """A Python file of the folder, imported as experiments.<name>.<file>: "run", "figure"."""
        return importlib.import_module(f"experiments.{self.name}.{file}")

    @staticmethod
    def file_name(setting: str) -> str:
        """What stands for a setting in the names of its files."""
        return re.sub(r"[^a-z0-9.]+", "-", setting.lower()).strip("-")

    def _check_setting(self, setting: str) -> None:
        if setting not in self.values:
            known = "; ".join(map(repr, self.settings[:50]))
            more = f"; and {len(self.settings) - 50} more" if len(self.settings) > 50 else ""
            raise InputError(f"{self.name} has no setting '{setting}'; there are: {known}{more}.")

    @property
    def tiers(self) -> list[str]:
        """The tiers that config.yaml has, the smallest first."""
        return [tier for tier in TIERS if tier in self.file.tiers]

    def _tier(self, tier: str) -> Tier:
        if tier not in self.file.tiers:
            raise InputError(f"{self.name} has no tier '{tier}'; there are: {', '.join(self.tiers)}.")
        return self.file.tiers[tier]

    def settings_at(self, tier: str) -> list[str]:
        """The settings that a tier runs.

        Raises:
            InputError: config.yaml has no such tier.
        """
        skip, count = self._tier(tier).skip, self._tier(tier).numbers
        chosen = [setting for setting in self.settings if setting not in skip]
        return chosen if count is None else [s for s in chosen if self.values[s]["number"] <= count]

    def config(self, setting: str, tier: str) -> Config:
        """Resolve the configuration: common, then the setting, then the tier, then the tier's setting.

        Raises:
            InputError: unknown setting or tier, or a key that is unknown or of the wrong type.
        """
        self._check_setting(setting)
        values = self.file.common | self.values[setting] | self._tier(tier).model_extra
        values |= self.overrides[tier].get(setting, {})
        model = self.module("run").Config
        try:
            return model(setting=setting, tier=tier, **values)
        except pydantic.ValidationError as error:
            raise InputError(f"{self.path} (setting '{setting}', tier {tier}): {explain(error, model)}") from None
