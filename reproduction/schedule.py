"""Runs jobs in worker processes, several at a time, and prints what is done and how long the rest will take."""

import json
import math
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import partial

import numpy as np
import pandas as pd

from reproduction import compare, results
from reproduction.display import Display
from reproduction.experiment import Experiment
from reproduction.interrupts import environment
from reproduction.job import Job, complete_results
from wgangp.errors import InputError
from wgangp.runtime import devices, distributed


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
            rows = rows[rows["device"].str.contains("thread") == on_cpu]
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
        unknown = f"time not known (never measured at this tier on {self.device})" if seconds.isna().any() else ""
        if seconds.isna().all():
            return unknown and f", {unknown}"
        minutes = max(seconds.sum() / at_once, seconds.max()) / 60
        count = f", {seconds.isna().sum()} runs' {unknown}" if unknown else ""
        return f", about {max(1, round(minutes))} min{ending}{count}"


def run(
    jobs: list[Job],
    device: dict,
    at_once: int | None = None,
    budget: float | None = None,
    fresh: bool = False,
    notebooks: bool = False,
) -> int:
    """Run what is not done yet, in worker processes.

    Args:
        jobs: what to run.
        device: arguments of `devices.choose`.
        at_once: processes side by side; the number of cores on a CPU, 1 on a GPU, when None.
        budget: minutes after which everything stops with checkpoints written.
        fresh: forget what is done.
        notebooks: execute each experiment's notebook and compare it with the paper as soon as its runs have ended.

    Returns:
        0, or 1 when a job or a notebook failed.
    """
    on_cpu = devices.computes_on_cpu(device["name"])
    if at_once is None:
        at_once = os.cpu_count() if on_cpu and distributed.size() == 1 else 1
    if distributed.size() > 1 and (at_once > 1 or fresh):
        raise InputError("--jobs and --fresh do not go with the launcher, whose processes train one model together.")
    at_once = min(at_once, max(1, len(jobs)))
    if fresh:
        for job in jobs:
            job.forget()
    complete_results(jobs)
    clock = Clock(jobs, on_cpu)
    board = Board(jobs, clock, at_once, notebooks and distributed.rank() == 0)
    print(plan(jobs, board.waiting, clock, at_once), flush=True)
    deadline = None if budget is None else time.time() + 60 * budget
    with ThreadPoolExecutor(at_once) as threads:
        try:
            for ended in as_completed([threads.submit(board.work, i, device, deadline) for i in range(at_once)]):
                ended.result()
        except BaseException:
            board.stop()
            raise
    left = len(board.spent) + len(board.waiting)
    if left:
        print(f"The budget is spent with {left} runs to go; run the same command to resume.")
    if others := len(board.elsewhere()):
        print(f"{others} runs are in progress in another process; run the same command for what it leaves.")
    for label in board.failed:
        print(f"failed: {label}", file=sys.stderr)
    return 1 if board.failed else 0


class Board:
    """The jobs to do and the worker processes that do them, one per thread.

    Args:
        jobs: what to run, in this order; those that are done are left out.
        clock: a `Clock` of all of them.
        at_once: number of workers.
        notebooks: as of `run`.
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

    def work(self, position: int, device: dict, deadline: float | None) -> None:
        """Give jobs to a worker process until none is left or the deadline has passed."""
        worker = None
        try:
            while True:
                with self.lock:
                    if self.notebooks and self.ended and not self.stopped:
                        experiment, job = self.ended.pop(0), None
                    elif self.stopped or not self.waiting or (deadline is not None and time.time() > deadline):
                        break
                    else:
                        job = self.next_job()
                        if worker is None or worker.poll() is not None:
                            worker = self.start_worker(device)
                        self.running[position] = (worker, job)
                if job is None:
                    self.draw_figures(position, experiment)
                    continue
                began = time.monotonic()
                answer = ask(worker, job, device, deadline, partial(self.show, position))
                if answer == "":  # the next job gets a new one
                    answer, worker = f"its process ended with status {worker.wait()}", None
                with self.lock:
                    if self.stopped:
                        break
                    del self.running[position]
                    self.display.clear(position)
                    self.job_ended(job, answer, time.monotonic() - began)
        finally:
            if worker is not None:
                worker.stdin.close()
                worker.wait()

    def show(self, position: int, progress: dict) -> None:
        """Show how far a worker's job is."""
        with self.lock:
            self.display.show(position, progress)

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
            answer: the worker's, or how that ended.
            seconds: since it was asked.
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
        left = [*self.waiting, *(job for _, job in self.running.values())]
        self.display.print(f"{outcome}: {job.label}{self.clock.phrase(left, self.at_once, ' left')}")
        if not any(other.experiment is job.experiment for other in [*left, *self.spent, *self.elsewhere()]):
            self.ended.append(job.experiment)
            if not self.notebooks:
                self.display.print(verdicts_in_a_line(job.experiment.name, job.tier))

    def draw_figures(self, position: int, experiment: Experiment) -> None:
        """Execute an experiment's notebook and compare it with the paper."""
        name, tier, printed = experiment.name, self.jobs[0].tier, f"== {experiment.name}\n"
        seeds = dict.fromkeys(job.seed for job in self.jobs)
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

    def start_worker(self, device: dict) -> subprocess.Popen:
        # One thread each: two processes of one thread beat one of two on networks of this size.
        threads = os.environ.get("OMP_NUM_THREADS", "1")
        return subprocess.Popen(
            [sys.executable, "-m", "reproduction.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(OMP_NUM_THREADS=threads, WGANGP_DEVICE=device["name"]),  # what devices.load_aten looks at
            cwd=results.ROOT,
            start_new_session=True,  # Ctrl-C reaches this process, which ends them
        )

    def stop(self) -> None:
        """End everything now; checkpoints stay."""
        with self.lock:
            self.stopped = True
            self.waiting.clear()
            self.display.close()
            workers = [worker for worker, _ in self.running.values()]
            for worker in workers:
                worker.kill()  # Paddle answers SIGTERM with a stack of C++
            for child in self.children.values():
                child.terminate()
        for process in [*workers, *self.children.values()]:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def ask(worker: subprocess.Popen, job: Job, device: dict, deadline: float | None, show: Callable[[dict], None]) -> str:
    """Hand a job to a worker and wait for its end.

    Args:
        worker: as of `Board.start_worker`.
        job, device, deadline: as of `run`.
        show: called with the job's progress, about once a second.

    Returns:
        Its outcome, "" where the worker died.
    """
    about = {"name": job.experiment.name, "setting": job.setting, "tier": job.tier, "seed": job.seed}
    try:
        worker.stdin.write(json.dumps(about | {"deadline": deadline, "device": device}) + "\n")
        worker.stdin.flush()
        for line in worker.stdout:
            answer = json.loads(line)
            if "outcome" in answer:
                return answer["outcome"]
            show(answer["progress"])
    except (BrokenPipeError, json.JSONDecodeError):  # it died, in the middle of a line perhaps
        pass
    return ""


def verdicts_in_a_line(name: str, tier: str) -> str:
    """An experiment's claims with their verdicts, of the rows of this checkout at a tier."""
    claims = compare.claims(name, compare.judged(name, tier))
    words = "; ".join(f"{claim['claim']} {claim['verdict']}" for claim in claims.to_dict("records"))
    return f"== {name}: {words or 'no claims'}"


def plan(jobs: list[Job], waiting: list[Job], clock: Clock, at_once: int) -> str:
    """What will be run and about how long, as lines."""
    total = clock.phrase(waiting, at_once, " in all")
    lines = [f"{len(waiting)} of {len(jobs)} runs to do, {at_once} at a time{total}:"]
    if clock.each(waiting).isna().any():
        lines.append("  A run shows the time that it has left itself, within its first minute.")
    for experiment in dict.fromkeys(job.experiment for job in jobs):
        of_experiment = [job for job in waiting if job.experiment is experiment]
        lines.append(f"  {experiment.name}: {len(of_experiment)} runs{clock.phrase(of_experiment, at_once)}")
    return "\n".join(lines)
