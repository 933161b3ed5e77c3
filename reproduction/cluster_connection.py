"""Connects this process to a Ray cluster, or starts Ray on this machine: docs/cluster.md."""

import os
import secrets
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from reproduction import cluster_task, results
from reproduction.cluster import Cluster
from wgangp.errors import InputError
from wgangp.runtime import environment

CODE = ("wgangp", "reproduction", "experiments", "run_all.sh")  # what travels to the nodes
GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"  # of HTTP/2, RFC 9113, with no settings of ours
SETTINGS = b"\4"  # type of the frame with which a server answers, its fourth byte


@contextmanager
def connected(address: str, device: dict, cpus: float | None = None, gpus: float | None = None) -> Iterator[Cluster]:
    """A context with a connection to Ray; at its end what still runs there is stopped.

    Args:
        address: of a Ray cluster of which this machine is a node; "local" starts one of this machine alone.
        device: arguments of `devices.choose`.
        cpus: cores of a run; 1 when None.
        gpus: GPUs of a run; when None, 1 where the cluster has any and the device is not "cpu", else 0.

    Raises:
        InputError: there is no Ray here or at the address, a node has other versions, or a number cannot be used.
    """
    check_address(address)
    for option, amount in (("--cpus-per-run", cpus), ("--gpus-per-run", gpus)):
        if amount is not None and round(amount, 4) != amount:
            raise InputError(f"{option} is {amount:g}; use at most four decimals.")
    if gpus is not None and gpus > 1 and gpus != int(gpus):
        raise InputError(f"--gpus-per-run is {gpus:g}; above 1, use a whole number.")
    cpus = cpus or 1.0
    ray = start(address, device, cpus)
    try:
        with cluster_task.own_lock(results.output_root() / "runs", "ray") as token:
            if gpus is None:
                gpus = float(device["name"] != "cpu" and ray.cluster_resources().get("GPU", 0) > 0)
            if not gpus and device["name"] == "auto":  # Ray would not hide the GPUs
                device = device | {"name": "cpu"}
            cluster = Cluster(device, cpus, gpus, f"runs/{token.name}")
            if address == "local" and not cluster.slots():
                raise InputError(f"--ray local: this machine has not the {cluster.needs} of a run; ask for fewer.")
            yield cluster
    finally:
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
    if not address:
        raise InputError("--ray is given no address; use HOST:PORT, auto or local.")
    host, _, port = address.rpartition(":")
    if host:
        try:
            with socket.create_connection((host, int(port)), timeout=10) as connection:
                if "RAY_USE_TLS" not in os.environ:
                    connection.sendall(GREETING)
                    if connection.recv(9)[3:4] != SETTINGS:
                        raise OSError("something else does")
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
        # Ray's default there, of which it else warns; and it keeps a token in the home folder for all clusters.
        os.environ.setdefault("RAY_AUTH_MODE", "token")
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
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
    except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        hint = "" if address == "local" else " (Is this machine a node of it, and RAY_AUTH_TOKEN the cluster's?)"
        raise InputError(f"--ray {address}: {reason}{hint}") from None
    signal.signal(signal.SIGTERM, handler)
    return ray
