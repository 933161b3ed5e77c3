"""The first steps of WGAN-GP with given noise, whose losses must be the same on every device."""

import numpy as np
import paddle

from wgangp.losses import gradient_penalty, wasserstein_critic_loss, wasserstein_generator_loss
from wgangp.networks import cifar, toy
from wgangp.optimizers import Adam

MODELS = {
    "ResNet": (lambda: (cifar.ResNetGenerator(8), cifar.ResNetCritic(8)), 128, (3, 32, 32)),
    "DCGAN": (lambda: (cifar.dcgan_generator(4), cifar.dcgan_critic(4)), 128, (3, 32, 32)),
    "toy": (lambda: (toy.toy_generator(64), toy.toy_critic(64)), 2, (2,)),
}


def losses(name, steps=20, batch=8):
    """Critic and generator losses of alternating steps, [steps, 2]; weights, data and noise from numpy."""
    random = np.random.default_rng(0)

    def tensor(*shape, scale=1.0):
        return paddle.to_tensor((scale * random.standard_normal(shape)).astype("float32"))

    build, latent_dim, shape = MODELS[name]
    generator, critic = build()
    for network in (generator, critic):
        for parameter in network.parameters():
            parameter.set_value(parameter * 0 + tensor(*parameter.shape, scale=0.1) + (parameter.ndim == 1) * 0.5)
    steppers = [Adam(2e-4, 0.5, 0.9, network.parameters()) for network in (generator, critic)]
    found = []
    for _ in range(steps):
        real, z = tensor(batch, *shape), tensor(batch, latent_dim)
        alpha = paddle.to_tensor(random.random((batch, *(1 for _ in shape))).astype("float32"))
        with paddle.no_grad():
            fake = generator(z)
        critic_loss = wasserstein_critic_loss(critic(real), critic(fake))
        critic_loss = critic_loss + 10 * gradient_penalty(critic, real, fake, alpha)
        critic_loss.backward()
        steppers[1].step()
        clear(generator, critic)
        generator_loss = wasserstein_generator_loss(critic(generator(z)))
        generator_loss.backward()
        steppers[0].step()
        clear(generator, critic)
        found.append([float(critic_loss), float(generator_loss)])
    return np.array(found)


def clear(*networks):
    for network in networks:
        network.clear_gradients()
