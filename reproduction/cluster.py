"""Runs jobs on a Ray cluster, one task each: docs/cluster.md.

The package ray need not be installed, so it is imported inside functions; what a node runs is in `cluster_task`.
"""

import math
import os
import signal
import socket
import sys
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from types import ModuleType
from typing import TYPE_CHECKING

from reproduction import cluster_task, results
from wgangp.errors import InputError
from wgangp.runtime import environment
from wgangp.runtime.files import locked, replacing

if TYPE_CHECKING:
    from reproduction.job import Job
    from reproduction.schedule import Board

CODE = ("wgangp", "reproduction", "experiments", "run_all.sh")  # what travels to the nodes
RETRIES = 3  # of a job whose node or process died


@dataclass
class Task:
    """A job that has been handed to Ray: how often its node or process died, where it runs, since when."""

    number: int
    job: "Job"
    deaths: int = 0
    node: str | None = None
    began: float = 0.0


@contextmanager
def connected(address: str, device: dict, cpus: float | None = None, gpus: float | None = None) -> Iterator["Cluster"]:
    """A context with a connection to Ray; at its end what still runs there is stopped.

    Args:
        address: of a Ray cluster of which this machine is a node; "local" starts one of this machine alone.
        device: arguments of `devices.choose`.
        cpus: cores of a run; 1 when None.
        gpus: GPUs of a run; when None, 1 where the cluster has any and the device is not "cpu", else 0.

    Raises:
        InputError: there is no Ray here or at the address, or a node has other versions.
    """
    check_address(address)
    if gpus is not None and gpus > 1 and gpus != int(gpus):
        raise InputError(f"--gpus-per-run is {gpus}; above 1, use a whole number.")
    cpus = cpus or 1.0
    ray = start(address, device, cpus)
    token = f"runs/ray-{uuid.uuid4().hex}"
    try:
        with replacing(cluster_task.output_folder() / token) as file:
            file.write(b"")
        if gpus is None:
            gpus = float(device["name"] != "cpu" and ray.cluster_resources().get("GPU", 0) > 0)
        cluster = Cluster(device, cpus, gpus, token)
        if not slots(ray.nodes(), cluster.cpus, gpus):
            message = f"no node has the {cluster.cpus:g} cores and {gpus:g} GPUs of a run"
            if address == "local":
                raise InputError(f"--ray local: {message}; ask for fewer.")
            print(f"Now {message}; they wait for one that has.", flush=True)
        yield cluster
    finally:
        (cluster_task.output_folder() / token).unlink(missing_ok=True)
        ray.shutdown()


def check_address(address: str) -> None:
    """Refuse an address where no Ray answers, for which Ray itself would try for minutes.

    Args:
        address: as of `connected`.

    Raises:
        InputError: it says what to give in place of it.
    """
    if "://" in address:
        raise InputError(f"--ray {address}: run on a machine of the cluster, and give HOST:PORT, auto or local.")
    host, _, port = address.rpartition(":")
    if host:
        try:
            socket.create_connection((host, int(port)), timeout=10).close()
        except (OSError, ValueError, OverflowError) as error:
            raise InputError(f"--ray {address}: no Ray answers there ({error}); start one with ray start.") from None


def start(address: str, device: dict, cpus: float) -> ModuleType:
    """Connect this process to Ray.

    Args:
        address, device, cpus: as of `connected`.

    Returns:
        The package ray.

    Raises:
        InputError: there is no Ray here or at the address.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_OVERRIDE_RUNTIME_ENV_DEFAULT_EXCLUDES", "")  # ours say all; else Ray warns of its own
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # else Ray prints a warning of its future
    if address == "local":
        os.environ.setdefault("RAY_AUTH_MODE", "token")  # Ray's default there, of which it else warns
    try:
        import ray
    except ModuleNotFoundError:
        raise InputError(
            "--ray needs the package ray, which is not installed; run: "
            "pip install -c constraints.txt -e '.[reproduction,cluster]'."
        ) from None
    variables = {
        "WGANGP_COMMIT": results.code_commit(),
        "WGANGP_DEVICE": device["name"],
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS") or str(max(1, int(cpus))),
    }
    if environment.is_offline():
        variables["WGANGP_OFFLINE"] = "1"
    if address != "local":
        variables["WGANGP_NO_EMBEDDED"] = "1"  # or a node without data trains on others than the rest
    code = {"working_dir": str(results.ROOT), "excludes": ["/*", "!.", *(f"!/{path}" for path in CODE), "__pycache__"]}
    alone = {"include_dashboard": False, "object_store_memory": 2**28} if address == "local" else {}
    handler = signal.getsignal(signal.SIGTERM)  # Ray sets its own
    try:
        ray.init(
            address, runtime_env=code | {"env_vars": variables}, log_to_driver=False, logging_level="WARNING", **alone
        )
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise InputError(f"--ray {address}: {' '.join(str(error).split()) or type(error).__name__}") from None
    signal.signal(signal.SIGTERM, handler)
    return ray


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
        self.on_cpu, self.at_once = not gpus, max(1, slots(ray.nodes(), cpus, gpus))
        self.driver, self.tasks, self.lines = cluster_task.machine(token), {}, {}
        here = self.on(ray.get_runtime_context().get_node_id())
        self.messages = ray.remote(max_restarts=-1, **here)(cluster_task.Messages).remote()
        # Retries are submitted by `end`, which says so.
        self.task = ray.remote(num_cpus=cpus, num_gpus=gpus, max_retries=0)(cluster_task.run_on_node)
        print(about_sharing(self.check_nodes()), flush=True)
        ray.get(self.messages.take.remote())  # it is there before the first task

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
                described = ray.get(answer)
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

    def run(self, board: "Board", deadline: float | None) -> None:
        import ray

        board.display.EVERY = max(board.display.EVERY, board.at_once)  # where there is no terminal: a line a second
        names, drawn = dict.fromkeys(job.experiment.name for job in board.waiting), []
        with ExitStack() as stack:
            for name in names:
                stack.enter_context(locked(results.output_root() / "runs" / name / "cluster.lock", wait=False))
            drawing = stack.enter_context(ThreadPoolExecutor(1))
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
                    if ready:
                        board.at_once = max(1, slots(ray.nodes(), self.cpus, self.gpus))
                        self.end(board, ready, deadline)
                for future in drawn:
                    future.result()
            except BaseException:
                board.stop()
                for ref in self.tasks:
                    ray.cancel(ref, force=True)
                raise

    def cancel_queued(self) -> None:
        """Take back the tasks that have not begun; those in progress see the deadline themselves."""
        import ray

        for ref, task in self.tasks.items():
            if task.node is None:
                ray.cancel(ref)

    def submit(self, task: Task, deadline: float | None) -> None:
        """Hand a job to Ray."""
        about, again = task.job.about, task.deaths > 0
        arguments = (task.number, about, deadline, self.device, again, self.driver, self.token, self.messages)
        self.tasks[self.task.remote(*arguments)] = task

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
                results.add_rows(task.job.experiment.name, message["rows"])
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
        import ray

        from reproduction.job import put_into_results

        ended, finished = [], {}
        for ref in refs:
            task = self.tasks.pop(ref)
            node, seconds = task.node or "a node", time.monotonic() - task.began if task.node else 0.0
            with board.lock:
                board.display.clear(self.lines.pop(task.number, None))
            try:
                returned = ray.get(ref)
            except ray.exceptions.TaskCancelledError:
                answer = "spent"
            except ray.exceptions.RayError as error:
                cause = death(error)
                if cause and task.deaths < RETRIES:
                    again = Task(task.number, task.job, task.deaths + 1)
                    with board.lock:
                        board.display.print(f"{cause}: {node}; retry {again.deaths} of {RETRIES}: {task.job.label}")
                    self.submit(again, deadline)
                    continue
                answer = f"{cause}: {node}; after {RETRIES} retries" if cause else f"{type(error).__name__} on {node}"
                if not cause:
                    print(error, file=sys.stderr, flush=True)
            else:
                answer, seconds = returned["outcome"], returned["seconds"]
                if returned["sentence"]:
                    print(f"wgangp: {node}: {returned['sentence']}", file=sys.stderr, flush=True)
                if returned["files"] and answer == "done":
                    task.job.store(returned["files"])
                    finished.setdefault(task.job.experiment, []).append(task.job)
            ended.append((task, answer, seconds))
        for jobs in finished.values():
            put_into_results(jobs)
        for task, answer, seconds in ended:
            del board.running[task.number]
            with board.lock:
                board.job_ended(task.job, answer, seconds)


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
        exceptions.ObjectLostError: "node died with the results",
    }
    return next((words for kind, words in causes.items() if isinstance(error, kind)), "")
