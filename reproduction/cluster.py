"""Runs jobs on a Ray cluster, one task each: docs/cluster.md. The only module that imports ray, inside its functions.

A task imports this module on its node, before Paddle; what imports Paddle is imported inside functions, too.
"""

import math
import os
import platform
import signal
import socket
import sys
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import wgangp
from reproduction import results
from wgangp.errors import InputError
from wgangp.runtime import environment
from wgangp.runtime.files import locked, replacing

if TYPE_CHECKING:
    from reproduction.job import Job
    from reproduction.schedule import Board

CODE = ("wgangp", "reproduction", "experiments", "run_all.sh")  # what travels to the nodes
RETRIES = 3  # of a job whose node or process died
LOCK_SECONDS = 120  # a shared file system keeps the lock of a node that died for up to 90 s


class Messages:
    """An actor that keeps what the tasks report until the driver takes it."""

    def __init__(self):
        self.waiting = []

    def report(self, number: int, **message: Any) -> None:
        """Keep a message of a job."""
        self.waiting.append((number, message))

    def take(self) -> list[tuple[int, dict[str, Any]]]:
        """The messages since the last call, each with its job's number."""
        taken, self.waiting = self.waiting, []
        return taken


def machine(token: str) -> dict[str, Any]:
    """What the driver must know of a machine.

    Args:
        token: name of a file that the driver has put into its output folder.

    Returns:
        {"name", "versions": {of what: version}, "shares": whether $WGANGP_OUTPUT is the driver's output folder}.
    """
    import ray

    versions = {"Python": platform.python_version(), "Paddle": "none", "wgangp": wgangp.__version__}
    for distribution in ("paddlepaddle", "paddlepaddle-gpu"):
        with suppress(PackageNotFoundError):
            versions["Paddle"] = version(distribution)
    name = f"{platform.node()} (Ray node {ray.get_runtime_context().get_node_id()[:8]})"
    return {"name": name, "versions": versions, "shares": (output_folder() / token).is_file()}


def output_folder() -> Path:
    """The folder that $WGANGP_OUTPUT names, as an absolute path."""
    return Path(environment.named_folder("WGANGP_OUTPUT", results.output_root())).absolute()


def check_versions(driver: dict[str, Any], node: dict[str, Any]) -> None:
    """Refuse a node whose versions are not those of the driver.

    Args:
        driver, node: as of `machine`.

    Raises:
        InputError: it names the node and the versions.
    """
    pairs = [(of, node["versions"][of], expected) for of, expected in driver["versions"].items()]
    differing = [f"{of} {found} in place of {expected}" for of, found, expected in pairs if found != expected]
    if differing:
        raise InputError(f"{node['name']} has {', '.join(differing)}; install the driver's versions there.")


def run_on_node(
    number: int, about: dict, deadline: float | None, device: dict, again: bool, driver: dict, token: str, messages: Any
) -> dict[str, Any]:
    """The task of a job.

    Args:
        number: of the job.
        about: as of `Job.about`.
        deadline: as of `Job`.
        device: arguments of `devices.choose`.
        again: whether its node or process died before.
        driver, token: as of `machine`.
        messages: the handle of the actor.

    Returns:
        {"outcome" and "sentence" as of `worker.outcome`, "seconds", "files": as of `Job.store`, none where the output
        folder is shared}.
    """
    began, here = time.monotonic(), machine(token)
    messages.report.remote(number, node=here["name"])  # without waiting for it, or Ray gives this task's core away
    try:
        check_versions(driver, here)
    except InputError as error:
        return {"outcome": "failed", "sentence": str(error), "seconds": 0.0, "files": {}}
    from reproduction import worker
    from reproduction.job import Job
    from wgangp.runtime.progress import Progress

    class ReportingJob(Job):
        def publish(self, rows: list[dict]) -> None:
            if here["shares"]:
                super().publish(rows)
            else:
                messages.report.remote(number, rows=self.stamped(rows))

    Progress.listener = lambda progress: messages.report.remote(number, progress=progress)
    with ExitStack() as stack:
        folder = output_folder()
        if not here["shares"]:
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="wgangp-")))
        stack.enter_context(variable("WGANGP_OUTPUT", str(folder)))
        while True:
            outcome, sentence = worker.outcome(**about, deadline=deadline, device=device, kind=ReportingJob)
            waited = time.monotonic() - began
            if not (again and sentence and outcome == "elsewhere" and waited < LOCK_SECONDS):
                break
            time.sleep(5)
        paths = [] if here["shares"] else [*folder.glob("results/*/*.npz"), *folder.glob("runs/*/*/*.json")]
        files = {str(path.relative_to(folder)): path.read_bytes() for path in paths}
    return {"outcome": outcome, "sentence": sentence, "seconds": time.monotonic() - began, "files": files}


@contextmanager
def variable(name: str, value: str) -> Iterator[None]:
    """A context with a variable of the environment set, and as it was afterwards."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


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
    if "://" in address:
        raise InputError(f"--ray {address}: run on a machine of the cluster, and give HOST:PORT, auto or local.")
    host, _, port = address.rpartition(":")
    if host:  # Ray itself would try for minutes
        try:
            socket.create_connection((host, int(port)), timeout=10).close()
        except (OSError, ValueError, OverflowError) as error:
            raise InputError(f"--ray {address}: no Ray answers there ({error}); start one with ray start.") from None
    if gpus is not None and gpus > 1 and gpus != int(gpus):
        raise InputError(f"--gpus-per-run is {gpus}; above 1, use a whole number.")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_OVERRIDE_RUNTIME_ENV_DEFAULT_EXCLUDES", "")  # ours say all; else Ray warns of its own
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # else Ray prints a warning of its future
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
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS") or str(max(1, int(cpus or 1))),
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
    token = f"runs/ray-{uuid.uuid4().hex}"
    try:
        signal.signal(signal.SIGTERM, handler)
        with replacing(output_folder() / token) as file:
            file.write(b"")
        if gpus is None:
            gpus = float(device["name"] != "cpu" and ray.cluster_resources().get("GPU", 0) > 0)
        cluster = Cluster(device, cpus or 1.0, gpus, token)
        if not slots(ray.nodes(), cluster.cpus, gpus):
            message = f"no node has the {cluster.cpus:g} cores and {gpus:g} GPUs of a run"
            if address == "local":
                raise InputError(f"--ray local: {message}; ask for fewer.")
            print(f"Now {message}; they wait for one that has.", flush=True)
        yield cluster
    finally:
        (output_folder() / token).unlink(missing_ok=True)
        ray.shutdown()


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
        token: as of `machine`.

    Raises:
        InputError: a node has other versions than this machine, or cannot run the code.
    """

    def __init__(self, device: dict, cpus: float, gpus: float, token: str):
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        def on(node):
            return {"num_cpus": 0, "scheduling_strategy": NodeAffinitySchedulingStrategy(node, soft=False)}

        self.device, self.cpus, self.gpus, self.token = device, cpus, gpus, token
        self.on_cpu, self.at_once = not gpus, max(1, slots(ray.nodes(), cpus, gpus))
        self.driver, self.tasks, self.lines = machine(token), {}, {}
        ask = {node["NodeManagerHostname"] + " " + node["NodeID"]: on(node["NodeID"]) for node in alive(ray.nodes())}
        answers = {name: ray.remote(max_retries=0, **where)(machine).remote(token) for name, where in ask.items()}
        shares, problems = [], []
        for name, answer in answers.items():
            try:
                node = ray.get(answer)
                check_versions(self.driver, node)
                shares.append(node["shares"])
            except ray.exceptions.NodeDiedError:
                pass
            except ray.exceptions.RayError as error:
                problems.append(f"{name} cannot run the code ({str(error).strip().splitlines()[-1]}).")
            except InputError as error:
                problems.append(str(error))
        if problems:
            raise InputError(" ".join(problems))
        print(about_sharing(shares), flush=True)
        here = ray.get_runtime_context().get_node_id()
        self.messages = ray.remote(max_restarts=-1, **on(here))(Messages).remote()
        ray.get(self.messages.take.remote())  # it is there before the first task
        self.task = ray.remote(num_cpus=cpus, num_gpus=gpus, max_retries=0)(run_on_node)  # `end` retries and says so

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
                        for ref, task in self.tasks.items():
                            if task.node is None:
                                ray.cancel(ref)
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
    if all(shares):
        return f"{len(shares)} Ray nodes share the output folder: a run whose node dies goes on from its checkpoint."
    anew = "starts anew, and networks are not kept"
    if not any(shares):
        return f"{len(shares)} Ray nodes share no output folder: a run whose node dies {anew}."
    some = f"{sum(shares)} of {len(shares)} Ray nodes share the output folder: a run whose node dies goes on from its"
    return f"{some} checkpoint on one of those; on another it {anew}."


def death(error: Exception) -> str:
    """What a job died of without a fault of its own; "" where it has failed."""
    from ray import exceptions

    causes = {
        exceptions.NodeDiedError: "node died",
        exceptions.OutOfMemoryError: "out of memory",
        MemoryError: "out of memory",  # which several runs on a GPU may share
        exceptions.WorkerCrashedError: "process died",
        exceptions.ObjectLostError: "node died with the results",
    }
    return next((words for kind, words in causes.items() if isinstance(error, kind)), "")
