import time

import numpy as np
import paddle
import pandas as pd
import pytest
from paddle import nn

from wgangp import DCGAN, LSGAN, WGAN, WGAN_GP, Callback, Diverged, InputError
from wgangp.data.toy import Toy
from wgangp.errors import BudgetSpent
from wgangp.losses import interpolate
from wgangp.network_state import frozen
from wgangp.networks.toy import toy_critic, toy_generator
from wgangp.runtime import checkpoint

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
    from wgangp.training import seed_everything

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
    whole_step, whole_fakes = gan.critic_step, gan.in_batches
    gan.critic_step = lambda real, fake, optimizer: (
        rates.append(optimizer.get_lr()) or whole_step(real, fake, optimizer)
    )
    gan.in_batches = lambda batch_sizes, *z: sizes.extend(batch_sizes) or whole_fakes(batch_sizes, *z)
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


def test_a_step_that_was_interrupted_leaves_no_gradient(tmp_path):
    """Ctrl-C between the critic's backward pass and its step."""
    options = {"batch_size": 16, "iterations": 4, "progress": None}
    whole, gan = new(), new()
    whole.train(Toy("8gaussians"), **options)
    true_backward, calls = gan.critic_backward, []

    def backward(real, fake):
        losses = true_backward(real, fake)
        calls.append(1)
        if len(calls) == 7:
            raise KeyboardInterrupt
        return losses

    gan.critic_backward = backward
    with pytest.raises(KeyboardInterrupt):
        gan.train(Toy("8gaussians"), checkpoint=tmp_path / "c.npz", **options)
    assert any(p.grad is not None for p in gan.discriminator.parameters())
    gan.train(Toy("8gaussians"), checkpoint=tmp_path / "c.npz", **options)
    assert (weights(gan) == weights(whole)).all()


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


def test_a_clock_set_back_stops_no_checkpoint(tmp_path, monkeypatch):
    hours = iter(range(10**6, 0, -1))
    monkeypatch.setattr(time, "time", lambda: 3600.0 * next(hours))
    seen = []

    def look(gan, iteration, losses):
        seen.append(checkpoint.read(tmp_path / "c.npz")[1]["iteration"])

    options = {"checkpoint": tmp_path / "c.npz", "checkpoint_seconds": 0, "callbacks": [look], "progress": None}
    seconds = new().train(Toy("8gaussians"), batch_size=16, iterations=4, **options)["seconds"]
    assert seen == [0, 1, 2, 3]
    assert (np.diff(seconds) >= 0).all() and 0 <= seconds.iloc[-1] < 60


def test_seconds_do_not_count_callbacks():
    import time

    def slow(gan, iteration, losses):
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
    assert "Resuming from" in capsys.readouterr().out
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
    def callback(gan, iteration, losses):
        if iteration % 2:
            return {"norm": iteration}

    history = new().train(Toy("8gaussians"), batch_size=16, iterations=4, callbacks=[callback], progress=None)
    assert history["norm"].dropna().tolist() == [1, 3]


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


@pytest.mark.parametrize("value", ["good", b"1", None, [1, 2], np.zeros(3), 1j])
def test_what_is_no_number_in_a_record_is_refused_at_its_callback(value, tmp_path):
    def callback(gan, iteration, losses):
        if iteration == 2:
            return {"verdict": value}

    with pytest.raises(InputError, match="a callback returned .* as 'verdict'"):
        new().train(
            Toy("8gaussians"),
            batch_size=16,
            iterations=4,
            checkpoint=tmp_path / "c.npz",
            callbacks=[callback],
            progress=None,
        )


def test_numbers_of_any_kind_in_a_record_are_the_same_after_resuming(tmp_path):
    def callback(gan, iteration, losses):
        return {"a": np.float32(iteration), "b": np.array([iteration]), "c": paddle.to_tensor(2.0), "d": True}

    options = {"batch_size": 16, "callbacks": [callback], "progress": None}
    whole = new().train(Toy("8gaussians"), iterations=4, **options)
    new().train(Toy("8gaussians"), iterations=2, checkpoint=tmp_path / "c.npz", **options)
    history = new().train(Toy("8gaussians"), iterations=4, checkpoint=tmp_path / "c.npz", **options)
    names = ["a", "b", "c", "d"]
    pd.testing.assert_frame_equal(history[names], whole[names])
    assert whole["b"].tolist() == [0, 1, 2, 3]


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
        (np.zeros((50, 2)), {"iterations": True}, "iterations is True; use an integer of at least 1"),
        (np.zeros((50, 2)), {"seed": "a"}, "seed is 'a'"),
        (np.zeros((50, 2)), {"seed": 2**64}, "seed is 18446744073709551616"),
        (np.zeros((50, 2)), {"optimizer": "sgd"}, "optimizer 'sgd' is unknown"),
        (np.zeros((50, 2)), {"optimizer": ""}, "optimizer '' is unknown"),
        (np.zeros((50, 2)), {"g_learning_rate": 0}, "g_learning_rate is 0; use a finite number above 0"),
        (np.zeros((50, 2)), {"d_learning_rate": -1e-4}, "d_learning_rate is -0.0001"),
        (np.zeros((50, 2)), {"d_learning_rate": float("nan")}, "d_learning_rate is nan"),
        (np.zeros((50, 2)), {"g_learning_rate": "1e-4"}, "g_learning_rate is '1e-4'"),
        (np.zeros((50, 2)), {"g_learning_rate": np.array([1e-4, 1])}, r"g_learning_rate is array\("),
        (np.zeros((50, 2)), {"beta1": 1.0}, "beta1 is 1.0; use a finite number of at least 0 and below 1"),
        (np.zeros((50, 2)), {"beta2": -0.1}, "beta2 is -0.1"),
        (np.zeros((50, 2)), {"beta2": 1.5, "optimizer": "rmsprop"}, "beta2 is 1.5"),
        (np.zeros((50, 2)), {"generator_batch_size": 0}, "generator_batch_size is 0"),
        (np.zeros((50, 2)), {"generator_batch_size": 2.5}, "generator_batch_size is 2.5"),
        (np.zeros((50, 2)), {"d_weight_decay": -0.1}, "d_weight_decay is -0.1"),
        (np.zeros((50, 2)), {"d_weight_decay": "0.1"}, "d_weight_decay is '0.1'"),
        (np.zeros((50, 2)), {"checkpoint_seconds": float("inf")}, "checkpoint_seconds is inf"),
        (np.zeros((50, 2)), {"deadline": "noon"}, "deadline is 'noon'; use a finite number."),
        (np.zeros((50, 2)), {"checkpoint": 5}, "'5' cannot be a checkpoint"),
        (np.zeros((50, 2)), {"checkpoint": ""}, "'' cannot be a checkpoint"),
        (np.zeros((50, 2)), {"lr_decay": "no"}, "lr_decay is 'no'; use True or False"),
        (np.zeros((50, 2)), {"callbacks": print}, "give a list of functions"),
        (np.zeros((50, 2)), {"callbacks": ["print"]}, "'print' is no callback"),
    ],
)
def test_unusable_training_data_and_settings(data, options, words):
    with pytest.raises(InputError, match=words):
        new().train(data, **{"batch_size": 16, "iterations": 2, "progress": None} | options)


@pytest.mark.parametrize("every", [0, 1.5, "2", None])
def test_a_callback_s_every_is_checked(every):
    with pytest.raises(InputError, match="every is"):
        Callback(print, every)


def test_a_callback_is_called_after_every_so_many_iterations():
    calls = []
    callback = Callback(lambda gan, iteration, losses: calls.append((iteration, sorted(losses))), every=3)
    history = new().train(Toy("8gaussians"), batch_size=16, iterations=7, callbacks=[callback], progress=None)
    assert calls == [(i, sorted(history)) for i in (2, 5)]


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


class Gives(nn.Layer):
    """A network that gives something made of its output."""

    latent_dim = 2

    def __init__(self, network, make):
        super().__init__()
        self.network, self.make = network, make

    def forward(self, x):
        return self.make(self.network(x))


@pytest.mark.parametrize(
    "of_generator, of_critic, words",
    [
        (lambda x: (x, x), None, "the generator gives a tuple for 2 latent vectors"),
        (lambda x: {"x": x}, None, "the generator gives a dict"),
        (lambda x: x.mean(), None, r"the generator gives shape \[\]"),
        (lambda x: x.no_such_method(), None, "the generator cannot take latent vectors .*no_such_method"),
        (None, lambda x: (x, x), "the critic gives a tuple for 2 samples"),
        (None, lambda x: x[:, :, :, 0], "does not fit the critic"),
    ],
)
def test_networks_that_give_something_else_are_refused(of_generator, of_critic, words):
    generator, critic = toy_generator(8, 2), toy_critic(8, 2)
    with pytest.raises(InputError, match=words):
        WGAN(
            Gives(generator, of_generator) if of_generator else generator,
            Gives(critic, of_critic) if of_critic else critic,
        )


def test_other_precisions_are_refused(float64):
    with pytest.raises(InputError, match=r"are float64; training is in float32: call paddle.set_default_dtype"):
        new()
    paddle.set_default_dtype("float32")
    gan = new()
    gan.discriminator.to(dtype="float64")
    with pytest.raises(InputError, match="are float64"):
        gan.train(Toy("8gaussians"), batch_size=16, iterations=1, progress=None)


def test_data_in_float64_are_trained_on_in_float32():
    array = np.random.default_rng(0).normal(size=(64, 2))

    def trained(data):
        gan = new()
        gan.train(data, batch_size=16, iterations=2, progress=None)
        return weights(gan)

    expected = trained(array.astype("float32"))
    in_order = [array[i : i + 16] for i in range(0, 64, 16)]
    assert (trained(array) == expected).all()
    assert (trained(iter(in_order * 3)) == trained(iter([batch.astype("float32") for batch in in_order * 3]))).all()


@pytest.mark.parametrize("last, low, high", [(nn.Tanh(), -1, 1), (nn.Sigmoid(), 0, 1)])
def test_images_out_of_the_generators_range_get_a_warning(last, low, high, recwarn):
    generator = nn.Sequential(nn.Linear(8, 12), last, nn.Unflatten(1, [3, 2, 2]))
    critic = nn.Sequential(nn.Conv2D(3, 1, 2), nn.Unflatten(1, [1]))
    gan = WGAN(generator, Gives(critic, lambda x: x.reshape([-1, 1])), latent_dim=8)
    options = {"batch_size": 16, "iterations": 1, "progress": None}
    images = np.random.default_rng(0).integers(0, 256, [32, 3, 2, 2]).astype("float32")
    gan.train(low + (high - low) * images / 255, **options)
    assert not recwarn
    with pytest.warns(
        UserWarning, match=rf"values from \d+ to 2\d\d, but the generator ends in a \w+, .*{low} and {high}"
    ):
        gan.train(images, **options)


@pytest.mark.parametrize("method, told", [(WGAN_GP, True), (WGAN, True), (DCGAN, True), (LSGAN, False)])
def test_a_critic_with_bounded_scores_gets_a_warning(method, told, recwarn):
    method(toy_generator(8, 2), nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1)))
    assert not recwarn
    method(toy_generator(8, 2), nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1), nn.Sigmoid()))
    assert [str(w.message)[:40] for w in recwarn] == ["the critic ends in a sigmoid, which boun"] * told


def test_memory_does_not_grow():
    import psutil

    gan = new()
    data = Toy("8gaussians")
    gan.train(data, batch_size=64, iterations=40, progress=None)
    before = psutil.Process().memory_info().rss
    gan.train(data, batch_size=64, iterations=200, progress=None)  # 1,000 critic steps
    assert psutil.Process().memory_info().rss - before < 20e6


@pytest.mark.parametrize("layer", [nn.LSTM, nn.GRU, nn.SimpleRNN, None])
def test_frozen_critics_pass_the_gradient_on_and_take_none(layer):
    class Critic(nn.Layer):
        def __init__(self):
            super().__init__()
            self.inner = layer(2, 3, num_layers=2, direction="bidirect") if layer else nn.Linear(2, 6)
            self.linear = nn.Linear(6, 1)

        def forward(self, x):
            y = self.inner(x)
            return self.linear(y[0] if layer else y.tanh()).mean([1, 2])

    critic, generator = Critic(), nn.Linear(4, 2)
    z = paddle.randn([5, 3, 4])
    critic(generator(z)).sum().backward()
    expected = generator.weight.grad.numpy().copy()
    generator.clear_gradients(), critic.clear_gradients(False)
    with frozen(critic):
        loss = critic(generator(z)).sum()
    loss.backward()
    np.testing.assert_array_equal(generator.weight.grad, expected)
    assert np.abs(expected).max() > 0
    assert not any(p.grad is not None and p.grad.numpy().any() for p in critic.parameters())
    critic(z[:, :, :2]).sum().backward()  # it can be trained again
    assert all(p.grad is not None and not p.stop_gradient for p in critic.parameters())


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


class QuadraticCritic(nn.Layer):
    """D(x) = w |x|^2 / 2, whose gradients are short to write out: the norm at x is |w| |x|."""

    def __init__(self):
        super().__init__()
        self.w, self.asked = self.create_parameter([1], default_initializer=nn.initializer.Constant(0.7)), []

    def forward(self, x):
        return self.w * x.square().sum(1) / 2

    def loss_gradients(self, real, fake, loss_of_heads, penalty_of, labelled):
        self.asked.append(labelled)
        lengths = interpolate(real, fake).square().sum(1).sqrt()
        loss, penalty = loss_of_heads(self(real), self(fake)), penalty_of(self.w.abs() * lengths)
        slope = ((fake.square().sum(1) - real.square().sum(1)) / 2).mean()
        slope += 10 * (2 * (self.w * lengths - 1) * lengths).mean()
        return loss, penalty, [slope.reshape([1])]


class LeavesThemToPaddle(QuadraticCritic):
    def loss_gradients(self, *_):
        self.asked.append(1)


class HasNone(QuadraticCritic):
    loss_gradients = property()  # as if it were not there


def trained_with(critic, **options):
    paddle.seed(0)
    gan = WGAN_GP(toy_generator(8, 2), critic)
    history = gan.train(Toy("8gaussians"), batch_size=16, iterations=6, progress=None, **options)
    return gan, history.drop(columns="seconds").to_numpy()[1:]


def test_a_critics_own_gradients_train_like_paddles():
    own, history = trained_with(QuadraticCritic(), d_learning_rate=1e-2)
    expected, expected_history = trained_with(HasNone(), d_learning_rate=1e-2)
    assert own.discriminator.asked == [False] * 30 and abs(own.discriminator.w.item() - 0.7) > 0.01
    assert own.discriminator.w.item() == pytest.approx(expected.discriminator.w.item(), rel=1e-4)
    np.testing.assert_allclose(history, expected_history, rtol=2e-3, atol=1e-5)


def test_a_critic_that_leaves_its_gradients_to_paddle_draws_the_same_numbers():
    asked, history = trained_with(LeavesThemToPaddle())
    plain, expected = trained_with(HasNone())
    assert len(asked.discriminator.asked) == 30
    assert (weights(asked) == weights(plain)).all() and (history == expected).all()
