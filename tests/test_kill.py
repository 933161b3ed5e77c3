"""Real processes, killed for real."""

import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from commands import processes_of, start_command

from reproduction import results
from wgangp.runtime import checkpoint

SCRIPT = """
import sys, paddle
from wgangp import WGAN_GP
from wgangp.data.toy import Toy
from wgangp.networks.toy import toy_critic, toy_generator
paddle.seed(0)
gan = WGAN_GP(toy_generator(16), toy_critic(16))
print("ready", flush=True)
gan.train(Toy("8gaussians"), batch_size=32, iterations=int(sys.argv[3]), lr_decay=True, checkpoint=sys.argv[1],
          checkpoint_seconds=0.05, progress=None)
gan.save(sys.argv[2])
"""


# Ends the process in place of the n-th rename, link or fsync, of which a checkpoint has five.
KILL = """
import os, signal, sys
def counted(real):
    def function(*arguments):
        counted.left -= 1
        if counted.left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments)
    return function
counted.left = int(sys.argv[4])
os.fsync, os.link, os.replace = counted(os.fsync), counted(os.link), counted(os.replace)
"""


def start(*paths, iterations=200, kill_at=None):
    script = SCRIPT if kill_at is None else KILL + SCRIPT
    command = [sys.executable, "-c", script, *map(str, paths), str(iterations), str(kill_at)]
    return subprocess.Popen(command, cwd=results.ROOT, stdout=subprocess.PIPE, text=True)


def wait_for_writes(path, count, process):
    """Wait until a running process has written a file so many times."""

    def modified():
        return path.stat().st_mtime_ns if path.exists() else None

    last = modified()
    while count and process.poll() is None:
        time.sleep(0.001)
        if modified() != last:
            last, count = modified(), count - 1


def test_killed_training_ends_bit_equal(tmp_path):
    whole = start(tmp_path / "whole.npz", tmp_path / "expected.npz")
    assert whole.wait() == 0
    chance, iterations = random.Random(0), []
    for kill_at in (None, 13):  # after some checkpoints, and while one is written
        process = start(tmp_path / "c.npz", tmp_path / "resumed.npz", kill_at=kill_at)
        if kill_at is None:
            wait_for_writes(tmp_path / "c.npz", 3, process)
            time.sleep(chance.uniform(0, 0.03))
            process.kill()
        assert process.wait() == -signal.SIGKILL
        iterations.append(checkpoint.read_newest(tmp_path / "c.npz")[1]["iteration"])
    assert 0 < iterations[0] < iterations[1] < 200
    assert start(tmp_path / "c.npz", tmp_path / "resumed.npz").wait() == 0
    expected, resumed = np.load(tmp_path / "expected.npz"), np.load(tmp_path / "resumed.npz")
    assert all((expected[name] == resumed[name]).all() for name in expected.files)


@pytest.mark.slow
def test_storm_of_kills_ends_bit_equal(tmp_path):
    """15 kills at random instants and 15 within the writing of a checkpoint, also between its renames."""

    def training(name, kill_at=None):
        process = start(tmp_path / f"{name}.npz", tmp_path / f"{name} end.npz", iterations=400, kill_at=kill_at)
        process.stdout.readline()  # it is about to train
        return process

    def storm(name, kills):
        last = 0
        for kill_at in kills:
            process = training(name, kill_at)
            if kill_at is None:
                time.sleep(chance.uniform(0, seconds / 12))
                process.kill()
            assert process.wait() == -signal.SIGKILL
            newest = checkpoint.read_newest(tmp_path / f"{name}.npz")
            last, before = newest[1]["iteration"] if newest else 0, last
            assert last >= before  # what was written stays
        assert last > 0 and training(name).wait() == 0

    whole, began, chance = training("whole"), time.monotonic(), random.Random(0)
    assert whole.wait() == 0
    seconds = time.monotonic() - began
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(storm, ["random", "chosen"], [[None] * 15, range(15)]))
    expected, *ends = (np.load(tmp_path / f"{name} end.npz") for name in ("whole", "random", "chosen"))
    assert all((expected[name] == end[name]).all() for end in ends for name in expected.files)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_stopped_run_leaves_no_process_and_no_rows(how, tmp_path):
    setting = ["--setting", "gp, 8gaussians, trained generator", "--seed", "0", "--tier", "paper", "--jobs", "1"]
    process = start_command("run", "fig2_toy_8gaussians", *setting, WGANGP_OUTPUT=str(tmp_path))
    deadline = time.time() + 60
    while not list(tmp_path.glob("runs/*/*/job.json")) and time.time() < deadline:
        time.sleep(0.1)
    assert processes_of(tmp_path, "reproduction.worker")
    time.sleep(1)
    process.send_signal(how)
    process.wait(timeout=30)
    told = process.stdout.read()
    assert "Traceback" not in told and "FAILED" not in told
    if how != signal.SIGKILL:
        assert process.returncode == 130 and "run the same command to resume" in told
    deadline = time.time() + 10
    while processes_of(tmp_path, "reproduction.worker") and time.time() < deadline:
        time.sleep(0.1)
    assert not processes_of(tmp_path, "reproduction.worker")
    assert not list(tmp_path.glob("results/*.csv"))
