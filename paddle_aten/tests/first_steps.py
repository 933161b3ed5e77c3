"""The first steps of WGAN-GP with given noise, and Inception's features, which must be the same on every device."""

import numpy as np
import paddle

from wgangp.losses import gradient_penalty, wasserstein_critic_loss, wasserstein_generator_loss
from wgangp.metrics.inception import Inception
from wgangp.metrics.inception_weights import LAYERS
from wgangp.networks import cifar, toy
from wgangp.optimizers import Adam

MODELS = {
    "ResNet": (lambda: (cifar.ResNetGenerator(8), cifar.ResNetCritic(8)), 128, (3, 32, 32)),
    "DCGAN": (lambda: (cifar.dcgan_generator(4), cifar.dcgan_critic(4)), 128, (3, 32, 32)),
    "toy": (lambda: (toy.toy_generator(64), toy.toy_critic(64)), 2, (2,)),
}


class Noise:
    """Weights, data and noise from numpy, so that every device has the same."""

    def __init__(self, dtype):
        self.dtype, self.random = dtype, np.random.default_rng(0)

    def normal(self, *shape, scale=1.0):
        return paddle.to_tensor((scale * self.random.standard_normal(shape)).astype(self.dtype))

    def uniform(self, *shape):
        return paddle.to_tensor(self.random.random(shape).astype(self.dtype))

    def networks(self, build):
        networks = [network.to(dtype=self.dtype) for network in build()]
        for network in networks:
            for parameter in network.parameters():
                parameter.set_value(self.normal(*parameter.shape, scale=0.1) + (parameter.ndim == 1) * 0.5)
        return networks


def critic_loss(critic, real, fake, alpha):
    loss = wasserstein_critic_loss(critic(real), critic(fake))
    return loss + 10 * gradient_penalty(critic, real, fake, alpha)


def gradients(name, batch=4):
    """Gradients of the critic's and the generator's first losses, float64, in one array."""
    noise = Noise("float64")
    build, latent_dim, shape = MODELS[name]
    generator, critic = noise.networks(build)
    real, z = noise.normal(batch, *shape), noise.normal(batch, latent_dim)
    alpha = noise.uniform(batch, *(1 for _ in shape))
    fake = generator(z)
    found = paddle.grad(critic_loss(critic, real, fake.detach(), alpha), critic.parameters(), allow_unused=True)
    found += paddle.grad(wasserstein_generator_loss(critic(fake)), generator.parameters())
    return np.concatenate([g.numpy().ravel() for g in found if g is not None])


def losses(name, steps=20, batch=8):
    """Critic and generator losses of alternating steps, float32, [steps, 2]."""
    noise = Noise("float32")
    build, latent_dim, shape = MODELS[name]
    generator, critic = noise.networks(build)
    steppers = [Adam(2e-4, 0.5, 0.9, network.parameters()) for network in (generator, critic)]
    found = []
    for _ in range(steps):
        real, z = noise.normal(batch, *shape), noise.normal(batch, latent_dim)
        alpha = noise.uniform(batch, *(1 for _ in shape))
        with paddle.no_grad():
            fake = generator(z)
        first = critic_loss(critic, real, fake, alpha)
        first.backward()
        steppers[1].step()
        clear(generator, critic)
        generator_loss = wasserstein_generator_loss(critic(generator(z)))
        generator_loss.backward()
        steppers[0].step()
        clear(generator, critic)
        found.append([float(first), float(generator_loss)])
    return np.array(found)


def features():
    """Features and probabilities of two images by an Inception with a sixteenth of the channels, [2, 140]."""
    random, arrays = np.random.default_rng(0), {}
    for name, _, (out, channels, *kernel) in LAYERS:
        shape = (out // 16, 3 if channels == 3 else channels // 16, *kernel)
        arrays[f"{name}/weight"] = random.standard_normal(shape) * np.sqrt(2 / np.prod(shape[1:]))
        arrays[f"{name}/bias"] = random.standard_normal(shape[0]) * 0.1
    arrays["softmax/weight"] = random.standard_normal((12, 128)) * 0.1
    network = Inception({name: array.astype("float32") for name, array in arrays.items()})
    images = random.integers(0, 256, (2, 3, 32, 32)).astype("uint8")
    (found,) = network.features(images, ["2048", "probabilities"])
    return np.concatenate(found, axis=1)


def clear(*networks):
    for network in networks:
        network.clear_gradients()
