"""Runs jobs in worker processes on this machine, several at a time."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import AbstractContextManager, nullcontext

from reproduction import results
from reproduction.interrupts import environment
from reproduction.job import Job
from reproduction.schedule import Board, end
from wgangp.runtime import devices, distributed


class Workers:
    """Worker processes, each fed by a thread; a `schedule.Runner`.

    Args:
        device: arguments of `devices.choose`.
        at_once: processes side by side; the number of cores on a CPU, 1 on a GPU, when None.
    """

    def __init__(self, device: dict, at_once: int | None = None):
        self.device, self.on_cpu = device, devices.computes_on_cpu(device["name"])
        self.at_once = at_once or (len(os.sched_getaffinity(0)) if self.on_cpu and distributed.size() == 1 else 1)
        self.busy = {}

    def claimed(self, jobs: list[Job]) -> AbstractContextManager[None]:
        return nullcontext()  # each job has its own lock

    def run(self, board: Board, deadline: float | None) -> None:
        with ThreadPoolExecutor(board.at_once) as threads:
            try:
                feeding = [threads.submit(self.feed, i, board, deadline) for i in range(board.at_once)]
                for ended in as_completed(feeding):
                    ended.result()
            except BaseException:
                self.stop(board)
                raise

    def feed(self, position: int, board: Board, deadline: float | None) -> None:
        """Give jobs to a worker process until none is left or the deadline has passed."""
        worker = None

        def show(progress):
            with board.lock:
                board.display.show(position, progress)

        try:
            while True:
                with board.lock:
                    if board.notebooks and board.ended and not board.stopped:
                        experiment, job = board.ended.pop(0), None
                    elif board.stopped or not board.waiting or (deadline is not None and time.time() > deadline):
                        break
                    else:
                        job = board.next_job()
                        if worker is None or worker.poll() is not None:
                            worker = self.start_worker()
                        self.busy[position], board.running[position] = worker, job
                if job is None:
                    board.draw_figures(position, experiment)
                    continue
                began = time.monotonic()
                answer = ask(worker, job, self.device, deadline, show)
                if answer == "":  # the next job gets a new one
                    answer, worker = f"its process ended with status {worker.wait()}", None
                with board.lock:
                    if board.stopped:
                        break
                    del self.busy[position], board.running[position]
                    board.display.clear(position)
                    board.job_ended(job, answer, time.monotonic() - began)
        finally:
            if worker is not None:
                worker.stdin.close()
                worker.wait()

    def start_worker(self) -> subprocess.Popen:
        # One thread each: two processes of one thread beat one of two on networks of this size.
        threads = os.environ.get("OMP_NUM_THREADS", "1")
        return subprocess.Popen(
            [sys.executable, "-m", "reproduction.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(OMP_NUM_THREADS=threads, WGANGP_DEVICE=self.device["name"]),  # what load_aten looks at
            cwd=results.ROOT,
            start_new_session=True,  # Ctrl-C reaches this process, which ends them
        )

    def stop(self, board: Board) -> None:
        """End everything now; checkpoints stay."""
        with board.lock:
            board.stopped = True
        for worker in self.busy.values():
            worker.kill()  # Paddle answers SIGTERM with a stack of C++
        board.stop()
        for worker in self.busy.values():
            end(worker)


def ask(worker: subprocess.Popen, job: Job, device: dict, deadline: float | None, show: Callable[[dict], None]) -> str:
    """Hand a job to a worker and wait for its end.

    Args:
        worker: as of `Workers.start_worker`.
        job, deadline: as of `schedule`.
        device: arguments of `devices.choose`.
        show: called with the job's progress, about once a second.

    Returns:
        Its outcome, "" where the worker died.
    """
    try:
        worker.stdin.write(json.dumps(job.about | {"deadline": deadline, "device": device}) + "\n")
        worker.stdin.flush()
        for line in worker.stdout:
            answer = json.loads(line)
            if "outcome" in answer:
                return answer["outcome"]
            show(answer["progress"])
    except (BrokenPipeError, json.JSONDecodeError):  # it died, in the middle of a line perhaps
        pass
    return ""
