"""Training on the device: the CPU's losses, captured steps, resuming, memory."""

import first_steps
import numpy as np
import paddle
import pytest

import paddle_aten
from reproduction import doctor
from wgangp import WGAN, WGAN_GP, ConditionalWGAN_GP, losses, network_checks
from wgangp.data.batches import ScaledImages
from wgangp.data.toy import Toy
from wgangp.errors import BudgetSpent
from wgangp.layers import use_channels_last
from wgangp.networks import cifar, mnist, toy
from wgangp.runtime import devices


@pytest.mark.parametrize("name", first_steps.MODELS)
def test_twenty_steps_have_the_cpus_losses(name, on_the_cpu):
    ours, theirs = doctor.train(*first_steps.MODELS[name]), on_the_cpu[name]
    assert doctor.largest_difference(ours, theirs) < (doctor.TOLERANCE if name == "ResNet" else 2e-4)
    assert (np.abs(ours[0] - theirs[0]) < 1e-5 * np.abs(theirs).max(axis=0)).all()


@pytest.mark.parametrize("name", first_steps.MODELS)
def test_gradients_of_the_losses_are_the_cpus(name, on_the_cpu):
    ours, theirs = first_steps.gradients(name), on_the_cpu[f"{name}/gradients"]
    assert ours.shape == theirs.shape and np.linalg.norm(ours - theirs) < 1e-9 * np.linalg.norm(theirs)


def test_inceptions_features_are_the_cpus(on_the_cpu):
    ours, theirs = first_steps.features(), on_the_cpu["Inception"]
    assert ours.shape == (2, 140) and ours.std() > 0.1
    assert np.linalg.norm(ours - theirs) < 1e-5 * np.linalg.norm(theirs)


@pytest.mark.parametrize("penalty", ["two-sided", "one-sided"])
@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("name", ["ResNet", "AC-GAN", "DCGAN", "digits"])
def test_gradients_by_hand_are_autograds(name, channels_last, penalty, float64, monkeypatch):
    noise, classes = doctor.Noise("float64"), 10 if name == "AC-GAN" else None
    generator, critic = {
        "DCGAN": lambda: (cifar.dcgan_generator(4), cifar.dcgan_critic(4)),
        "digits": lambda: (mnist.mnist_generator(4), mnist.mnist_critic(4)),
    }.get(name, lambda: (cifar.ResNetGenerator(8, classes), cifar.ResNetCritic(8, classes)))()
    noise.networks(lambda: [generator, critic])
    monkeypatch.setattr(
        network_checks, "check_precision", lambda *_: None
    )  # `.train` is in float32; here are single steps
    gan = (ConditionalWGAN_GP if classes else WGAN_GP)(generator, critic, penalty=penalty)
    if channels_last:
        use_channels_last(critic)
    real, fake = (noise.normal(6, *gan.sample_shape) for _ in range(2))
    batch = (real, paddle.to_tensor([0, 3, 9, 3, 1, 7])) if classes else real
    norms = losses.gradient_norms(critic, real, create_graph=False)
    score = critic.linear if name in ("DCGAN", "digits") else critic.score
    score.weight.set_value(score.weight / norms.mean())  # some norms above 1, some below

    def found():
        paddle.seed(0)
        loss, parts = gan.critic_backward(batch, fake)
        gradients = [parameter.grad.numpy() for parameter in critic.parameters()]
        gan.clear_gradients()
        return {name: part.numpy() for name, part in parts.items()} | {"critic_loss": loss.numpy()}, gradients

    monkeypatch.setattr(devices, "on_gpu", lambda: True)  # where those of convolutions alone are used
    assert critic.loss_gradients(real, fake, None, None, labelled=not classes) is None
    parts, gradients = found()
    asked = []
    monkeypatch.setattr(type(critic), "loss_gradients", lambda *_: asked.append(1))  # and returns None
    expected_parts, expected = found()
    assert asked and 0 < parts["gradient_penalty"] and parts.keys() == expected_parts.keys()
    assert len(gradients) == len(expected) == len(critic.parameters())
    for a, b in zip([*parts.values(), *gradients], [*expected_parts.values(), *expected], strict=True):
        assert np.abs(a - b).max() < 1e-12 * np.abs(b).max() + 1e-14


def images(n=64, labels=False):
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (n, 3, 32, 32)).astype("uint8")
    return ScaledImages(pixels, "resnet", random.integers(0, 10, n) if labels else None)


CASES = {
    "ResNet": lambda: (WGAN_GP(cifar.ResNetGenerator(8), cifar.ResNetCritic(8)), images(), 8),
    "AC-GAN": lambda: (
        ConditionalWGAN_GP(cifar.ResNetGenerator(8, 10), cifar.ResNetCritic(8, 10)),
        images(labels=True),
        8,
    ),
    "DCGAN nets": lambda: (WGAN_GP(cifar.dcgan_generator(4), cifar.dcgan_critic(4)), images(), 8),
    "toy, clipping, RMSProp": lambda: (WGAN(toy.toy_generator(32), toy.toy_critic(32)), Toy("8gaussians"), 32),
}


@pytest.fixture
def deterministic():
    paddle_aten.set_deterministic(True)
    yield
    paddle_aten.set_deterministic(False)


def trained(name, **options):
    """Weights and history after 12 iterations."""
    paddle.seed(0)
    gan, data, batch_size = CASES[name]()
    options = {"iterations": 12, "lr_decay": True, "seed": 3, "progress": None} | options
    history = gan.train(data, batch_size=batch_size, **options)
    networks = (gan.generator, gan.discriminator)
    weights = np.concatenate([p.numpy().ravel() for network in networks for p in network.parameters()])
    return weights, history.drop(columns="seconds")


@pytest.mark.parametrize("name", CASES)
def test_captured_equals_step_by_step_bit_for_bit(name, deterministic, monkeypatch):
    captured, history = trained(name)
    monkeypatch.setattr(devices.ReplayedStep, "FIRST", 1000)
    stepped, expected = trained(name)
    assert (captured == stepped).all() and history.equals(expected)
    assert len(set(history["critic_loss"])) == len(history)


@pytest.mark.parametrize("name", CASES)
def test_a_run_stopped_and_resumed_ends_like_an_uninterrupted_one(name, deterministic, tmp_path):
    whole, expected = trained(name)
    path = tmp_path / "checkpoint.npz"

    class Clock(float):  # the deadline passes in the seventh iteration
        calls = 0

        def __lt__(self, now):
            Clock.calls += 1
            return Clock.calls == 7

    with pytest.raises(BudgetSpent):
        trained(name, checkpoint=path, deadline=Clock())
    resumed, history = trained(name, checkpoint=path)
    assert (whole == resumed).all() and history.equals(expected[history.columns])


def test_without_a_gpu_the_device_computes_on_the_cpu_where_it_is_named():
    if paddle_aten.is_cuda():
        pytest.skip("there is a GPU")
    assert devices.available_devices() == ["cpu", "aten"] and devices.computes_on_cpu("aten")
    described = devices.choose("aten")
    assert described.startswith(devices.describe_cpu()) and "paddle_aten" in described


def test_ten_thousand_captured_iterations_without_growth():
    if not paddle_aten.is_cuda():
        pytest.skip("captured graphs need a CUDA GPU")
    import psutil
    import torch

    gan = WGAN_GP(toy.toy_generator(64), toy.toy_critic(64))
    gan.train(Toy("8gaussians"), batch_size=64, iterations=500, progress=None)
    before, host = torch.cuda.memory_allocated(), psutil.Process().memory_info().rss
    gan.train(Toy("8gaussians"), batch_size=64, iterations=10_000, progress=None)
    assert torch.cuda.memory_allocated() - before < 5e6
    assert psutil.Process().memory_info().rss - host < 50e6
