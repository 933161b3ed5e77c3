"""What is timed: models, and one training iteration of ours, as `BaseGAN.train` makes it."""

from dataclasses import dataclass

import numpy as np

CRITIC_ITERS, LAMBDA = 5, 10.0


@dataclass(frozen=True)
class Model:
    """Networks at a width, and the batches of the critic's and the generator's steps."""

    name: str  # "toy" (3 hidden layers), "Figure 2, ResNet-101", "Figure 3", "Figure 4", "Table 3" or "Table 3, labels"
    dim: int
    batch: int
    generator_batch: int

    @property
    def scaling(self):
        """Of images, as in `wgangp.data.batches.scale`; None for points."""
        return None if self.name == "toy" else "resnet" if self.name.startswith("Table 3") else "dcgan"

    @property
    def adam(self):
        """Step size and decay rates."""
        return (2e-4, 0.0, 0.9) if self.scaling == "resnet" else (1e-4, 0.5, 0.9)

    @property
    def size(self):
        """Of images in pixels."""
        return 64 if self.name in ("Figure 2, ResNet-101", "Figure 4") else 32

    def data(self):
        """Random points [2000, 2] or images [2000, 3, size, size]."""
        rng = np.random.default_rng(0)
        if self.scaling is None:
            return rng.standard_normal((2000, 2), "float32")
        return rng.integers(0, 256, (2000, 3, self.size, self.size)).astype("uint8")


def iteration_of(model, captured=False, device="auto"):
    """A function that trains one iteration.

    Args:
        model: what is trained.
        captured: replay it as a graph where that can be done.
        device: as of `wgangp.runtime.devices.choose`.
    """
    from wgangp.runtime import devices

    devices.choose(device)  # before Paddle is imported
    from wgangp import WGAN_GP, ConditionalWGAN_GP
    from wgangp.data.batches import ScaledImages, as_batches
    from wgangp.networks import cifar, lsun, toy
    from wgangp.optimizers import make_optimizer

    networks = {
        "toy": lambda: (toy.toy_generator(model.dim), toy.toy_critic(model.dim)),
        "Figure 2, ResNet-101": lambda: lsun.pair("resnet101", "layer", model.dim),
        "Figure 3": lambda: (cifar.dcgan_generator(model.dim), cifar.dcgan_critic(model.dim)),
        "Figure 4": lambda: (lsun.DeepGenerator(model.dim, model.size), lsun.DeepCritic(model.dim, model.size)),
        "Table 3": lambda: (cifar.ResNetGenerator(model.dim), cifar.ResNetCritic(model.dim)),
        "Table 3, labels": lambda: (cifar.ResNetGenerator(model.dim, 10), cifar.ResNetCritic(model.dim, 10)),
    }
    method = ConditionalWGAN_GP if model.name == "Table 3, labels" else WGAN_GP
    gan = method(*networks[model.name](), lambda_gp=LAMBDA, critic_iters=CRITIC_ITERS)
    gan.batch_size = model.generator_batch
    data, labels = model.data(), np.arange(2000) % 10 if method is ConditionalWGAN_GP else None
    data = ScaledImages(data, model.scaling, labels) if model.scaling else data
    batches = as_batches(data, model.batch, 0)
    rate, beta1, beta2 = model.adam
    settings = {"optimizer": "adam", "beta1": beta1, "beta2": beta2}
    optimizers = [make_optimizer(network, settings, rate) for network in (gan.generator, gan.discriminator)]

    def step(drawn):
        return gan.iteration(batches, *optimizers, drawn)

    run, count = devices.ReplayedStep(step) if captured else (lambda drawn: step(devices.to_device(drawn))), [0]

    def iteration():
        first = count[0] * CRITIC_ITERS
        count[0] += 1
        return run([batches.draw(first + i) for i in range(CRITIC_ITERS)])

    return iteration
