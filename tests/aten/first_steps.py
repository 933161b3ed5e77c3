"""The first steps of WGAN-GP with given noise, and Inception's features, which must be the same on every device.

python tests/aten/first_steps.py FOLDER writes what Paddle's own CPU kernels give, for $PADDLE_ATEN_REFERENCES on
machines where they do not run.
"""

import sys
from pathlib import Path

import wgangp  # noqa: F401  isort: skip (before paddle: it sets what MKL reads)

import numpy as np
import paddle

from reproduction import doctor
from wgangp.losses import wasserstein_generator_loss
from wgangp.metrics.inception import Inception
from wgangp.metrics.inception_weights import LAYERS
from wgangp.networks import cifar, toy

MODELS = {  # arguments of doctor.train
    "ResNet": (doctor.resnets, 128, (3, 32, 32)),
    "DCGAN": (lambda: (cifar.dcgan_generator(4), cifar.dcgan_critic(4)), 128, (3, 32, 32)),
    "toy": (lambda: (toy.toy_generator(64), toy.toy_critic(64)), 2, (2,)),
}


def gradients(name, batch=4):
    """Gradients of the critic's and the generator's first losses, float64, in one array."""
    noise = doctor.Noise("float64")
    build, latent_dim, shape = MODELS[name]
    generator, critic = noise.networks(build)
    real, z = noise.normal(batch, *shape), noise.normal(batch, latent_dim)
    alpha = noise.uniform(batch, *(1 for _ in shape))
    fake = generator(z)
    loss = doctor.critic_loss(critic, real, fake.detach(), alpha)
    found = paddle.grad(loss, critic.parameters(), allow_unused=True)
    found += paddle.grad(wasserstein_generator_loss(critic(fake)), generator.parameters())
    return np.concatenate([g.numpy().ravel() for g in found if g is not None])


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


def write(folder):
    """Write first_steps.npz into a folder."""
    paddle.set_device("cpu")
    Path(folder).mkdir(parents=True, exist_ok=True)
    found = {name: doctor.train(*model) for name, model in MODELS.items()}
    found |= {f"{name}/gradients": gradients(name) for name in MODELS}
    np.savez(Path(folder, "first_steps.npz"), **found, Inception=features())


if __name__ == "__main__":
    write(sys.argv[1])
