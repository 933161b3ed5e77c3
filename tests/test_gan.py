"""The methods' steps, generate, save and load."""

import numpy as np
import paddle
import pandas as pd
import pytest
from paddle import nn
from toy_gan import new, weights

from wgangp import DCGAN, LSGAN, WGAN, WGAN_GP, InputError
from wgangp.data.toy import Toy
from wgangp.networks.toy import toy_critic, toy_generator

METHODS = [WGAN_GP, WGAN, DCGAN, LSGAN]


def test_the_proposals_interface():
    generator, discriminator = toy_generator(16), toy_critic(16)
    gan = WGAN_GP(generator=generator, discriminator=discriminator, lambda_gp=10.0, critic_iters=5)
    data = np.random.default_rng(0).normal(size=(200, 2)).astype("float32")
    history = gan.train(
        train_data=data, batch_size=32, iterations=3, g_learning_rate=1e-4, d_learning_rate=1e-4, progress=None
    )
    assert isinstance(history, pd.DataFrame) and len(history) == 3
    assert {"wasserstein_estimate", "gradient_penalty", "gradient_norm", "generator_loss"} <= set(history)
    assert gan.generate(num_samples=70).shape == (70, 2)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_trains_both_networks(method):
    gan = new(method)
    before = weights(gan)
    gan.train(Toy("8gaussians"), batch_size=16, iterations=3, progress=None)
    sizes = sum(p.size for p in gan.generator.parameters())
    changed = weights(gan) != before
    assert changed[:sizes].any() and changed[sizes:].any()
    # freed, not zeroed: a captured graph would go on writing into buffers that were there before it
    assert all(p.grad is None for p in gan.generator.parameters() + gan.discriminator.parameters())


def test_defaults_are_the_papers():
    table = {m: (m.optimizer, m.learning_rate, m.beta1, m.beta2, new(m).critic_iters) for m in METHODS}
    assert table[WGAN_GP] == ("adam", 1e-4, 0.0, 0.9, 5)
    assert table[WGAN][:2] + table[WGAN][4:] == ("rmsprop", 5e-5, 5)
    assert table[DCGAN] == ("adam", 2e-4, 0.5, 0.999, 1)
    assert table[LSGAN][:2] + table[LSGAN][4:] == ("rmsprop", 1e-4, 1)
    assert (new().lambda_gp, new().penalty, new(WGAN).clip) == (10.0, "two-sided", 0.01)


def test_batch_norm_separates_real_from_fake():
    critic = nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1D(4), nn.Linear(4, 1))
    gan = WGAN(toy_generator(8), critic)
    real, fake = paddle.randn([8, 2]), paddle.randn([8, 2]) + 5
    apart = gan.score_both(real, fake)
    assert (apart[0].numpy() == critic(real).numpy()).all() and (apart[1].numpy() == critic(fake).numpy()).all()
    without = new(WGAN)
    scores = without.score_both(real, fake)
    assert scores[1].numpy() == pytest.approx(without.discriminator(fake).numpy(), abs=1e-6)


def test_foreign_batch_norm_in_the_generator_sees_each_batch_alone():
    norm = nn.BatchNorm1D(4)
    gan = WGAN_GP(nn.Sequential(nn.Linear(2, 4), norm, nn.Linear(4, 2)), toy_critic(8, 2), latent_dim=2)
    seen = []
    norm.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].shape[0]))
    fakes = gan.draw_fakes([paddle.zeros([6, 2])] * 3)
    assert seen == [6, 6, 6] and [fake.shape for fake in fakes] == [[6, 2]] * 3


def test_save_and_load(tmp_path):
    gan, other = new(seed=1), new(seed=2)
    gan.save(tmp_path / "gan.npz")
    other.load(tmp_path / "gan.npz")
    assert (weights(gan) == weights(other)).all()
    assert (gan.generate(10, seed=3) == other.generate(10, seed=3)).all()
    with pytest.raises(InputError, match=r"linears.0.bias is \[8\] in the file and \[9\]"):
        WGAN(toy_generator(9), toy_critic(8, 2)).load(tmp_path / "gan.npz")
    with pytest.raises(InputError, match="there is no checkpoint"):
        gan.load(tmp_path / "none.npz")


def test_generate_is_seeded_and_uses_whole_batches():
    gan = new()
    gan.batch_size = 16
    assert (gan.generate(20, seed=1) == gan.generate(40, seed=1)[:20]).all()
    assert (gan.generate(20, seed=1) != gan.generate(20, seed=2)).any()
    with pytest.raises(InputError, match="num_samples is 0"):
        gan.generate(0)


@pytest.mark.parametrize(
    "method, options, words",
    [
        (WGAN_GP, {"lambda_gp": -1}, "lambda_gp is -1"),
        (WGAN_GP, {"lambda_gp": float("nan")}, "lambda_gp is nan; use a finite number of at least 0"),
        (WGAN_GP, {"lambda_gp": "10"}, "lambda_gp is '10'"),
        (WGAN_GP, {"penalty": "both"}, "penalty is 'both'"),
        (WGAN_GP, {"allow_batch_norm": "no"}, "allow_batch_norm is 'no'"),
        (WGAN_GP, {"critic_iters": 0}, "critic_iters is 0"),
        (DCGAN, {"critic_iters": 2.5}, "critic_iters is 2.5"),
        (LSGAN, {"critic_iters": True}, "critic_iters is True"),
        (WGAN, {"clip": 0}, "clip is 0; use a finite number above 0"),
        (WGAN, {"clip": float("nan")}, "clip is nan"),
        (WGAN, {"clip": "0.01"}, "clip is '0.01'"),
        (WGAN, {"latent_dim": 0}, "latent_dim is 0"),
        (WGAN, {"latent_dim": 2.0}, "latent_dim is 2.0"),
    ],
)
def test_unusable_method_settings(method, options, words):
    with pytest.raises(InputError, match=words):
        new(method, **options)


@pytest.mark.parametrize(
    "options, words",
    [
        ({"num_samples": 1.5}, "num_samples is 1.5"),
        ({"num_samples": "10"}, "num_samples is '10'"),
        ({"num_samples": 2, "seed": -1}, "seed is -1"),
        ({"num_samples": 2, "seed": 2**64}, "seed is 18446744073709551616"),
    ],
)
def test_unusable_settings_of_generate(options, words):
    with pytest.raises(InputError, match=words):
        new().generate(**options)


def test_generate_takes_the_batch_size_of_training_or_another():
    sizes, gan = [], new()
    gan.generator.register_forward_pre_hook(lambda _, inputs: sizes.append(inputs[0].shape[0]))
    gan.train(Toy("8gaussians"), batch_size=16, generator_batch_size=24, iterations=1, progress=None)
    sizes.clear()
    assert gan.generate(50, seed=1).shape == (50, 2) and sizes == [24, 24, 24]
    sizes.clear()
    assert gan.generate(50, seed=1, batch_size=40).shape == (50, 2) and sizes == [40, 40]
    with pytest.raises(InputError, match="batch_size is 0"):
        gan.generate(50, batch_size=0)
