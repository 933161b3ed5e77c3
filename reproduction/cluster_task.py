"""What runs on a node of a Ray cluster: the task of a job, and what the driver asks a machine.

Paddle is imported inside the task, after its node has been compared with the driver.
"""

import os
import platform
import shutil
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import wgangp
from reproduction import interrupts, results
from wgangp.errors import InputError
from wgangp.runtime import environment
from wgangp.runtime.files import locked

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
        {"id": of the Ray node, "name", "versions": {of what: version}, "shares": whether $WGANGP_OUTPUT is the driver's
        output folder}.
    """
    import ray

    versions = {"Python": platform.python_version(), "Paddle": "none", "wgangp": wgangp.__version__}
    for distribution in ("paddlepaddle", "paddlepaddle-gpu"):
        with suppress(PackageNotFoundError):
            versions["Paddle"] = version(distribution)
    node = ray.get_runtime_context().get_node_id()
    shares = (output_folder() / token).is_file()
    return {"id": node, "name": f"{platform.node()} (Ray node {node[:8]})", "versions": versions, "shares": shares}


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
        {"outcome" and "sentence" as of `worker.outcome`, or "refused" where the node has other versions, "seconds",
        "node": its id, "files": as of `Job.store`, none where the output folder is shared}.
    """
    began, here = time.monotonic(), machine(token)
    messages.report.remote(number, node=here["name"])  # without waiting for it, or Ray gives this task's core away
    if "paddle" not in sys.modules:
        time.sleep(0.1)  # it is on its way before this process can die of importing that
    files = {}
    try:
        check_versions(driver, here)
    except InputError as error:
        outcome, sentence = "refused", str(error)
    else:
        try:
            outcome, sentence, files = run_job(number, about, deadline, device, again, here["shares"], messages)
        except (InputError, OSError) as error:  # its folder cannot be made
            outcome, sentence = "failed", interrupts.sentence(error)
    seconds = time.monotonic() - began
    return {"outcome": outcome, "sentence": sentence, "seconds": seconds, "node": here["id"], "files": files}


def run_job(
    number: int, about: dict, deadline: float | None, device: dict, again: bool, shares: bool, messages: Any
) -> tuple[str, str, dict[str, bytes]]:
    """Run a job on this node.

    Args:
        number, about, deadline, device, again, messages: as of `run_on_node`.
        shares: as of `machine`.

    Returns:
        Outcome, sentence and files, as of `run_on_node`.
    """
    from reproduction import worker
    from reproduction.job import Job
    from wgangp.runtime.progress import Progress

    class ReportingJob(Job):
        def publish(self, rows: list[dict]) -> None:
            if shares:
                super().publish(rows)
            else:
                messages.report.remote(number, rows=self.stamped(rows))

    Progress.listener = lambda progress: messages.report.remote(number, progress=progress)
    began = time.monotonic()
    with ExitStack() as stack:
        folder = output_folder() if shares else stack.enter_context(scratch_folder())
        stack.enter_context(variable("WGANGP_OUTPUT", str(folder)))
        stack.enter_context(variable("WGANGP_DATA", str(environment.data_folder().absolute())))  # for messages
        while True:
            outcome, sentence = worker.outcome(**about, deadline=deadline, device=device, kind=ReportingJob)
            waited = time.monotonic() - began
            if not (again and sentence and outcome == "elsewhere" and waited < LOCK_SECONDS):
                break
            time.sleep(5)
        paths = [] if shares else [*folder.glob("results/*/*.npz"), *folder.glob("runs/*/*/*.json")]
        return outcome, sentence, {str(path.relative_to(folder)): path.read_bytes() for path in paths}


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A context with a folder for a run, in the node's $WGANGP_OUTPUT or else among its temporary files.

    Raises:
        InputError, OSError: it cannot be made.
    """
    parent = environment.named_folder("WGANGP_OUTPUT", gettempdir()).absolute()
    with own_lock(parent, "wgangp-ray") as lock:
        folder = lock.with_suffix("")
        folder.mkdir()
        yield folder


@contextmanager
def own_lock(parent: Path, beginning: str) -> Iterator[Path]:
    """A context with a lock file that no other process knows; at its end the folder of its name is deleted, too.

    So are, at its start, those that processes left which were killed.

    Args:
        parent: the file's folder.
        beginning: of its name.

    Raises:
        InputError: it cannot be made.
    """

    def delete(path):
        shutil.rmtree(path.with_suffix(""), ignore_errors=True)
        path.unlink(missing_ok=True)

    for path in parent.glob(f"{beginning}-*.lock"):
        with suppress(InputError), locked(path, wait=False):  # nobody holds it
            delete(path)
    lock = parent / f"{beginning}-{uuid.uuid4().hex}.lock"
    with locked(lock):
        try:
            yield lock
        finally:
            delete(lock)


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
