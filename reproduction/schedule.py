"""The jobs of a command: in which order they run, what is printed of them, and how long the rest will take."""

import math
import subprocess
import sys
import threading
import time
from contextlib import AbstractContextManager
from typing import Protocol

import numpy as np
import pandas as pd

from reproduction import compare, results
from reproduction.display import Display, counted
from reproduction.experiment import Experiment
from reproduction.interrupts import environment
from reproduction.job import Job, complete_results
from wgangp.errors import InputError
from wgangp.runtime import devices, distributed
from wgangp.runtime.environment import data_folder


def jobs_of(
    experiments: list[Experiment], tier: str, settings: list[str] | None = None, seeds: list[int] | None = None
) -> list[Job]:
    """The jobs of some experiments, seed by seed, settings in config.yaml's order.

    Args:
        experiments: `Experiment`s.
        tier: one of TIERS.
        settings, seeds: only these, each once; all that config.yaml pins when None.

    Raises:
        InputError: a setting that an experiment has not.
    """
    jobs = []
    for experiment in experiments:
        for seed in dict.fromkeys(seeds or experiment.seeds):
            chosen = dict.fromkeys(settings or experiment.settings_at(tier))
            jobs += [Job(experiment, setting, tier, seed) for setting in chosen]
    return jobs


class Clock:
    """How long runs take: what the committed results say, corrected by what this machine needed so far.

    A run that was never measured is taken to need what the others of its experiment at its tier need on average, here
    where none of them is committed.

    Args:
        jobs: the runs; those that are done tell the machine's speed.
        on_cpu: whether they run on a CPU; results of the other kind of device say nothing.
    """

    PRIOR = 60.0  # seconds of runs as fast as the committed ones that the machine is taken to have done

    def __init__(self, jobs: list[Job], on_cpu: bool):
        self.needed = self.committed = self.PRIOR
        self.device, self.measured_here = "a CPU" if on_cpu else "a GPU", {}
        means = {}
        for name in {job.experiment.name for job in jobs}:
            rows = results.read(name, results.ROOT)
            rows = rows[rows["device"].map(devices.describes_cpu) == on_cpu]
            means[name] = rows.groupby("config_sha256")["wall_seconds"].mean()
        measured = {job.label: means[job.experiment.name].get(job.config_sha256) for job in jobs}
        names = pd.Series({job.label: job.experiment.name for job in jobs}, dtype=object)
        self.measured = pd.Series(measured, dtype=float)
        self.expected = self.measured.fillna(self.measured.groupby(names).transform("mean"))
        for job in jobs:
            if job.done:
                self.add(job, job.spent)

    def add(self, job: Job, seconds: float) -> None:
        """Record how long a run took here."""
        if np.isfinite(self.measured[job.label]):
            self.needed += seconds
            self.committed += self.measured[job.label]
        self.measured_here.setdefault(job.experiment.name, []).append(seconds)

    def each(self, jobs: list[Job]) -> pd.Series:
        """Seconds of one core, or of one GPU, that each of some runs will take; NaN where that is not known."""
        scaled = [self.expected[job.label] * self.needed / self.committed for job in jobs]
        here = [np.mean(self.measured_here.get(job.experiment.name, math.nan)) for job in jobs]
        return pd.Series(scaled, dtype=float).fillna(pd.Series(here, dtype=float))

    def phrase(self, jobs: list[Job], at_once: int, ending: str = "") -> str:
        """A comma and "about N min", and how many runs' time is not known; nothing for no runs."""
        seconds = self.each(jobs)
        unknown = f"not known (never measured at this tier on {self.device})" if seconds.isna().any() else ""
        if seconds.isna().all():
            return unknown and f", time {unknown}"
        minutes = max(seconds.sum() / at_once, seconds.max()) / 60
        count = f", time of {counted(seconds.isna().sum(), 'run')} {unknown}" if unknown else ""
        return f", about {max(1, round(minutes))} min{ending}{count}"


class Runner(Protocol):
    """What runs jobs: `processes.Workers` on this machine, `cluster.Cluster` on many.

    Attributes:
        at_once: how many it runs side by side.
        on_cpu: whether they compute on CPUs.
    """

    at_once: int
    on_cpu: bool

    def claimed(self, jobs: list[Job]) -> AbstractContextManager[None]:
        """A context in which no other process does these jobs in the same way.

        Raises:
            InUse: another process does.
        """

    def run(self, board: "Board", deadline: float | None) -> None:
        """Run the jobs of a board until none is waiting, or until time.time() is a deadline."""


def run(
    jobs: list[Job], runner: Runner, budget: float | None = None, fresh: bool = False, notebooks: bool = False
) -> int:
    """Run what is not done yet.

    Args:
        jobs: what to run.
        runner: what runs them.
        budget: minutes after which everything stops with checkpoints written.
        fresh: forget what is done.
        notebooks: execute each experiment's notebook and compare it with the paper as soon as its runs have ended.

    Returns:
        0, or 1 when a job or a notebook failed.
    """
    is_first = distributed.rank() == 0
    if distributed.size() > 1 and (runner.at_once > 1 or fresh):
        raise InputError("--jobs and --fresh do not go with the launcher, whose processes train one model together.")
    at_once = min(runner.at_once, max(1, len(jobs)))
    with runner.claimed(jobs):
        if fresh:
            for name in dict.fromkeys(job.experiment.name for job in jobs):
                results.read(name)  # a damaged file is refused before anything is deleted
            for job in jobs:
                job.forget()
        complete_results(jobs)
        clock = Clock(jobs, runner.on_cpu)
        board = Board(jobs, clock, at_once, notebooks and is_first)
        print(plan(jobs, board.waiting, clock, at_once), flush=True)
        runner.run(board, None if budget is None else time.time() + 60 * budget)
    left = len(board.spent) + len(board.waiting)
    if left:
        print(f"The budget is spent with {counted(left, 'run')} to go; run the same command to resume.")
    if others := len(board.elsewhere()):
        print(f"In progress in another process: {counted(others, 'run')}; run the same command for what it leaves.")
    if embedded := trained_on_embedded(jobs):
        print(
            f"Small embedded data stand in for missing files in {', '.join(embedded)}, whose results therefore are not "
            f"comparable with the paper. Data are looked for in {data_folder()}; wgangp data list shows what is "
            "missing. Once it is there, run again with --fresh."
        )
    for label in board.failed:
        print(f"failed: {label}", file=sys.stderr)
    return 1 if board.failed else 0


def trained_on_embedded(jobs: list[Job]) -> list[str]:
    """The experiments of some jobs that had to do with the small data that stand in for missing files."""
    embedded = [job for job in jobs if any(row["dataset"] == results.EMBEDDED for row in job.rows() or [])]
    return list(dict.fromkeys(job.experiment.name for job in embedded))


class Board:
    """The jobs to do, those that run, and how the others ended; what is printed about them.

    Args:
        jobs: what to run, in this order; those that are done are left out.
        clock: a `Clock` of all of them.
        at_once: how many run side by side.
        notebooks: as of `run`.

    Attributes:
        waiting: the jobs that nothing runs yet.
        running: {position: job}.
        ended: experiments whose jobs have all ended, and whose notebooks are to be executed.
        stopped: whether everything is to end now.
        lock: hold it while calling the methods, except `draw_figures` and `stop`.
    """

    def __init__(self, jobs: list[Job], clock: Clock, at_once: int, notebooks: bool):
        self.waiting, self.clock, self.at_once = [job for job in jobs if not job.done], clock, at_once
        self.jobs = jobs
        self.running, self.children, self.spent, self.failed, self.stopped = {}, {}, [], [], False
        self.started_elsewhere = []
        busy = {job.experiment for job in self.waiting}
        every = dict.fromkeys(job.experiment for job in jobs)
        self.notebooks, self.ended = notebooks, [experiment for experiment in every if experiment not in busy]
        self.lock, self.display = threading.Lock(), Display()

    def next_job(self) -> Job:
        """The next job in order; but one as long as a worker's share of all goes first, not to run alone at the end."""
        seconds = self.clock.each(self.waiting).fillna(0.0)
        return self.waiting.pop(seconds.argmax() if seconds.max() > seconds.sum() / self.at_once else 0)

    def elsewhere(self) -> list[Job]:
        """The jobs that are in progress in another process."""
        return [job for job in self.started_elsewhere if not job.done]

    def job_ended(self, job: Job, answer: str, seconds: float) -> None:
        """Record that a job has ended, and print it.

        Args:
            job: the job.
            answer: its outcome as of `worker.outcome`, or how what ran it ended.
            seconds: since it began.
        """
        if answer == "spent":
            self.spent.append(job)
            return
        outcome = f"done in {seconds:.0f} s"
        if answer == "done":
            self.clock.add(job, max(seconds, job.spent))
        elif answer == "elsewhere":
            self.started_elsewhere.append(job)
            outcome = "done by another process" if job.done else "in progress in another process"
        else:
            self.failed.append(job.label)
            outcome = f"FAILED in {seconds:.0f} s" + (f" ({answer})" if answer != "failed" else "")
        left = [*self.waiting, *self.running.values()]
        self.display.print(f"{outcome}: {job.label}{self.clock.phrase(left, self.at_once, ' left')}")
        if not any(other.experiment is job.experiment for other in [*left, *self.spent, *self.elsewhere()]):
            self.ended.append(job.experiment)
            if not self.notebooks:
                self.display.print(verdicts_in_a_line(job.experiment.name, job.tier))

    def draw_figures(self, position: int, experiment: Experiment) -> None:
        """Execute an experiment's notebook and compare it with the paper."""
        name, tier, printed = experiment.name, self.jobs[0].tier, f"== {experiment.name}\n"
        seeds = dict.fromkeys(job.seed for job in self.jobs if job.experiment is experiment)
        chosen = [word for seed in seeds for word in ("--seed", str(seed))]
        for arguments in (["notebook", name, "--tier", tier], ["compare", name, "--yours", tier, *chosen]):
            with self.lock:
                if self.stopped:
                    return
                self.children[position] = child = subprocess.Popen(
                    [sys.executable, "-m", "wgangp", *arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    encoding="utf-8",
                    env=environment(PYTHONIOENCODING="utf-8"),
                    start_new_session=True,
                )
            output, errors = child.communicate()
            printed += output
            if child.returncode:
                printed += errors
                self.failed.append(" ".join(arguments))
        with self.lock:
            if not self.stopped:
                self.display.print(printed.rstrip("\n"))

    def stop(self) -> None:
        """Start nothing more, and end the notebooks in progress."""
        with self.lock:
            self.stopped = True
            self.waiting.clear()
            self.display.close()
            for child in self.children.values():
                child.terminate()
        for child in self.children.values():
            end(child)


def end(process: subprocess.Popen) -> None:
    """Wait ten seconds for a process to end, then kill it."""
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()


def verdicts_in_a_line(name: str, tier: str) -> str:
    """An experiment's claims with their verdicts, of the rows of this checkout at a tier."""
    claims = compare.claims(name, compare.judged(name, tier))
    words = "; ".join(f"{claim['claim']} {claim['verdict']}" for claim in claims.to_dict("records"))
    return f"== {name}: {words or 'no claims'}"


def plan(jobs: list[Job], waiting: list[Job], clock: Clock, at_once: int) -> str:
    """What will be run and about how long, as lines."""
    total = clock.phrase(waiting, at_once, " in all")
    lines = [f"{len(waiting)} of {counted(len(jobs), 'run')} to do, {at_once} at a time{total}:"]
    if clock.each(waiting).isna().any():
        lines.append("  A run shows the time that it has left itself, within its first minute.")
    for experiment in dict.fromkeys(job.experiment for job in jobs):
        of_experiment = [job for job in waiting if job.experiment is experiment]
        lines.append(f"  {experiment.name}: {counted(len(of_experiment), 'run')}{clock.phrase(of_experiment, at_once)}")
    return "\n".join(lines)
