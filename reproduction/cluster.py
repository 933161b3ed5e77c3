"""Runs jobs on a Ray cluster, one task each: docs/cluster.md.

The package ray need not be installed, so it is imported inside functions; what a node runs is in `cluster_task`.
"""

import math
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

from reproduction import cluster_task, results
from reproduction.display import counted
from wgangp.errors import InputError
from wgangp.runtime.files import locked

if TYPE_CHECKING:
    from reproduction.job import Job
    from reproduction.schedule import Board

RETRIES = 3  # of a job whose node or process died


@dataclass
class Task:
    """A job that has been handed to Ray: how often its node or process died, where it runs, since when."""

    number: int
    job: "Job"
    deaths: int = 0
    node: str | None = None
    began: float = 0.0

    @property
    def place(self) -> str:
        """Its node in words."""
        return self.node or "a node"


def slots(nodes: list[dict], cpus: float, gpus: float) -> int:
    """How many runs nodes can run side by side.

    Args:
        nodes: as of `ray.nodes`.
        cpus, gpus: of a run.
    """
    needs = {name: amount for name, amount in (("CPU", cpus), ("GPU", gpus)) if amount}
    have = [node["Resources"] for node in alive(nodes)]
    return sum(min(math.floor(has.get(name, 0) / need + 1e-6) for name, need in needs.items()) for has in have)


def alive(nodes: list[dict]) -> list[dict]:
    """The nodes that have not died."""
    return [node for node in nodes if node["Alive"]]


class Cluster:
    """The Ray cluster that this process is connected to; a `schedule.Runner`.

    Args:
        device: arguments of `devices.choose`.
        cpus, gpus: of a run.
        token: as of `cluster_task.machine`.

    Raises:
        InputError: a node has other versions than this machine, or cannot run the code.
    """

    def __init__(self, device: dict, cpus: float, gpus: float, token: str):
        import ray

        self.device, self.cpus, self.gpus, self.token = device, cpus, gpus, token
        self.needs = " and ".join(counted(amount, unit) for amount, unit in ((cpus, "core"), (gpus, "GPU")) if amount)
        self.driver, self.tasks, self.lines = cluster_task.machine(token), {}, {}
        self.refused, self.waits = set(), False
        self.on_cpu, self.at_once = device["name"] == "cpu" or not gpus, max(1, self.slots())
        here = self.on(ray.get_runtime_context().get_node_id())
        self.messages = ray.remote(max_restarts=-1, **here)(cluster_task.Messages).remote()
        # Retries are submitted by `end`, which says so.
        self.task = ray.remote(num_cpus=cpus, num_gpus=gpus, max_retries=0)(cluster_task.run_on_node)
        print(about_sharing(self.check_nodes()), flush=True)
        ray.get(self.messages.take.remote())  # it is there before the first task

    def slots(self) -> int:
        """How many runs the nodes can run side by side now."""
        import ray

        return slots([node for node in ray.nodes() if node["NodeID"] not in self.refused], self.cpus, self.gpus)

    @staticmethod
    def on(node: str) -> dict:
        """Options of a task, or of an actor, that takes no core of a certain node."""
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        return {"num_cpus": 0, "scheduling_strategy": NodeAffinitySchedulingStrategy(node, soft=False)}

    def check_nodes(self) -> list[bool]:
        """Compare all nodes with this machine.

        Returns:
            Of each node, whether it shares the output folder.

        Raises:
            InputError: as of the class; it names the nodes.
        """
        import ray

        answers = []
        for node in alive(ray.nodes()):
            ask = ray.remote(max_retries=0, **self.on(node["NodeID"]))(cluster_task.machine)
            answers.append((f"{node['NodeManagerHostname']} (Ray node {node['NodeID'][:8]})", ask.remote(self.token)))
        shares, problems = [], []
        for name, answer in answers:
            try:
                described = ray.get(answer, timeout=600)
                cluster_task.check_versions(self.driver, described)
                shares.append(described["shares"])
            except (ray.exceptions.NodeDiedError, ray.exceptions.TaskUnschedulableError):
                pass  # it has died since, or before, and Ray did not know yet
            except ray.exceptions.RayError as error:
                problems.append(f"{name} cannot run the code ({str(error).strip().splitlines()[-1]}).")
            except InputError as error:
                problems.append(str(error))
        if problems:
            raise InputError(" ".join(problems))
        return shares

    @contextmanager
    def claimed(self, jobs: list["Job"]) -> Iterator[None]:
        with ExitStack() as stack:
            for name in dict.fromkeys(job.experiment.name for job in jobs):
                stack.enter_context(locked(results.output_root() / "runs" / name / "cluster.lock", wait=False))
            yield

    def run(self, board: "Board", deadline: float | None) -> None:
        import ray

        board.display.EVERY = max(board.display.EVERY, board.at_once)  # where there is no terminal: a line a second
        drawn = []
        with ThreadPoolExecutor(1) as drawing:
            try:
                for number in range(len(board.waiting)):
                    board.running[number] = board.next_job()
                    self.submit(Task(number, board.running[number]), deadline)
                while True:
                    while board.notebooks and board.ended:
                        drawn.append(drawing.submit(board.draw_figures, 0, board.ended.pop(0)))
                    if not self.tasks:
                        break
                    ready, _ = ray.wait(list(self.tasks), num_returns=len(self.tasks), timeout=1.0)
                    self.show_progress(board)
                    if deadline is not None and time.time() > deadline:
                        self.cancel_queued()
                    self.count_slots(board)
                    self.end(board, ready, deadline)
                for future in drawn:
                    future.result()
            except BaseException:
                board.stop()
                for ref in self.tasks:
                    ray.cancel(ref, force=True)
                raise

    def count_slots(self, board: "Board") -> None:
        """See how many runs go side by side now, and say when none can."""
        waited, number = self.waits, self.slots()
        board.at_once, self.waits = max(1, number), not number
        if self.waits and not waited:
            with board.lock:
                board.display.print(f"No node has the {self.needs} of a run; the runs wait for one that has.")

    def cancel_queued(self) -> None:
        """Take back the tasks that have not begun; those in progress see the deadline themselves."""
        import ray

        for ref, task in self.tasks.items():
            if task.node is None:
                ray.cancel(ref)

    def submit(self, task: Task, deadline: float | None) -> None:
        """Hand a job to Ray, which gives it to a node that was not refused."""
        about, again = task.job.about, task.deaths > 0
        nodes = {"ray.io/node-id": f"!in({','.join(self.refused)})"} if self.refused else None
        arguments = (task.number, about, deadline, self.device, again, self.driver, self.token, self.messages)
        self.tasks[self.task.options(label_selector=nodes).remote(*arguments)] = task

    def show_progress(self, board: "Board") -> None:
        """Take the tasks' messages: show progress, publish rows of runs in progress."""
        import ray

        try:
            messages = ray.get(self.messages.take.remote())
        except ray.exceptions.RayActorError:  # it died, and is started anew
            return
        tasks = {task.number: task for task in self.tasks.values()}
        for number, message in messages:
            if number not in tasks:  # it has ended since
                continue
            task = tasks[number]
            if "node" in message:
                task.node, task.began = message["node"], time.monotonic()
            if "rows" in message:
                try:
                    results.add_rows(task.job.experiment.name, message["rows"])
                except InputError as error:  # they come again at the job's end
                    print(f"wgangp: {error}", file=sys.stderr, flush=True)
            if "progress" in message:
                if number not in self.lines:
                    self.lines[number] = next(line for line in count() if line not in self.lines.values())
                with board.lock:
                    board.display.show(self.lines[number], message["progress"])

    def end(self, board: "Board", refs: list, deadline: float | None) -> None:
        """Store what ended tasks return, print how they ended, and run those again whose node or process died.

        Args:
            board: as of `run`.
            refs: Ray's references to what they return.
            deadline: as of `run`.
        """
        ended = []
        for ref in refs:
            task = self.tasks.pop(ref)
            result = returned(ref, task)
            with board.lock:
                board.display.clear(self.lines.pop(task.number, None))
                again = self.again(board, task, result)
            if again is not None:
                self.submit(again, deadline)
                continue
            outcome = result["outcome"]
            if outcome == "died":
                outcome = f"{result['sentence']}; after {RETRIES} retries"
            elif result["sentence"]:
                print(f"wgangp: {task.place}: {result['sentence']}", file=sys.stderr, flush=True)
            ended.append((task, outcome, result))
        failed = store(
            [(task.job, result["files"]) for task, outcome, result in ended if outcome in ("done", "elsewhere")]
        )
        for task, outcome, result in ended:
            del board.running[task.number]
            with board.lock:
                board.job_ended(task.job, "failed" if task.job in failed else outcome, result["seconds"])

    def again(self, board: "Board", task: Task, result: dict) -> Task | None:
        """Print why a job is run again, if it is, and return the task for that."""
        if result["outcome"] == "refused":
            if result["node"] not in self.refused:
                self.refused.add(result["node"])
                board.display.print(f"{result['sentence']} It is given no runs.")
            return Task(task.number, task.job, task.deaths)
        if result["outcome"] == "died" and task.deaths < RETRIES:
            again = Task(task.number, task.job, task.deaths + 1)
            board.display.print(f"{result['sentence']}; retry {again.deaths} of {RETRIES}: {task.job.label}")
            return again
        return None


def returned(ref: Any, task: Task) -> dict[str, Any]:
    """What an ended task has returned.

    Args:
        ref: Ray's reference to it.
        task: the task.

    Returns:
        As of `cluster_task.run_on_node`; but the outcome is "died" where a node or process did, with the cause as the
        sentence, "spent" where the task was taken back, and the exception's name where the code has a defect.
    """
    import ray

    seconds = time.monotonic() - task.began if task.node else 0.0
    result = {"outcome": "spent", "sentence": "", "seconds": seconds, "files": {}}
    try:
        return ray.get(ref)
    except ray.exceptions.TaskCancelledError:
        return result
    except ray.exceptions.RayError as error:
        if cause := death(error):
            return result | {"outcome": "died", "sentence": f"{cause}: {task.place}"}
        print(error, file=sys.stderr, flush=True)
        return result | {"outcome": f"{type(getattr(error, 'cause', error)).__name__} on {task.place}"}


def store(returned: list[tuple["Job", dict[str, bytes]]]) -> list["Job"]:
    """Store the files of jobs, and put their rows into the results.

    Args:
        returned: jobs that have ended well, with their files as of `Job.store`.

    Returns:
        The jobs of which something could not be written, after printing what.
    """
    from reproduction.job import put_into_results

    failed, stored = [], {}
    for job, files in returned:
        try:
            if files:
                job.store(files)
            if files or job.done:  # done before, on a node that then died
                stored.setdefault(job.experiment, []).append(job)
        except InputError as error:
            print(f"wgangp: {error}", file=sys.stderr, flush=True)
            failed.append(job)
    for jobs in stored.values():
        try:
            put_into_results(jobs)
        except InputError as error:
            print(f"wgangp: {error}", file=sys.stderr, flush=True)
            failed += jobs
    return failed


def about_sharing(shares: list[bool]) -> str:
    """What becomes of a run whose node dies, as a sentence.

    Args:
        shares: of each node, whether it shares the output folder.
    """
    who = "The Ray node shares" if len(shares) == 1 else f"The {len(shares)} Ray nodes share"
    resumes, anew = "goes on from its checkpoint", "starts anew, and networks are not kept"
    if all(shares):
        return f"{who} the output folder: a run whose node or process dies {resumes}."
    if not any(shares):
        return f"{who} no output folder: a run whose node or process dies {anew}."
    some = f"{sum(shares)} of the {len(shares)} Ray nodes share the output folder"
    return f"{some}: a run whose node or process dies {resumes} on one of those; on another it {anew}."


def death(error: Exception) -> str:
    """What a job died of without a fault of its own; "" where it has failed."""
    from ray import exceptions

    causes = {
        exceptions.NodeDiedError: "node died",
        exceptions.LocalRayletDiedError: "node died",
        exceptions.OutOfMemoryError: "out of memory",
        MemoryError: "out of memory",  # which several runs on a GPU may share
        exceptions.WorkerCrashedError: "process died",
        exceptions.RuntimeEnvSetupError: "the code could not be set up",
        exceptions.ObjectLostError: "node died with the results",
    }
    return next((words for kind, words in causes.items() if isinstance(error, kind)), "")
