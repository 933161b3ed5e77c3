"""An experiment's folder, its configuration, and the run of one of its settings."""

import hashlib
import importlib.util
import json
import math
import re
import shutil
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import paddle
import pydantic
import yaml

from reproduction import SEEDS, TIERS, results
from wgangp.errors import InputError, InUse
from wgangp.runtime import devices, distributed
from wgangp.runtime.files import locked, replacing, write_error, write_npz
from wgangp.training import seed_everything

FOLDER = results.ROOT / "experiments"
NUMBER = r"\{number(:0\d)?\}"  # in a setting's name


class Config(pydantic.BaseModel):
    """One setting at one tier; each experiment's `run.py` adds its own fields.

    An unknown or ill-typed key in config.yaml is an error that names it.
    """

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, strict=True)
    setting: str
    tier: str
    _job: "Job | None" = None

    @property
    def train_options(self):
        """What `.train` needs of the frame: where to keep its checkpoint and when to stop."""
        if self._job is None:
            return {"progress": None}
        return {
            "checkpoint": self._job.folder / "checkpoint.npz",
            "deadline": self._job.deadline,
            "progress": self._job.label,
        }

    def publish(self, rows):
        """Put rows of a run that is still on its way into the results; at its end `run`'s rows take their place."""
        if self._job is not None and distributed.rank() == 0:
            results.add_rows(self._job.experiment.name, self._job.stamped(rows))

    def record(self, **about):
        """Add to the run's job.json what building its networks again needs beside the configuration."""
        if self._job is not None and distributed.rank() == 0:
            path = self._job.folder / "job.json"
            write_json(path, json.loads(path.read_text()) | about)

    def keep_networks(self, gan):
        """Put the trained networks in place of the checkpoints, a sixth of their size, as networks.npz."""
        if self._job is not None and distributed.rank() == 0:
            gan.save(self._job.folder / "networks.npz")
            for path in self._job.folder.glob("checkpoint*.npz"):
                path.unlink()

    def save_arrays(self, data, **arrays):
        """Keep small arrays for the notebook, in results/<experiment>/<tier>-<setting>-seed<k>.npz.

        Args:
            data: what was trained on; of embedded data the file's name says so.
            arrays: by name.
        """
        if self._job is not None and distributed.rank() == 0:
            with replacing(self._job.arrays_path(data.name)) as file:
                write_npz(file, arrays, compressed=True)


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
    seeds: list[Annotated[int, pydantic.Field(ge=0, lt=SEEDS)]]
    common: dict[str, Any]
    settings: dict[str, dict[str, Any]]
    tiers: dict[str, Tier]


def names():
    """The experiments there are, sorted."""
    return sorted(path.parent.name for path in FOLDER.glob("*/config.yaml"))


def numbered(settings, count):
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


def in_file_names(setting):
    """What stands for a setting in the names of its files."""
    return re.sub(r"[^a-z0-9.]+", "-", setting.lower()).strip("-")


class Experiment:
    """A folder of `experiments/`.

    Args:
        name: the folder's name.

    Attributes:
        seeds, settings: what config.yaml pins.
        run: the `run(config, seed) -> rows` of its run.py.
        summary: the `summary(rows) -> rows` of its run.py, which makes rows from those of all runs; None for none.

    Raises:
        InputError: there is none, or its config.yaml is not as it must be.
    """

    def __init__(self, name):
        if name not in names():
            raise InputError(f"experiment '{name}' is unknown; there are: {', '.join(names())}.")
        self.name, self.path = name, FOLDER / name / "config.yaml"
        spec = importlib.util.spec_from_file_location(f"experiments.{name}", FOLDER / name / "run.py")
        self.module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self.module)
        self.run, self.claim = self.module.run, self.module.__doc__
        self.summary = getattr(self.module, "summary", None)
        try:
            text = self.path.read_text("utf-8")
            self.file = File.model_validate(yaml.safe_load(text))
        except pydantic.ValidationError as error:
            raise InputError(f"{self.path}: {explain(error, File)}") from None
        except (yaml.YAMLError, OSError, ValueError, RecursionError) as error:
            raise InputError(f"{self.path} cannot be read as YAML: {' '.join(str(error).split())}.") from None
        self.outcome = re.match(r"(?:#.*\n)*", text)[0]
        count = max((tier.numbers for tier in self.file.tiers.values() if tier.numbers), default=None)
        try:
            self.values = numbered(self.file.settings, count)
            self.overrides = {tier: numbered(of_tier.settings, count) for tier, of_tier in self.file.tiers.items()}
        except InputError as error:
            raise InputError(f"{self.path}: {error}") from None
        self.seeds, self.settings = self.file.seeds, list(self.values)
        files = {}
        for setting in self.settings:
            other = files.setdefault(in_file_names(setting), setting)
            if other != setting:
                raise InputError(f"{self.path}: settings '{other}' and '{setting}' have the same names of files.")
        for tier, overrides in self.overrides.items():
            if tier not in TIERS:
                raise InputError(f"{self.path}: tier '{tier}' is unknown; use {', '.join(TIERS)}.")
            for setting in [*overrides, *self.file.tiers[tier].skip]:
                self._check_setting(setting)

    def _check_setting(self, setting):
        if setting not in self.values:
            there = "; ".join(map(repr, self.settings[:50]))
            more = f"; and {len(self.settings) - 50} more" if len(self.settings) > 50 else ""
            raise InputError(f"{self.name} has no setting '{setting}'; there are: {there}{more}.")

    @property
    def tiers(self):
        """The tiers that config.yaml has, the smallest first."""
        return [tier for tier in TIERS if tier in self.file.tiers]

    def _tier(self, tier):
        if tier not in self.file.tiers:
            raise InputError(f"{self.name} has no tier '{tier}'; there are: {', '.join(self.tiers)}.")
        return self.file.tiers[tier]

    def settings_at(self, tier):
        """The settings that a tier runs.

        Raises:
            InputError: config.yaml has no such tier.
        """
        skip, count = self._tier(tier).skip, self._tier(tier).numbers
        chosen = [setting for setting in self.settings if setting not in skip]
        return chosen if count is None else [s for s in chosen if self.values[s]["number"] <= count]

    def config(self, setting, tier):
        """Resolve the configuration: common, then the setting, then the tier, then the tier's setting.

        Raises:
            InputError: unknown setting or tier, or a key that is unknown or of the wrong type.
        """
        self._check_setting(setting)
        values = self.file.common | self.values[setting] | self._tier(tier).model_extra
        values |= self.overrides[tier].get(setting, {})
        try:
            return self.module.Config(setting=setting, tier=tier, **values)
        except pydantic.ValidationError as error:
            where = f"{self.path} (setting '{setting}', tier {tier})"
            raise InputError(f"{where}: {explain(error, self.module.Config)}") from None


def explain(error, model):
    """One sentence from a validation error: the key, what is wrong, the keys there are."""
    first = error.errors()[0]
    key = ".".join(map(str, first["loc"]))
    if first["type"] == "extra_forbidden":
        known = [name for name in model.model_fields if name not in ("setting", "tier")]
        return f"unknown key '{key}'; known keys: {', '.join(known)}."
    if first["type"] == "missing":
        return f"key '{key}' is missing."
    return (f"key '{key}': " if key else "") + f"{first['msg']}, got {first['input']!r}."


def digest(config):
    """sha256 of a resolved configuration; a field that came later counts only where it differs from its default."""
    return hashlib.sha256(json.dumps(config.model_dump(exclude_defaults=True), sort_keys=True).encode()).hexdigest()


@dataclass
class Job:
    """One setting of an experiment at one tier with one seed, and where its files are."""

    experiment: Experiment
    setting: str
    tier: str
    seed: int
    deadline: float | None = None

    def __post_init__(self):
        self.config = self.experiment.config(self.setting, self.tier)
        self.config._job = self
        self.config_sha256 = digest(self.config)
        self.slug = f"{self.tier}-{in_file_names(self.setting)}-seed{self.seed}"
        self.label = f"{self.experiment.name} [{self.setting}] {self.tier} seed {self.seed}"
        self.folder = results.output_root() / "runs" / self.experiment.name / f"{self.slug}-{self.config_sha256[:8]}"

    def arrays_path(self, dataset, root=None):
        """The file of the arrays that a run on a data set keeps, under the output root when None."""
        ending = f"-{results.EMBEDDED}" if dataset == results.EMBEDDED else ""
        return (root or results.output_root()) / "results" / self.experiment.name / f"{self.slug}{ending}.npz"

    def begin(self, device):
        """Start the clock, and the list of commits, which go on where an earlier attempt left them.

        Args:
            device: what it runs on, as `devices.choose` describes it.
        """
        self.device, self.began = device, time.monotonic() - self.spent
        about, commits = self.folder / "job.json", []
        if about.exists() and (self.folder / "checkpoint.npz").exists():
            commits = read_json(about, lambda value: list(map(str, value["commits"])), ["unknown"])
        self.commits = list(dict.fromkeys([*commits, results.code_commit()]))
        about_job = {"experiment": self.experiment.name, "setting": self.setting, "tier": self.tier, "seed": self.seed}
        write_json(about, about_job | {"commits": self.commits})

    @property
    def seconds(self):
        """Spent so far, over all attempts."""
        return round(time.monotonic() - self.began, 1)

    def stamped(self, rows):
        """Complete the rows of `run` with the setting and where they come from."""
        provenance = {
            "setting": self.setting,
            "tier": self.tier,
            "seed": self.seed,
            "config_sha256": self.config_sha256,
            "commit": " ".join(self.commits),
            "device": self.device,
            "paddle": paddle.__version__,
            "wall_seconds": self.seconds,
            "finished": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        return [row | provenance for row in rows]

    @property
    def done(self):
        """Whether this machine has run it."""
        return (self.folder / "rows.json").exists()

    @property
    def spent(self):
        """Seconds that it took here so far, over all attempts."""
        return read_json(self.folder / "seconds.json", checked_seconds, 0.0)

    def rows(self):
        """Its rows where it is done; None where it is not, or, which is said, where they are damaged."""
        return read_json(self.folder / "rows.json", self.checked, None)

    def checked(self, rows):
        """Rows as they are given.

        Raises:
            TypeError, KeyError, ValueError: they are not rows of this run.
        """
        if not isinstance(rows, list):
            raise TypeError("they are no list")
        for one in rows:
            if (one["setting"], one["tier"], one["seed"]) != (self.setting, self.tier, self.seed):
                raise ValueError("they are of another run")
        results.frame_of(rows)
        return rows

    def forget(self):
        """Delete its files, so that it runs afresh; those of a run that is going on in another process stay.

        Raises:
            InputError: they cannot be deleted.
        """
        if not self.folder.exists():
            return
        try:
            with locked(self.folder / "lock", wait=False):
                for path in self.folder.iterdir():
                    if path.name != "lock":
                        shutil.rmtree(path) if path.is_dir() else path.unlink()
        except InUse as error:
            print(f"wgangp: {error}", file=sys.stderr)
        except OSError as error:
            raise write_error(self.folder, error) from None


def checked_seconds(value):
    """A number of seconds as read from a file.

    Raises:
        ValueError: it is none.
    """
    if not 0 <= value < math.inf:
        raise ValueError(f"{value} is not a number of seconds")
    return float(value)


def read_json(path, checked, otherwise):
    """Read what `write_json` wrote.

    Args:
        path: the file.
        checked: makes of the value what is returned; raises TypeError, KeyError or ValueError for what cannot be used.
        otherwise: returned where there is no file, or, which is said, where it is damaged.
    """
    try:
        return checked(json.loads(path.read_bytes()))
    except FileNotFoundError:
        return otherwise
    except (OSError, ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        print(f"wgangp: {path} is damaged and not used ({type(error).__name__}: {error}).", file=sys.stderr)
        return otherwise


def run_job(job, **device):
    """Train and measure one job, and put its rows into the results.

    Args:
        job: what to run.
        device: arguments of `devices.choose`.

    Returns:
        Whether it was run; False when another process has done it.

    Raises:
        InUse: another process is at it.
        InputError, Diverged, BudgetSpent: see `BaseGAN.train`.
    """
    if distributed.rank():  # trains along; the first process measures and writes
        devices.choose(**device)
        seed_everything(job.seed)
        job.experiment.run(job.config, job.seed)
        return True
    with locked(job.folder / "lock", wait=False):
        if job.done:
            return False
        job.begin(devices.choose(**device))
        seed_everything(job.seed)
        try:
            rows = job.experiment.run(job.config, job.seed)
        finally:
            write_json(job.folder / "seconds.json", job.seconds)
        write_json(job.folder / "rows.json", job.checked(job.stamped(rows)))
        publish([job])
    return True


def write_json(path, value):
    """Write a value as JSON, whole or not at all."""
    with replacing(path) as file:
        file.write(json.dumps(value).encode())


def publish(jobs):
    """Put the rows of finished jobs of one experiment into its results file.

    Args:
        jobs: at least one.
    """
    rows = [row for job in jobs for row in job.rows()]
    results.replace_runs(jobs[0].experiment.name, rows, jobs[0].experiment.summary)


def publish_missing(jobs):
    """Put rows of finished jobs into the results files that lack them, as after `git checkout results`.

    A job whose rows are damaged is not done from then on. A damaged results file is refused here, before any training.
    """
    by_experiment = {}
    for job in jobs:
        if job.done and job.rows() is None:
            (job.folder / "rows.json").replace(job.folder / "rows.json.damaged")
        by_experiment.setdefault(job.experiment, []).extend([job] * job.done)
    for experiment, done in by_experiment.items():
        there = results.read(experiment.name)
        there = set(zip(there["setting"], there["tier"], there["seed"], there["config_sha256"]))
        lacking = [job for job in done if (job.setting, job.tier, job.seed, job.config_sha256) not in there]
        if lacking:
            publish(lacking)
