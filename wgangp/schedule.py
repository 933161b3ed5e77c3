"""Runs jobs in processes of their own, several at a time, and says what is done and how long is left."""

import json
import os
import subprocess
import sys
import threading
import time

import numpy as np

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


def measured_seconds(jobs):
    """Wall seconds that the committed results name for each job's configuration, {label: seconds or None}."""
    names = {job.experiment.name for job in jobs}
    committed = {
        name: results.read(name, results.ROOT).groupby("config_sha256")["wall_seconds"].mean() for name in names
    }
    return {job.label: committed[job.experiment.name].get(job.config_sha256) for job in jobs}


def run(jobs, device, at_once=None, budget=None, fresh=False):
    """Run what is not done yet, in worker processes.

    Args:
        jobs: what to run.
        device: arguments of `devices.choose`.
        at_once: processes side by side; the number of cores on a CPU, 1 on a GPU, when None.
        budget: minutes after which everything stops with checkpoints written.
        fresh: forget what is done.

    Returns:
        0, or 1 when a job failed.
    """
    if at_once is None:
        name = devices.there()[0] if device["name"] == "auto" else device["name"]
        at_once = os.cpu_count() if name == "cpu" and distributed.size() == 1 else 1
    if distributed.size() > 1 and (at_once > 1 or fresh):
        raise InputError("--jobs and --fresh do not go with the launcher, whose processes train one model together.")
    if at_once < 1:
        raise InputError(f"--jobs {at_once}: use at least 1.")
    if fresh:
        for job in jobs:
            job.forget()
    publish_missing(jobs)
    waiting = [job for job in jobs if not job.done]
    seconds = measured_seconds(waiting)
    print(plan(jobs, waiting, seconds, at_once), flush=True)
    deadline = time.time() + 60 * budget if budget else None
    board = Board(waiting, seconds, at_once)
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
    for job in board.failed:
        print(f"failed: {job.label}", file=sys.stderr)
    return 1 if board.failed else 0


class Board:
    """The jobs to do and the worker processes that do them, one per thread.

    Args:
        jobs: what to run, in this order.
        seconds: {label: measured seconds or None}.
        at_once: number of workers.
    """

    def __init__(self, jobs, seconds, at_once):
        self.waiting, self.seconds, self.at_once = list(jobs), seconds, at_once
        self.running, self.spent, self.failed, self.stopped = {}, [], [], False
        self.lock = threading.Lock()

    def work(self, position, device, deadline):
        """Give jobs to a worker process until none is left or the deadline has passed."""
        worker = None
        while True:
            with self.lock:
                if not self.waiting or (deadline and time.time() > deadline):
                    break
                job = self.waiting.pop(0)
                if worker is None:
                    worker = self.start_worker(position, device)
                self.running[position] = (worker, job)
            began = time.time()
            answer = ask(worker, job, device, deadline)
            with self.lock:
                if self.stopped:
                    return
                del self.running[position]
                if answer == "spent":
                    self.spent.append(job)
                    continue
                if answer != "done":
                    self.failed.append(job)
                if answer == "":
                    worker = None  # it died; the next job gets a new one
                left = [*self.waiting, *(job for _, job in self.running.values())]
                word = "done" if answer == "done" else "FAILED"
                left = time_left(left, self.seconds, self.at_once, " left")
                print(f"{word} in {time.time() - began:.0f} s: {job.label}{left}", flush=True)
        if worker is not None:
            worker.stdin.close()
            worker.wait()

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
            for worker, _ in self.running.values():
                worker.terminate()


def ask(worker, job, device, deadline):
    """Hand a job to a worker; its answer, "" when it died."""
    about = {"name": job.experiment.name, "setting": job.setting, "tier": job.tier, "seed": job.seed}
    try:
        worker.stdin.write(json.dumps(about | {"deadline": deadline, "device": device}) + "\n")
        worker.stdin.flush()
        return worker.stdout.readline().strip()
    except BrokenPipeError:
        return ""


def plan(jobs, waiting, seconds, at_once):
    """What will be run and about how long, as lines."""
    lines = [f"{len(waiting)} of {len(jobs)} runs to do, {at_once} at a time:"]
    for experiment in dict.fromkeys(job.experiment for job in jobs):
        mine = [job for job in waiting if job.experiment is experiment]
        lines.append(f"  {experiment.name}: {len(mine)} runs{time_left(mine, seconds, at_once)}")
    return "\n".join(lines)


def time_left(jobs, seconds, at_once, word=""):
    """A phrase for the time that jobs will take, from the measured times of those that have one."""
    known = [seconds[job.label] for job in jobs if seconds[job.label]]
    if not jobs:
        return ""
    if not known:
        return ""
    return f", about {np.mean(known) * len(jobs) / at_once / 60:.0f} min{word}"
