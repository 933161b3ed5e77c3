"""Training goes on from its checkpoint, bit-equal; what it cannot go on from is refused."""

import time

import numpy as np
import pandas as pd
import pytest
from toy_gan import new, weights

from wgangp import WGAN, WGAN_GP, Diverged, InputError
from wgangp.data.toy import Toy
from wgangp.errors import BudgetSpent
from wgangp.runtime import checkpoint


@pytest.mark.parametrize("method", [WGAN_GP, WGAN])
def test_resumed_training_is_bit_equal(method, tmp_path):
    options = {"batch_size": 16, "lr_decay": False, "progress": None, "seed": 4}
    array = np.random.default_rng(0).normal(size=(100, 2)).astype("float32")
    whole = new(method)
    expected = whole.train(array, iterations=9, **options)
    path = tmp_path / "c.npz"
    new(method).train(array, iterations=4, checkpoint=path, **options)
    resumed = new(method, seed=99)  # other initial weights: all must come from the checkpoint
    history = resumed.train(array, iterations=9, checkpoint=path, **options)
    assert (weights(resumed) == weights(whole)).all()
    pd.testing.assert_frame_equal(history.drop(columns="seconds"), expected.drop(columns="seconds"), check_like=True)
    assert (np.diff(history["seconds"]) > 0).all()


def stop(gan, iteration, losses):
    if iteration == 2:
        raise KeyboardInterrupt


@pytest.mark.parametrize("method", [WGAN_GP, WGAN])  # Adam, RMSProp
@pytest.mark.parametrize("how", ["iterations", "budget", "Ctrl-C"])
def test_the_same_object_goes_on_bit_equal(method, how, tmp_path):
    options = {"batch_size": 16, "progress": None, "seed": 4}
    array = np.random.default_rng(0).normal(size=(100, 2)).astype("float32")
    whole, gan = new(method), new(method)
    expected = whole.train(array, iterations=6, **options)
    options["checkpoint"] = tmp_path / "c.npz"
    if how == "iterations":
        gan.train(array, iterations=3, **options)
    elif how == "budget":
        with pytest.raises(BudgetSpent):
            gan.train(array, iterations=6, deadline=time.time(), **options)
    else:
        with pytest.raises(KeyboardInterrupt):  # within the first minute
            gan.train(array, iterations=6, callbacks=[stop], **options)
    history = gan.train(array, iterations=6, **options)
    assert (weights(gan) == weights(whole)).all()
    pd.testing.assert_frame_equal(history.drop(columns="seconds"), expected.drop(columns="seconds"), check_like=True)


def test_a_setting_that_is_left_out_is_another_setting(tmp_path):
    options = {"batch_size": 16, "progress": None, "checkpoint": tmp_path / "c.npz"}
    new().train(Toy("8gaussians"), iterations=1, d_weight_decay=0.5, **options)
    with pytest.raises(InputError, match="d_weight_decay was 0.5, is None"):
        new().train(Toy("8gaussians"), iterations=2, **options)


def test_a_checkpoint_of_another_run_is_refused_with_all_files_to_delete(tmp_path):
    path, options = tmp_path / "c.npz", {"batch_size": 16, "progress": None}
    new().train(Toy("8gaussians"), iterations=2, checkpoint=path, **options)
    with pytest.raises(InputError, match=r"delete \S+/c.npz and \S+/c.previous.npz or name another"):
        new().train(Toy("8gaussians"), iterations=2, checkpoint=path, seed=1, **options)


def test_optimizer_state_of_older_checkpoints_is_read(tmp_path):
    """There the names' endings counted the optimizers of a process."""
    path, options = tmp_path / "c.npz", {"batch_size": 16, "progress": None}
    whole, resumed = new(), new()
    whole.train(Toy("8gaussians"), iterations=5, **options)
    new().train(Toy("8gaussians"), iterations=3, checkpoint=path, **options)
    arrays, about = checkpoint.read(path)
    assert "g_optimizer/0/moment1_0" in arrays
    older = {f"{name[:-1]}7" if "_optimizer/" in name else name: array for name, array in arrays.items()}
    checkpoint.write(path, older, about)
    resumed.train(Toy("8gaussians"), iterations=5, checkpoint=path, **options)
    assert (weights(resumed) == weights(whole)).all()


def test_settings_may_be_numpys_with_a_checkpoint(tmp_path):
    options = {"batch_size": np.int32(16), "seed": np.int64(0), "g_learning_rate": np.float64(1e-3), "progress": None}
    gan = new(lambda_gp=np.float32(10), critic_iters=np.int64(2))
    gan.train(Toy("8gaussians"), iterations=np.int64(2), checkpoint=tmp_path / "c.npz", **options)
    settings = checkpoint.read(tmp_path / "c.npz")[1]["settings"]
    assert (settings["seed"], settings["batch_size"], settings["lambda_gp"]) == (0, 16, 10)


def test_checkpoint_of_another_run_is_refused(tmp_path):
    path = tmp_path / "c.npz"
    new().train(Toy("8gaussians"), batch_size=16, iterations=1, checkpoint=path, progress=None)
    with pytest.raises(InputError, match=r"lambda_gp was 10.0, is 5.0"):
        new(lambda_gp=5.0).train(Toy("8gaussians"), batch_size=16, iterations=2, checkpoint=path, progress=None)
    with pytest.raises(InputError, match="data was"):
        new().train(Toy("swissroll"), batch_size=16, iterations=2, checkpoint=path, progress=None)


@pytest.mark.parametrize(
    "damage", [lambda b: b[: len(b) // 2], lambda b: b[:900] + b"\x00" * 64 + b[964:], lambda b: b""]
)
def test_damaged_checkpoint_falls_back_to_the_previous(damage, tmp_path, capsys):
    path = tmp_path / "c.npz"
    options = {"batch_size": 16, "checkpoint": path, "progress": None}
    new().train(Toy("8gaussians"), iterations=2, **options)
    new().train(Toy("8gaussians"), iterations=4, **options)
    path.write_bytes(damage(path.read_bytes()))
    resumed, whole = new(), new()
    resumed.train(Toy("8gaussians"), iterations=6, **options)
    whole.train(Toy("8gaussians"), batch_size=16, iterations=6, progress=None)
    assert "Resuming from" in capsys.readouterr().out
    assert (weights(resumed) == weights(whole)).all()


def test_checkpoint_executes_nothing(tmp_path):
    path = tmp_path / "c.npz"
    np.savez(path, about=np.array([print], dtype=object))
    with pytest.raises(InputError, match="not a whole checkpoint"):
        checkpoint.read(path)


def test_divergence_names_step_quantity_and_checkpoint(tmp_path):
    path = tmp_path / "c.npz"
    new().train(Toy("8gaussians"), batch_size=16, iterations=2, checkpoint=path, progress=None)

    def spoil(gan, iteration, losses):
        if iteration == 3:
            gan.discriminator.linears[-1].weight.set_value(np.full((8, 1), np.inf, "float32"))

    with pytest.raises(Diverged, match=r"iteration 4: .*wasserstein_estimate = .*last good checkpoint is .*c\.npz"):
        new().train(Toy("8gaussians"), batch_size=16, iterations=9, checkpoint=path, callbacks=[spoil], progress=None)
    assert checkpoint.read(path)[1]["iteration"] == 2


@pytest.mark.parametrize("options", [{"iterations": 3}, {"iterations": 9, "deadline": 0.0}])
def test_weights_that_are_not_finite_take_no_checkpoints_place(options, tmp_path):
    """The last step spoils the weights: its loss, computed before, is still finite."""
    path = tmp_path / "c.npz"
    new().train(Toy("8gaussians"), batch_size=16, iterations=2, checkpoint=path, progress=None)

    def spoil(gan, iteration, losses):
        gan.generator.linears[0].weight.set_value(np.full((2, 8), np.nan, "float32"))

    options = {"batch_size": 16, "callbacks": [spoil], "progress": None} | options
    words = r"after 3 iterations generator/linears.0.weight has NaN .*last good checkpoint is .*c\.npz"
    with pytest.raises(Diverged, match=words):
        new().train(Toy("8gaussians"), checkpoint=path, **options)
    assert checkpoint.read(path)[1]["iteration"] == 2
    if "deadline" not in options:
        with pytest.raises(Diverged, match="there is no checkpoint"):
            new().train(Toy("8gaussians"), **options)


def test_a_checkpoint_that_holds_nan_is_refused(tmp_path):
    path = tmp_path / "c.npz"
    new().train(Toy("8gaussians"), batch_size=16, iterations=2, checkpoint=path, progress=None)
    arrays, about = checkpoint.read(path)
    arrays["critic/linears.0.bias"][3] = np.nan
    checkpoint.write(path, arrays, about)
    gan = new()
    before = weights(gan)
    with pytest.raises(InputError, match=r"c.npz is of a training that diverged: critic/linears.0.bias has NaN"):
        gan.train(Toy("8gaussians"), batch_size=16, iterations=4, checkpoint=path, progress=None)
    assert (weights(gan) == before).all()
