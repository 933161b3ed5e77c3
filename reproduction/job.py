"""One run: its folder, what it keeps there, its rows with where they come from."""

import json
import math
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import paddle

from reproduction import results
from wgangp.errors import InputError, InUse
from wgangp.gan import BaseGAN
from wgangp.runtime import devices, distributed
from wgangp.runtime.files import locked, replacing, write_error, write_npz
from wgangp.training import seed_everything

if TYPE_CHECKING:
    from reproduction.experiment import Experiment

TIME_KEPT = 5.0  # seconds after which a run in progress writes again how long it has taken


@dataclass
class NoJob:
    """What `run` of a run.py is given where nothing is to be kept.

    In notebooks and scripts, and in processes that train along with the first.

    Attributes:
        checkpoint: where a training keeps its checkpoint; None for nowhere.
        deadline: time.time() after which a training stops with BudgetSpent; None for never.
        label: of the progress bar; None for none.
    """

    checkpoint: Path | None = None
    deadline: float | None = None
    label: str | None = None

    def publish(self, rows: list[dict]) -> None:
        """Put rows of a run in progress into the results; at its end `run`'s rows take their place."""

    def record(self, **facts: Any) -> None:
        """Add to the run's job.json what building its networks again needs beside the configuration."""

    def save_arrays(self, data: Any, **arrays: Any) -> None:
        """Keep small arrays for the notebook, in results/<experiment>/<tier>-<setting>-seed<k>.npz.

        Args:
            data: what was trained on; of embedded data the file's name says so.
            arrays: by name.
        """

    def keep_networks(self, gan: BaseGAN) -> None:
        """Put the trained networks in place of the checkpoints, a sixth of their size, as networks.npz."""


class Job(NoJob):
    """One setting of an experiment at one tier with one seed, and where its files are.

    Args:
        experiment: an `Experiment`.
        setting, tier, seed: which of its runs.
        deadline: as of `NoJob`.

    Raises:
        InputError: as of `Experiment.config`.
    """

    def __init__(self, experiment: "Experiment", setting: str, tier: str, seed: int, deadline: float | None = None):
        self.experiment, self.setting, self.tier, self.seed = experiment, setting, tier, seed
        self.config = experiment.config(setting, tier)
        self.config_sha256 = self.config.digest()
        self.slug = f"{tier}-{experiment.file_name(setting)}-seed{seed}"
        self.folder = results.output_root() / "runs" / experiment.name / f"{self.slug}-{self.config_sha256[:8]}"
        super().__init__(self.folder / "checkpoint.npz", deadline, f"{experiment.name} [{setting}] {tier} seed {seed}")

    def publish(self, rows: list[dict]) -> None:
        results.add_rows(self.experiment.name, self.stamped(rows))

    def record(self, **facts: Any) -> None:
        path = self.folder / "job.json"
        write_json(path, json.loads(path.read_text()) | facts)

    def save_arrays(self, data: Any, **arrays: Any) -> None:
        with replacing(self.arrays_path(data.name)) as file:
            write_npz(file, arrays, compressed=True)

    def keep_networks(self, gan: BaseGAN) -> None:
        gan.save(self.folder / "networks.npz")
        for path in self.folder.glob("checkpoint*.npz"):
            path.unlink()

    def arrays_path(self, dataset: str, root: Path | None = None) -> Path:
        """The file of the arrays that a run on a data set keeps, under the output root when None."""
        ending = f"-{results.EMBEDDED}" if dataset == results.EMBEDDED else ""
        return (root or results.output_root()) / "results" / self.experiment.name / f"{self.slug}{ending}.npz"

    def begin(self, device: str) -> None:
        """Start the clock, and the list of commits, which go on where an earlier attempt left them.

        Args:
            device: what it runs on, as `devices.choose` describes it.
        """
        self.device, self.began = device, time.monotonic() - self.spent
        path, commits = self.folder / "job.json", []
        if path.exists() and self.checkpoint.exists():
            commits = read_json(path, lambda value: list(map(str, value["commits"])), ["unknown"])
        self.commits = list(dict.fromkeys([*commits, results.code_commit()]))
        facts = {"experiment": self.experiment.name, "setting": self.setting, "tier": self.tier, "seed": self.seed}
        write_json(path, facts | {"commits": self.commits})

    @property
    def seconds(self) -> float:
        """Spent so far, over all attempts."""
        return round(time.monotonic() - self.began, 1)

    def stamped(self, rows: list[dict]) -> list[dict]:
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
    def about(self) -> dict[str, Any]:
        """What another process makes the job of: name of the experiment, setting, tier, seed."""
        return {"name": self.experiment.name, "setting": self.setting, "tier": self.tier, "seed": self.seed}

    @property
    def done(self) -> bool:
        """Whether this machine has run it."""
        return (self.folder / "rows.json").exists()

    @property
    def spent(self) -> float:
        """Seconds that it took here so far, over all attempts."""
        return read_json(self.folder / "seconds.json", checked_seconds, 0.0)

    def rows(self) -> list[dict] | None:
        """Its rows where it is done; None where it is not, or, with a message, where they are damaged."""
        return read_json(self.folder / "rows.json", self.checked, None)

    def checked(self, rows: Any) -> list[dict]:
        """Rows as they are given.

        Raises:
            TypeError, KeyError, ValueError: they are not rows of this run.
        """
        if not isinstance(rows, list):
            raise TypeError("they are no list")
        if not rows:
            raise InputError("the run has no rows; correct its run.py.")
        for row in rows:
            if (row["setting"], row["tier"], row["seed"]) != (self.setting, self.tier, self.seed):
                raise ValueError("they are of another run")
        results.frame_of(rows)
        return rows

    def store(self, files: dict[str, bytes]) -> None:
        """Write the files of a run that another machine has done; `put_into_results` is to follow.

        Args:
            files: {path under the output root: contents}, rows.json among them.

        Raises:
            TypeError, KeyError, ValueError: its rows are not of this run.
        """
        rows_path = self.folder / "rows.json"
        contents = {results.output_root() / path: content for path, content in files.items()}
        rows = self.checked(json.loads(contents.pop(rows_path)))
        for path, content in contents.items():
            with replacing(path) as file:
                file.write(content)
        write_json(rows_path, rows)  # the last: what has it is done

    def forget(self) -> None:
        """Delete its files, so that it runs afresh; those of a run in progress in another process stay.

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


def checked_seconds(value: Any) -> float:
    """A number of seconds as read from a file.

    Raises:
        ValueError: it is none.
    """
    if not 0 <= value < math.inf:
        raise ValueError(f"{value} is not a number of seconds")
    return float(value)


def read_json(path: Path, checked: Callable[[Any], Any], otherwise: Any) -> Any:
    """Read what `write_json` wrote.

    Args:
        path: the file.
        checked: makes of the value what is returned; raises TypeError, KeyError or ValueError for what cannot be used.
        otherwise: returned where there is no file or, with a message, where it is damaged.
    """
    try:
        return checked(json.loads(path.read_bytes()))
    except FileNotFoundError:
        return otherwise
    except (OSError, ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        print(f"wgangp: {path} is damaged and not used ({type(error).__name__}: {error}).", file=sys.stderr)
        return otherwise


def write_json(path: Path, value: Any) -> None:
    """Write a value as JSON, whole or not at all."""
    with replacing(path) as file:
        file.write(json.dumps(value).encode())


def run_job(job: Job, **device: Any) -> bool:
    """Train and measure one job, and put its rows into the results.

    Args:
        job: what to run.
        device: arguments of `devices.choose`.

    Returns:
        Whether it was run; False when another process has done it.

    Raises:
        InUse: another process is running it.
        InputError, Diverged, BudgetSpent: as of `BaseGAN.train`.
    """
    if distributed.rank():  # trains along; the first process measures and writes
        devices.choose(**device)
        seed_everything(job.seed)
        job.experiment.run(job.config, job.seed, NoJob(job.checkpoint, job.deadline, job.label))
        return True
    with locked(job.folder / "lock", wait=False):
        if job.done:
            return False
        job.begin(devices.choose(**device))
        seed_everything(job.seed)
        with keeping_time(job):
            rows = job.experiment.run(job.config, job.seed, job)
        write_json(job.folder / "rows.json", job.checked(job.stamped(rows)))
        put_into_results([job])
    return True


@contextmanager
def keeping_time(job: Job) -> Iterator[None]:
    """A context that writes how long a job has taken, at its end and every few seconds: it may be killed at any.

    Args:
        job: one that has begun.
    """
    path, ended = job.folder / "seconds.json", threading.Event()

    def write():
        while not ended.wait(TIME_KEPT):
            with suppress(InputError):  # at the end it is told
                write_json(path, job.seconds)

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        write_json(path, job.seconds)


def put_into_results(jobs: list[Job]) -> None:
    """Put the rows of finished jobs of one experiment into its results file.

    Args:
        jobs: at least one.
    """
    rows = [row for job in jobs for row in job.rows()]
    results.replace_runs(jobs[0].experiment.name, rows, jobs[0].experiment.summary)


def complete_results(jobs: list[Job]) -> None:
    """Put rows of finished jobs into the results files that lack them, as after `git checkout results`.

    A job whose rows are damaged is not done from then on. A damaged results file is refused here, before any training.
    """
    finished = {}
    for job in jobs:
        if job.done and job.rows() is None:
            (job.folder / "rows.json").replace(job.folder / "rows.json.damaged")
        finished.setdefault(job.experiment, []).extend([job] * job.done)
    for experiment, of_experiment in finished.items():
        rows = results.read(experiment.name)
        present = set(zip(rows["setting"], rows["tier"], rows["seed"], rows["config_sha256"]))
        missing = [job for job in of_experiment if (job.setting, job.tier, job.seed, job.config_sha256) not in present]
        if missing:
            put_into_results(missing)
