"""Runs on Ray: local clusters of several nodes, each a raylet with processes of its own."""

import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pandas as pd
import pytest
from commands import start_command

from reproduction import cluster, cluster_task, results, schedule
from reproduction.__main__ import main
from reproduction.experiment import Experiment
from reproduction.job import run_job
from wgangp.errors import InputError
from wgangp.runtime.files import locked

FIG1 = "fig1_gradient_norms"
SMOKE = ["run", FIG1, "--tier", "smoke"]
ONE_RUN = [*SMOKE, "--seed", "0", "--setting", "gradient penalty"]


@pytest.mark.parametrize(
    "options, words",
    [
        (["--gpus-per-run", "0.5"], "--gpus-per-run needs --ray."),
        (["--cpus-per-run", "2"], "--cpus-per-run needs --ray."),
        (["--ray", "local", "--jobs", "2"], "--jobs does not go with --ray."),
        (["--ray", "local", "--gpus-per-run", "-1"], "--gpus-per-run is -1.0"),
        (["--ray", "local", "--gpus-per-run", "1.5"], "--gpus-per-run is 1.5; above 1, use a whole number."),
        (["--ray", "local", "--gpus-per-run", "0.33333"], "--gpus-per-run is 0.33333; use at most four decimals."),
        (["--ray", "local", "--cpus-per-run", "1e-5"], "--cpus-per-run is 1e-05; use at most four decimals."),
        (["--ray", ""], "--ray is given no address; use HOST:PORT, auto or local."),
        (["--ray", "127.0.0.1:1"], "--ray 127.0.0.1:1: no Ray answers there ([Errno 111] Connection refused)"),
        (["--ray", "127.0.0.1:x"], "--ray 127.0.0.1:x: no Ray answers there (invalid literal"),
        (["--ray", "ray://head:10001"], "--ray ray://head:10001: run on a machine of the cluster"),
    ],
)
def test_options_that_cannot_be_used(capfd, options, words):
    assert main([*ONE_RUN, *options]) == 2
    assert words in capfd.readouterr().err


def test_another_server_at_the_address_is_seen(capfd):
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        assert main([*ONE_RUN, "--ray", f"127.0.0.1:{server.server_port}"]) == 2
        server.shutdown()
    assert "no Ray answers there (something else does); start one with ray start." in capfd.readouterr().err


def test_missing_ray_is_named(monkeypatch, capfd):
    monkeypatch.setitem(sys.modules, "ray", None)
    assert main([*ONE_RUN, "--ray", "local"]) == 2
    assert "pip install -c constraints.txt -e '.[reproduction,cluster]'" in capfd.readouterr().err


def test_slots_are_those_of_the_nodes_that_live():
    nodes = [{"Alive": True, "Resources": {"CPU": 8.0, "GPU": 2.0}}, {"Alive": True, "Resources": {"CPU": 3.0}}]
    nodes.append({"Alive": False, "Resources": {"CPU": 100.0, "GPU": 100.0}})
    assert cluster.slots(nodes, 1, 0) == 8 + 3
    assert cluster.slots(nodes, 1, 0.1) == 8 and cluster.slots(nodes, 0.1, 0.1) == 20
    assert cluster.slots(nodes, 4, 1) == 2 and cluster.slots(nodes, 2, 0) == 4 + 1
    assert cluster.slots([], 1, 0) == cluster.slots(nodes, 1, 3) == 0


def test_versions_that_differ_are_named():
    driver = {"versions": {"Python": "3.11.2", "Paddle": "3.3.1", "wgangp": "0.1.0"}}
    cluster_task.check_versions(driver, driver | {"name": "a"})
    node = {"name": "b", "versions": {"Python": "3.12.1", "Paddle": "3.3.1", "wgangp": "0.2.0"}}
    with pytest.raises(InputError, match="^b has Python 3.12.1 in place of 3.11.2, wgangp 0.2.0 in place of 0.1.0;"):
        cluster_task.check_versions(driver, node)


HOLD = """
from reproduction.cluster_task import scratch_folder
with scratch_folder() as folder:
    print(folder, flush=True)
    input()
"""


def test_folders_of_runs_that_were_killed_are_deleted(tmp_path, monkeypatch):
    monkeypatch.setenv("WGANGP_OUTPUT", str(tmp_path))
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    running, killed = (subprocess.Popen([sys.executable, "-c", HOLD], cwd=results.ROOT, **pipes) for _ in range(2))
    kept, left = (Path(process.stdout.readline().strip()) for process in (running, killed))
    (left / "checkpoint.npz").write_bytes(b"0")
    killed.kill()
    killed.communicate()
    with cluster_task.scratch_folder() as own:
        assert own.parent == tmp_path and own.is_dir() and kept.is_dir() and not left.exists()
    running.communicate("\n")
    assert running.returncode == 0 and not list(tmp_path.iterdir())


def test_what_cannot_be_written_fails_its_job_alone(tmp_path, monkeypatch, capfd):
    def jobs_in(output):
        monkeypatch.setenv("WGANGP_OUTPUT", str(output))
        return schedule.jobs_of([Experiment(FIG1)], "smoke", seeds=[0])[:2]

    node, returned = tmp_path / "node", []
    for job in jobs_in(node):
        run_job(job, name="cpu")
        returned.append({str(path.relative_to(node)): path.read_bytes() for path in job.folder.glob("*.json")})
    spoilt, other = jobs_in(tmp_path / "output")
    spoilt.folder.parent.mkdir(parents=True)
    spoilt.folder.write_bytes(b"a file in the folder's place")
    assert cluster.store(list(zip((spoilt, other), returned))) == [spoilt]
    assert "cannot write" in capfd.readouterr().err
    assert other.done and set(results.read(FIG1)["setting"]) == {other.setting}


@pytest.fixture(scope="module")
def ray(tmp_path_factory):
    """Ray, with an environment in which nodes get the code from the driver alone, and share no folder."""
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(path for path in paths if path not in ("", str(results.ROOT))))
        patch.setenv("WGANGP_DATA", str(tmp_path_factory.mktemp("no data")))
        patch.setenv("RAY_AUTH_MODE", "token")
        patch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        for name in ("WGANGP_OUTPUT", "WGANGP_OFFLINE"):
            patch.delenv(name, raising=False)
        yield pytest.importorskip("ray", reason="Ray is not installed (pip install -e .[cluster])")  # reads them


@pytest.fixture(scope="module")
def head(ray):
    """A cluster of one node with one core."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    yield cluster
    cluster.shutdown()


@pytest.fixture
def add_node(head):
    """Adds nodes of one core, which leave after the test."""
    added = []

    def add(**options):
        added.append(head.add_node(**options))
        return added[-1]

    yield add
    for node in head.worker_nodes & set(added):
        head.remove_node(node)


def test_only_deaths_are_retried(ray):
    def raised(error):
        return ray.exceptions.RayTaskError("run_on_node", "traceback", error).as_instanceof_cause()

    assert cluster.death(raised(MemoryError("on a GPU"))) == "out of memory"
    assert cluster.death(ray.exceptions.OutOfMemoryError("of a machine")) == "out of memory"
    assert cluster.death(ray.exceptions.NodeDiedError("gone")) == "node died"
    assert cluster.death(ray.exceptions.WorkerCrashedError()) == "process died"
    assert cluster.death(raised(ZeroDivisionError())) == ""
    assert cluster.death(ray.exceptions.RuntimeEnvSetupError()) == "the code could not be set up"


def start(head, output, *arguments):
    """Start a driver."""
    variables = {"WGANGP_OUTPUT": str(output), "WGANGP_OFFLINE": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    return start_command(*arguments, "--ray", head.address, "--device", "cpu", **variables)


def run(head, output, *arguments):
    """Run a driver; returns its status and what it printed."""
    driver = start(head, output, *arguments)
    printed = driver.communicate(timeout=300)[0]
    return driver.returncode, printed


def tasks_of(node):
    """The processes of a node that are in the middle of a job."""
    raylet = node.all_processes["raylet"][0].process.pid
    told = subprocess.run(["ps", "--ppid", str(raylet), "-o", "pid=,args="], capture_output=True, text=True).stdout
    return [int(line.split()[0]) for line in told.splitlines() if "ray::run_on_node" in line]


def wait_for(condition, seconds=120):
    """Wait until a function returns something that is true, and return that."""
    deadline = time.time() + seconds
    while not (found := condition()):
        assert time.time() < deadline, "waited in vain"
        time.sleep(0.02)
    return found


def trains(process):
    """Whether a process has imported Paddle, before which a job has reported its node."""
    try:
        return "libpaddle" in Path(f"/proc/{process}/maps").read_text()
    except OSError:  # gone
        return False


@contextmanager
def held_job(node, *others):
    """A context in which a job of a node makes no progress; at its end the job's process is killed.

    Until the node has one, other nodes stop at theirs, not to do them all.
    """
    held = {}

    def hold():
        for place in (node, *others):
            for process in tasks_of(place):
                if place not in held and trains(process):
                    os.kill(process, signal.SIGSTOP)
                    held[place] = process
        return held.get(node)

    process = wait_for(hold)
    for other in others:
        if other in held:
            os.kill(held[other], signal.SIGCONT)
    try:
        assert tasks_of(node) == [process]
        yield
    finally:
        os.kill(process, signal.SIGKILL)


def finished(output):
    """{folder of a run: contents and time of its rows.json}."""
    return {path.parent.name: (path.read_bytes(), path.stat().st_mtime) for path in output.glob("runs/*/*/rows.json")}


def values(rows_of_run):
    """The values of the rows of one run, as of `finished`."""
    return [(row["quantity"], row["part"], row["value"]) for row in json.loads(rows_of_run[0])]


def measured(output):
    """The rows without what differs between two runs."""
    return results.read(FIG1, output).drop(columns=["commit", "wall_seconds", "finished"])


@pytest.fixture(scope="module")
def one_by_one(tmp_path_factory):
    """The output folder of twelve jobs run one after another on this machine."""
    output = tmp_path_factory.mktemp("one by one")
    command = start_command(*SMOKE, "--jobs", "1", "--device", "cpu", WGANGP_OUTPUT=str(output), OMP_NUM_THREADS="1")
    assert command.wait(300) == 0
    return output


def check_same(output, expected):
    pd.testing.assert_frame_equal(measured(output), measured(expected), check_exact=True)
    names = sorted(path.name for path in output.glob(f"results/{FIG1}/*.npz"))
    assert names == sorted(path.name for path in expected.glob(f"results/{FIG1}/*.npz")) and len(names) == 12
    for name in names:
        arrays, others = (np.load(folder / "results" / FIG1 / name) for folder in (output, expected))
        assert arrays.files == others.files and all((arrays[key] == others[key]).all() for key in arrays.files)


def test_a_node_that_dies_costs_no_job(head, add_node, one_by_one, tmp_path):
    dying, other = add_node(), add_node()
    driver = start(head, tmp_path, *SMOKE)
    with held_job(dying, other, head.head_node):
        wait_for(lambda: len(finished(tmp_path)) >= 2)
        head.remove_node(dying, allow_graceful=False)
    printed = driver.communicate(timeout=300)[0]
    assert driver.returncode == 0 and "12 of 12 runs to do, 3 at a time" in printed, printed
    assert f"Ray node {dying.node_id[:8]}); retry 1 of 3: {FIG1}" in printed
    assert "The 3 Ray nodes share no output folder: a run whose node or process dies starts anew" in printed
    assert len(finished(tmp_path)) == 12
    check_same(tmp_path, one_by_one)


def test_killed_driver_started_again_runs_nothing_twice(head, add_node, one_by_one, tmp_path):
    node, other = add_node(), add_node()
    driver = start(head, tmp_path, *SMOKE)
    with held_job(node, other, head.head_node):
        wait_for(lambda: len(finished(tmp_path)) >= 3)
        driver.kill()
    driver.communicate()
    before = finished(tmp_path)
    status, printed = run(head, tmp_path, *SMOKE)
    assert status == 0 and f"{12 - len(before)} of 12 runs to do" in printed and printed.count("done in") < 10
    after = finished(tmp_path)
    assert len(before) < 12 == len(after) and before.items() <= after.items()  # nothing twice
    check_same(tmp_path, one_by_one)


@pytest.mark.slow
def test_node_without_data_fails_its_job_at_once(head, tmp_path):
    status, printed = run(head, tmp_path, "run", "mnist_digits", "--tier", "smoke", "--setting", "DCGAN")
    assert status == 1 and "train-images-idx3-ubyte.gz is not in" in printed and "FAILED" in printed
    assert "retry" not in printed and "Traceback" not in printed and not finished(tmp_path)


@pytest.fixture
def other_paddle(tmp_path):
    """The environment of a node with another version of Paddle."""
    about = tmp_path / "path" / "paddlepaddle-3.2.9.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: paddlepaddle\nVersion: 3.2.9\n")
    return {"PYTHONPATH": os.pathsep.join([str(about.parent), os.environ["PYTHONPATH"]])}


@pytest.mark.slow
def test_node_with_another_paddle_is_refused(head, add_node, tmp_path, other_paddle):
    node = add_node(env_vars=other_paddle)
    status, printed = run(head, tmp_path / "output", *ONE_RUN)
    assert status == 2 and not finished(tmp_path / "output") and "Traceback" not in printed
    assert f"Ray node {node.node_id[:8]}) has Paddle 3.2.9 in place of 3.3" in printed and printed.count(") has ") == 1


@pytest.mark.slow
def test_node_with_another_paddle_that_comes_later_is_given_no_runs(head, add_node, tmp_path, other_paddle):
    output = tmp_path / "output"
    driver = start(head, output, *SMOKE)
    with held_job(head.head_node):
        node = add_node(num_cpus=4, env_vars=other_paddle)
        printed = ""
        while "It is given no runs." not in printed:
            printed += driver.stdout.readline()
    printed += driver.communicate(timeout=300)[0]
    assert driver.returncode == 0 and len(finished(output)) == 12
    assert (
        printed.count(f"Ray node {node.node_id[:8]}) has Paddle 3.2.9 in place of 3.3") == 1 == printed.count(") has ")
    )


@pytest.mark.slow
def test_second_driver_of_an_experiment_is_refused_before_it_forgets_anything(head, tmp_path, one_by_one):
    shutil.copytree(one_by_one, tmp_path, dirs_exist_ok=True)
    before = finished(tmp_path)
    with locked(tmp_path / "runs" / FIG1 / "cluster.lock", wait=False):
        status, printed = run(head, tmp_path, *SMOKE, "--fresh")
    assert status == 2 and f"{FIG1} is in use by process {os.getpid()}" in printed and finished(tmp_path) == before


@pytest.mark.slow
def test_runs_share_a_gpu(head, add_node, tmp_path):
    node = add_node(num_cpus=4, num_gpus=1)
    driver = start(head, tmp_path, *SMOKE, "--seed", "0", "--gpus-per-run", "0.25")
    wait_for(lambda: len(tasks_of(node)) > 1)
    printed = driver.communicate(timeout=300)[0]
    assert driver.returncode == 0 and "4 of 4 runs to do, 4 at a time" in printed and len(finished(tmp_path)) == 4


@pytest.mark.slow
def test_a_cluster_of_this_machine_alone(ray, tmp_path, one_by_one):
    driver = start_command(*ONE_RUN, "--ray", "local", "--device", "cpu", WGANGP_OUTPUT=str(tmp_path))
    printed = driver.communicate(timeout=120)[0]
    assert driver.returncode == 0 and "The Ray node shares the output folder: a run whose node or process" in printed
    (path,) = finished(tmp_path)
    assert values(finished(tmp_path)[path]) == values(finished(one_by_one)[path])


LONG = ["run", FIG1, "--tier", "paper", "--seed", "0", "--setting", "gradient penalty"]


def iterations(output):
    (path,) = output.glob("runs/*/*/checkpoint.npz")
    with np.load(path) as arrays:
        return json.loads(str(arrays["about"]))["iteration"]


@pytest.mark.slow
def test_retry_goes_on_from_a_shared_checkpoint(head, add_node, tmp_path):
    node = add_node(num_gpus=1, env_vars={"WGANGP_OUTPUT": str(tmp_path)})
    here = ["--gpus-per-run", "1"]
    status, printed = run(head, tmp_path, *LONG, *here, "--budget", "0.5")
    assert status == 0 and "The budget is spent with 1 run to go" in printed
    assert "1 of the 2 Ray nodes share the output folder" in printed and "its checkpoint on one of those" in printed
    before = iterations(tmp_path)
    driver = start(head, tmp_path, *LONG, *here, "--budget", "0.5")
    with held_job(node):
        pass
    printed = driver.communicate(timeout=300)[0]
    assert f"process died: {os.uname().nodename} (Ray node {node.node_id[:8]}); retry 1 of 3: {FIG1}" in printed
    assert driver.returncode == 0 and iterations(tmp_path) > before > 0


@pytest.mark.slow
def test_a_job_that_kills_its_process_is_given_up_after_three_retries(head, tmp_path):
    driver, killed = start(head, tmp_path, *LONG), []
    for _ in range(1 + cluster.RETRIES):
        (process,) = wait_for(
            lambda: [task for task in tasks_of(head.head_node) if task not in killed and trains(task)]
        )
        os.kill(process, signal.SIGKILL)
        killed.append(process)
    printed = driver.communicate(timeout=60)[0]
    assert driver.returncode == 1 and printed.count("; retry ") == 3 == printed.count(" of 3: ")
    assert "(process died: " in printed and "after 3 retries): " + FIG1 in printed
    assert f"failed: {FIG1} [gradient penalty] paper seed 0" in printed and not finished(tmp_path)


@pytest.mark.slow
def test_budget_takes_back_what_is_queued(head, tmp_path):
    status, printed = run(head, tmp_path, "run", FIG1, "--tier", "paper", "--budget", "0.05")
    assert status == 0 and "The budget is spent with 12 runs to go; run the same command to resume." in printed
    assert "FAILED" not in printed and "Traceback" not in printed
    status, printed = run(head, tmp_path, *LONG, "--budget", "0.05", "--gpus-per-run", "3")
    assert status == 0 and "The budget is spent with 1 run to go" in printed
    assert "No node has the 1 core and 3 GPUs of a run; the runs wait for one that has." in printed
    status, printed = run(head, tmp_path, *SMOKE, "--budget", "0.05")
    assert status == 0 and 0 < len(finished(tmp_path)) + int(re.search(r"with (\d+) runs? to go", printed)[1]) == 12


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_stopped_driver_leaves_nothing_running(head, tmp_path, how):
    driver = start(head, tmp_path, *LONG)
    wait_for(lambda: tasks_of(head.head_node))
    driver.send_signal(how)
    printed = driver.communicate(timeout=60)[0]
    assert driver.returncode == 130 and "stopped; run the same command to resume" in printed
    assert "Traceback" not in printed and "FAILED" not in printed
    wait_for(lambda: not tasks_of(head.head_node), 10)
    assert not list(tmp_path.glob("results/*.csv")) and not list(tmp_path.glob("runs/ray-*"))
