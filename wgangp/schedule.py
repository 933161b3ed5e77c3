"""Runs jobs in processes of their own, several at a time, and says what is done and how long is left."""

import json
import os
import subprocess
import sys
import threading
import time

import numpy as np
import pandas as pd

from wgangp import devices, distributed, results
from wgangp.errors import InputError
from wgangp.experiment import Job, publish_missing


def jobs_of(experiments, tier, settings=None, seeds=None):
    """The jobs of some experiments, seed by seed, settings in config.yaml's order.

    Args:
        experiments: `Experiment`s.
        tier: one of TIERS.
        settings, seeds: only these; all that config.yaml pins when None.

    Raises:
        InputError: a setting that no experiment has, or a negative seed.
    """
    jobs = []
    for seed in seeds or []:
        if seed < 0:
            raise InputError(f"--seed {seed}: a seed is a non-negative integer.")
    for experiment in experiments:
        for seed in seeds or experiment.seeds:
            jobs += [Job(experiment, setting, tier, seed) for setting in settings or experiment.settings_at(tier)]
    return jobs


class Clock:
    """How long runs take: what the committed results say, corrected by what this machine needed so far.

    A run that was never measured is taken to need what the others of its experiment, or of all, need on average.

    Args:
        jobs: the runs; those that are done tell the machine's speed.
        on_cpu: whether they run on a CPU; results of the other kind of device say nothing.
    """

    PRIOR = 60.0  # seconds of runs as fast as the committed ones that the machine is taken to have done

    def __init__(self, jobs, on_cpu):
        self.needed = self.committed = self.PRIOR
        means = {}
        for name in {job.experiment.name for job in jobs}:
            rows = results.read(name, results.ROOT)
            rows = rows[rows["device"].str.contains("thread") == on_cpu]
            means[name] = rows.groupby("config_sha256")["wall_seconds"].mean()
        measured = {job.label: means[job.experiment.name].get(job.config_sha256) for job in jobs}
        names = pd.Series({job.label: job.experiment.name for job in jobs}, dtype=object)
        self.measured = pd.Series(measured, dtype=float)
        expected = self.measured.fillna(self.measured.groupby(names).transform("mean"))
        self.expected = expected.fillna(self.measured.mean()).fillna(0.0)
        for job in jobs:
            if job.done:
                self.add(job, job.spent)

    def add(self, job, seconds):
        """Note what a run needed here."""
        if np.isfinite(self.measured[job.label]):
            self.needed += seconds
            self.committed += self.measured[job.label]

    def of(self, jobs):
        """Seconds of one core, or of one GPU, that runs will take; 0 when nothing is known."""
        return sum(self.expected[job.label] for job in jobs) * self.needed / self.committed

    def phrase(self, jobs, at_once, ending=""):
        """A comma and "about N min"; nothing when nothing is known."""
        minutes = self.of(jobs) / at_once / 60
        return f", about {max(1, round(minutes))} min{ending}" if minutes else ""


def run(jobs, device, at_once=None, budget=None, fresh=False, notebooks=False):
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
    on_cpu = devices.on_processor(device["name"])
    if at_once is None:
        at_once = os.cpu_count() if on_cpu and distributed.size() == 1 else 1
    if distributed.size() > 1 and (at_once > 1 or fresh):
        raise InputError("--jobs and --fresh do not go with the launcher, whose processes train one model together.")
    if at_once < 1:
        raise InputError(f"--jobs {at_once}: use at least 1.")
    if fresh:
        for job in jobs:
            job.forget()
    publish_missing(jobs)
    clock = Clock(jobs, on_cpu)
    board = Board(jobs, clock, at_once, notebooks and distributed.rank() == 0)
    print(plan(jobs, board.waiting, clock, at_once), flush=True)
    deadline = time.time() + 60 * budget if budget else None
    threads = [threading.Thread(target=board.work, args=(i, device, deadline)) for i in range(at_once)]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    except KeyboardInterrupt:
        board.stop()
        raise
    left = len(board.spent) + len(board.waiting)
    if left:
        print(f"The budget is spent with {left} runs to go; the same command goes on from their checkpoints.")
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

    def __init__(self, jobs, clock, at_once, notebooks):
        self.waiting, self.clock, self.at_once = [job for job in jobs if not job.done], clock, at_once
        self.jobs = jobs
        self.running, self.children, self.spent, self.failed, self.stopped = {}, {}, [], [], False
        busy = {job.experiment for job in self.waiting}
        every = dict.fromkeys(job.experiment for job in jobs)
        self.notebooks, self.ended = notebooks, [experiment for experiment in every if experiment not in busy]
        self.lock = threading.Lock()

    def work(self, position, device, deadline):
        """Give jobs to a worker process until none is left or the deadline has passed."""
        worker = None
        while True:
            with self.lock:
                if self.notebooks and self.ended and not self.stopped:
                    experiment, job = self.ended.pop(0), None
                elif self.stopped or not self.waiting or (deadline and time.time() > deadline):
                    break
                else:
                    job = self.next_job()
                    if worker is None:
                        worker = self.start_worker(position, device)
                    self.running[position] = (worker, job)
            if job is None:
                self.draw(position, experiment)
                continue
            began = time.time()
            answer = ask(worker, job, device, deadline)
            with self.lock:
                if self.stopped:
                    return
                del self.running[position]
                if answer == "spent":
                    self.spent.append(job)
                    continue
                if answer == "":
                    worker = None  # it died; the next job gets a new one
                self.tell(job, answer == "done", time.time() - began)
        if worker is not None:
            worker.stdin.close()
            worker.wait()

    def next_job(self):
        """The next in order; but first one that takes as long as a worker's share of all, so as not to end alone."""
        share = self.clock.of(self.waiting) / self.at_once
        longest = max(self.waiting, key=lambda job: self.clock.of([job]))
        job = longest if self.clock.of([longest]) > share else self.waiting[0]
        self.waiting.remove(job)
        return job

    def tell(self, job, done, seconds):
        """Note and say that a job has ended."""
        if done:
            self.clock.add(job, seconds)
        else:
            self.failed.append(job.label)
        left = [*self.waiting, *(job for _, job in self.running.values())]
        if not any(other.experiment is job.experiment for other in [*left, *self.spent]):
            self.ended.append(job.experiment)
        word = "done" if done else "FAILED"
        print(f"{word} in {seconds:.0f} s: {job.label}{self.clock.phrase(left, self.at_once, ' left')}", flush=True)

    def draw(self, position, experiment):
        """Execute an experiment's notebook and compare it with the paper."""
        name, tier, told = experiment.name, self.jobs[0].tier, f"== {experiment.name}\n"
        seeds = dict.fromkeys(job.seed for job in self.jobs)
        chosen = [word for seed in seeds for word in ("--seed", str(seed))]
        for arguments in (["notebook", name, "--tier", tier], ["compare", name, "--yours", tier, *chosen]):
            with self.lock:
                if self.stopped:
                    return
                command = [sys.executable, "-m", "wgangp", *arguments]
                self.children[position] = child = subprocess.Popen(
                    command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
                )
            output, errors = child.communicate()
            told += output
            if child.returncode:
                told += errors
                self.failed.append(" ".join(arguments))
        with self.lock:
            if not self.stopped:
                print(told, end="", flush=True)

    def start_worker(self, position, device):
        # One thread each: two processes of one thread beat one of two on networks of this size.
        environment = os.environ | {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1")}
        environment |= {"WGANGP_DEVICE": device["name"]}  # what devices.prepare looks at
        return subprocess.Popen(
            [sys.executable, "-m", "wgangp.worker", str(position)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
            cwd=results.ROOT,
            start_new_session=True,  # Ctrl-C reaches this process, which ends them
        )

    def stop(self):
        """End everything now; checkpoints stay."""
        with self.lock:
            self.stopped = True
            self.waiting.clear()
            for process in [*(worker for worker, _ in self.running.values()), *self.children.values()]:
                process.terminate()


def ask(worker, job, device, deadline):
    """Hand a job to a worker; its answer, "" when it died."""
    about = {"name": job.experiment.name, "setting": job.setting, "tier": job.tier, "seed": job.seed}
    try:
        worker.stdin.write(json.dumps(about | {"deadline": deadline, "device": device}) + "\n")
        worker.stdin.flush()
        return worker.stdout.readline().strip()
    except BrokenPipeError:
        return ""


def plan(jobs, waiting, clock, at_once):
    """What will be run and about how long, as lines."""
    total = clock.phrase(waiting, at_once, " in all")
    lines = [f"{len(waiting)} of {len(jobs)} runs to do, {at_once} at a time{total}:"]
    for experiment in dict.fromkeys(job.experiment for job in jobs):
        mine = [job for job in waiting if job.experiment is experiment]
        lines.append(f"  {experiment.name}: {len(mine)} runs{clock.phrase(mine, at_once)}")
    return "\n".join(lines)
