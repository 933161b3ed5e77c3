import time

import numpy as np
import paddle
import pandas as pd
import pytest
from paddle import nn

from wgangp import DCGAN, LSGAN, WGAN, WGAN_GP, Diverged, InputError, checkpoint
from wgangp.data.toy import Toy
from wgangp.errors import BudgetSpent
from wgangp.networks.toy import toy_critic, toy_generator

METHODS = [WGAN_GP, WGAN, DCGAN, LSGAN]


def new(method=WGAN_GP, seed=0, **options):
    paddle.seed(seed)
    return method(toy_generator(8, 2), toy_critic(8, 2), **options)


def weights(gan):
    return np.concatenate([p.numpy().ravel() for p in gan.generator.parameters() + gan.discriminator.parameters()])


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


def test_generator_is_not_stepped_in_the_first_iteration():
    gan = new()
    before = [p.numpy() for p in gan.generator.parameters()]
    history = gan.train(Toy("8gaussians"), batch_size=16, iterations=1, progress=None)
    assert all((a == p.numpy()).all() for a, p in zip(before, gan.generator.parameters(), strict=True))
    assert "generator_loss" not in history


def test_one_critic_step_is_adam_on_the_stated_loss():
    """The first step, recomputed: same batch, same noise, an optimizer written here."""
    data = Toy("8gaussians")
    gan, twin = new(seed=3), new(seed=3)
    gan.critic_iters = 1
    gan.train(data, batch_size=16, iterations=1, seed=5, progress=None)
    from wgangp.base_gan import seed_everything

    real = paddle.to_tensor(data.sample(16, np.random.default_rng([5, 0])))
    seed_everything(5, 0)
    fake = twin.generator(paddle.randn([16, 2])).detach()
    alpha = paddle.rand([16, 1])
    x = real + alpha * (fake - real)
    x.stop_gradient = False
    norm = paddle.grad(twin.discriminator(x).sum(), x, create_graph=True)[0].norm(axis=1)
    loss = twin.discriminator(fake).mean() - twin.discriminator(real).mean() + 10 * ((norm - 1) ** 2).mean()
    loss.backward()
    compared = 0
    for mine, p in zip(gan.discriminator.parameters(), twin.discriminator.parameters(), strict=True):
        if p.grad is None:
            continue
        g = p.grad.numpy().astype("float64")
        step = 1e-4 * np.sqrt(0.1) * g / (np.sqrt(0.1 * g * g) + 1e-8)
        clear = np.abs(g) > 1e-5  # where rounding does not decide the direction
        compared += clear.sum()
        assert np.abs(mine.numpy() - (p.numpy() - step))[clear].max(initial=0) < 2e-6
    assert compared > 50


def test_sizes_may_be_numpys():
    history = new().train(Toy("8gaussians"), batch_size=np.int64(16), iterations=np.int64(2), progress=None)
    assert len(history) == 2


def test_clipping_bounds_every_parameter():
    gan = new(WGAN, clip=0.02)
    gan.train(Toy("8gaussians"), batch_size=16, iterations=2, progress=None)
    largest = max(float(p.abs().max()) for p in gan.discriminator.parameters())
    assert largest == pytest.approx(0.02)


def test_batch_norm_separates_real_from_fake():
    critic = nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1D(4), nn.Linear(4, 1))
    gan = WGAN(toy_generator(8), critic)
    real, fake = paddle.randn([8, 2]), paddle.randn([8, 2]) + 5
    apart = gan.score_both(real, fake)
    assert (apart[0].numpy() == critic(real).numpy()).all() and (apart[1].numpy() == critic(fake).numpy()).all()
    without = new(WGAN)
    scores = without.score_both(real, fake)
    assert scores[1].numpy() == pytest.approx(without.discriminator(fake).numpy(), abs=1e-6)


def test_decay_and_generator_batch_size():
    rates, sizes = [], []
    gan = new()
    whole_step, whole_fakes = gan.critic_step, gan.draw_fakes
    gan.critic_step = lambda real, fake, optimizer: (
        rates.append(optimizer.get_lr()) or whole_step(real, fake, optimizer)
    )
    gan.draw_fakes = lambda reals: sizes.extend(real.shape[0] for real in reals) or whole_fakes(reals)
    gan.train(
        Toy("8gaussians"), 16, iterations=4, lr_decay=True, generator_batch_size=24, d_learning_rate=1.0, progress=None
    )
    assert rates == pytest.approx(np.repeat([1, 0.75, 0.5, 0.25], 5))
    assert sizes == [16] * 5 + ([24] + [16] * 5) * 3


def test_foreign_batch_norm_in_the_generator_sees_each_batch_alone():
    norm = nn.BatchNorm1D(4)
    gan = WGAN_GP(nn.Sequential(nn.Linear(2, 4), norm, nn.Linear(4, 2)), toy_critic(8, 2), latent_dim=2)
    seen = []
    norm.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].shape[0]))
    fakes = gan.draw_fakes([paddle.zeros([6, 2])] * 3)
    assert seen == [6, 6, 6] and [fake.shape for fake in fakes] == [[6, 2]] * 3


def test_training_data_of_every_kind_gives_the_same_training():
    array = np.random.default_rng(0).normal(size=(64, 2)).astype("float32")

    class Data(paddle.io.Dataset):
        def __len__(self):
            return 64

        def __getitem__(self, i):
            return array[i], 7

    class Stream(paddle.io.IterableDataset):
        def __iter__(self):
            return iter(array)

    def trained(data):
        gan = new()
        gan.train(data, batch_size=16, iterations=2, progress=None)
        return weights(gan)

    assert (trained(array) == trained(paddle.to_tensor(array))).all()
    assert (trained(array) == trained(Data())).all()
    in_order = [array[i : i + 16] for i in range(0, 64, 16)]
    assert (trained(in_order_loader(array)) == trained(iter(in_order * 3))).all()
    assert (trained(Stream()) == trained(iter(in_order * 3))).all()


def in_order_loader(array):
    return paddle.io.DataLoader(paddle.io.TensorDataset([paddle.to_tensor(array)]), batch_size=16)


def test_same_seed_same_result_other_seed_other_result():
    def trained(seed):
        gan = new()
        gan.train(Toy("swissroll"), batch_size=16, iterations=3, seed=seed, progress=None)
        return weights(gan)

    assert (trained(1) == trained(1)).all()
    assert (trained(1) != trained(2)).any()


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


def test_seconds_do_not_count_callbacks():
    import time

    def slow(gan, iteration, record):
        time.sleep(0.2)

    began = time.time()
    options = {"batch_size": 16, "iterations": 5, "progress": None}
    seconds = new().train(Toy("8gaussians"), callbacks=[slow], **options)["seconds"]
    assert (np.diff(seconds) >= 0).all() and seconds.iloc[-1] < time.time() - began - 0.9


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
    assert "Going on from" in capsys.readouterr().out
    assert (weights(resumed) == weights(whole)).all()


def test_checkpoint_executes_nothing(tmp_path):
    path = tmp_path / "c.npz"
    np.savez(path, about=np.array([print], dtype=object))
    with pytest.raises(InputError, match="not a whole checkpoint"):
        checkpoint.read(path)


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


def test_callbacks_add_columns():
    def callback(gan, iteration, record):
        if iteration % 2:
            record["norm"] = iteration

    history = new().train(Toy("8gaussians"), batch_size=16, iterations=4, callbacks=[callback], progress=None)
    assert history["norm"].dropna().tolist() == [1, 3]


def test_divergence_names_step_quantity_and_checkpoint(tmp_path):
    path = tmp_path / "c.npz"
    new().train(Toy("8gaussians"), batch_size=16, iterations=2, checkpoint=path, progress=None)

    def spoil(gan, iteration, record):
        if iteration == 3:
            gan.discriminator.linears[-1].weight.set_value(np.full((8, 1), np.inf, "float32"))

    with pytest.raises(Diverged, match=r"iteration 4: .*wasserstein_estimate = .*last good checkpoint is .*c\.npz"):
        new().train(Toy("8gaussians"), batch_size=16, iterations=9, checkpoint=path, callbacks=[spoil], progress=None)
    assert checkpoint.read(path)[1]["iteration"] == 2


def test_deadline_stops_with_a_checkpoint(tmp_path):
    path = tmp_path / "c.npz"
    with pytest.raises(BudgetSpent, match="after iteration 1 of 50"):
        new().train(
            Toy("8gaussians"), batch_size=16, iterations=50, checkpoint=path, deadline=time.time(), progress=None
        )
    assert checkpoint.read(path)[1]["iteration"] == 1


NAN = np.ones((50, 2), "float32")
NAN[7, 1] = np.nan


@pytest.mark.parametrize(
    "data, options, words",
    [
        (np.zeros((0, 2)), {}, "train_data is empty"),
        (NAN, {}, r"NaN or infinite values in 1 of 50 samples \(the first is number 7\)"),
        (np.zeros((50, 2, 2)), {}, r"shape \[2, 2\] but the generator makes \[2\]"),
        (np.zeros((50,)), {}, r"shape \[\] but the generator makes \[2\]"),
        (np.zeros((8, 2)), {}, "batch_size is 16 but train_data has 8 samples"),
        (np.array([["a", "b"]] * 50), {}, "give numbers"),
        (7, {}, "train_data is a int"),
        (iter([]), {}, "ended after 0 batches"),
        (iter([NAN]), {}, "batch 0 of train_data has NaN"),
        (np.zeros((50, 2)), {"batch_size": 0}, "batch_size is 0"),
        (np.zeros((50, 2)), {"iterations": 1.5}, "iterations is 1.5"),
        (np.zeros((50, 2)), {"seed": "a"}, "seed is 'a'"),
        (np.zeros((50, 2)), {"optimizer": "sgd"}, "optimizer 'sgd' is unknown"),
    ],
)
def test_unusable_training_data_and_settings(data, options, words):
    with pytest.raises(InputError, match=words):
        new().train(data, **{"batch_size": 16, "iterations": 2, "progress": None} | options)


@pytest.mark.parametrize(
    "options, words",
    [
        ({"lambda_gp": -1}, "lambda_gp is -1"),
        ({"penalty": "both"}, "penalty is 'both'"),
        ({"critic_iters": 0}, "critic_iters is 0"),
    ],
)
def test_unusable_method_settings(options, words):
    with pytest.raises(InputError, match=words):
        new(**options)


def test_memory_does_not_grow():
    import psutil

    gan = new()
    data = Toy("8gaussians")
    gan.train(data, batch_size=64, iterations=40, progress=None)
    before = psutil.Process().memory_info().rss
    gan.train(data, batch_size=64, iterations=200, progress=None)  # 1,000 critic steps
    assert psutil.Process().memory_info().rss - before < 20e6
