"""Two processes against one on the joint batch."""

import os
import subprocess
import sys

import numpy as np
import paddle
import pytest

from reproduction.results import ROOT
from wgangp import InputError
from wgangp.runtime import distributed

SCRIPT = """
import sys
import numpy as np
import wgangp, paddle
from wgangp import WGAN_GP, losses
from wgangp.runtime import distributed
from wgangp.networks import toy

paddle.seed(distributed.rank())  # other initial weights in each process
gan = WGAN_GP(toy.toy_generator(16), toy.toy_critic(16))
given = np.load(sys.argv[1])
weights = sys.argv[3]
if distributed.size() == 1:
    gan.load(weights)
distributed.connect([gan.generator, gan.discriminator])
if distributed.size() > 1 and distributed.rank() == 0:
    gan.save(weights)
real, z, alpha = (paddle.to_tensor(distributed.take_local_batch(given[name])) for name in ("real", "z", "alpha"))
fake = gan.generator(z)
critic = gan.discriminator
loss = losses.wasserstein_critic_loss(critic(real), critic(fake.detach()))
(loss + 10 * losses.gradient_penalty(critic, real, fake.detach(), alpha)).backward()
distributed.average_gradients(critic)
gradients = [p.grad.numpy() for p in critic.parameters()]
gan.clear_gradients()
losses.wasserstein_generator_loss(critic(fake)).backward()
distributed.average_gradients(gan.generator)
gradients += [p.grad.numpy() for p in gan.generator.parameters()]
mean = loss.detach()
distributed.average([mean])
np.savez(sys.argv[2] + f".{distributed.rank()}.npz", *gradients, mean.numpy())
"""


def launch(folder, *command):
    """Run a command in two connected processes."""
    launcher = [sys.executable, "-m", "paddle.distributed.launch", "--nproc_per_node", "2"]
    done = subprocess.run(
        [*launcher, "--log_dir", str(folder / "log"), *map(str, command)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=200,
    )
    logs = [path.read_text() for path in sorted((folder / "log").glob("workerlog.*"))]
    assert done.returncode == 0, "".join(logs)[-3000:] + done.stderr[-1000:]
    return logs


def test_averaged_gradients_are_those_of_the_joint_batch(tmp_path):
    random = np.random.default_rng(0)
    given = {"real": (12, 2), "z": (12, 2), "alpha": (12, 1)}
    np.savez(tmp_path / "given.npz", **{k: random.random(shape).astype("float32") for k, shape in given.items()})
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    weights = tmp_path / "weights.npz"
    launch(tmp_path, script, tmp_path / "given.npz", tmp_path / "two", weights)
    alone = [sys.executable, script, tmp_path / "given.npz", tmp_path / "one", weights]
    subprocess.run(list(map(str, alone)), check=True, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)})
    one = np.load(tmp_path / "one.0.npz")
    for rank in (0, 1):
        two = np.load(tmp_path / f"two.{rank}.npz")
        assert len(one.files) == len(two.files) == 17
        for name in one.files:
            assert np.abs(one[name] - two[name]).max() < 1e-6, name
    assert max(np.abs(one[name]).max() for name in one.files) > 1e-2


def test_an_experiment_trained_by_two_processes(tmp_path, monkeypatch):
    from reproduction.results import read

    monkeypatch.setenv("WGANGP_OUTPUT", str(tmp_path / "out"))
    setting = "gp, 8gaussians, trained generator"
    run = ["-m", "wgangp", "run", "fig2_toy_8gaussians", "--setting", setting, "--tier", "smoke", "--seed", "0"]
    launch(tmp_path, *run)
    rows = read("fig2_toy_8gaussians")
    assert set(rows["setting"]) == {setting} and len(rows) == 4 and np.isfinite(rows["value"]).all()
    assert len(list((tmp_path / "out" / "runs").glob("*/*/checkpoint.npz"))) == 1


def test_a_batch_that_cannot_be_split(monkeypatch):
    monkeypatch.setenv("PADDLE_TRAINERS_NUM", "2")
    monkeypatch.setenv("PADDLE_TRAINER_ID", "1")
    assert distributed.take_local_batch(np.arange(6)).tolist() == [3, 4, 5] and distributed.local_batch_size(6) == 3
    with pytest.raises(InputError, match="batch of 7 cannot be split evenly over 2 processes"):
        distributed.take_local_batch(np.arange(7))
    with pytest.raises(InputError, match="batch of 7"):
        distributed.local_batch_size(7)


def test_one_process_is_left_alone():
    x = paddle.to_tensor([1.0, 2.0])
    distributed.average([x])
    assert x.tolist() == [1, 2] and distributed.any_process(True) and not distributed.any_process(False)
    assert distributed.local_batch_size(7) == 7 and distributed.take_local_batch(np.arange(3)).tolist() == [0, 1, 2]
