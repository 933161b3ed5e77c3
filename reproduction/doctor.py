"""Twenty training steps of a small model, which must come out the same on every device."""

import os
from collections.abc import Callable

import numpy as np
import paddle

from wgangp.errors import InputError, plain_cause, plain_message
from wgangp.losses import gradient_penalty, wasserstein_critic_loss, wasserstein_generator_loss
from wgangp.networks import cifar
from wgangp.optimizers import Adam
from wgangp.runtime import devices

# Float32 rounds to 6e-8, and the losses on ATen's kernels for the CPU differ by 5e-7 from those on Paddle's; the fast
# convolutions of a GPU may round a hundred times worse. TF32 makes 4e-4, a penalty whose gradient is 1 % wrong 3e-4.
TOLERANCE = 1e-4


class Noise:
    """Weights, data and noise from numpy: Paddle's random numbers differ from device to device.

    Args:
        dtype: of all tensors, "float32" or "float64".
    """

    def __init__(self, dtype: str):
        self.dtype, self.random = dtype, np.random.default_rng(0)

    def normal(self, *shape: int, scale: float = 1.0) -> paddle.Tensor:
        """Normal numbers of this standard deviation."""
        return paddle.to_tensor((scale * self.random.standard_normal(shape)).astype(self.dtype))

    def uniform(self, *shape: int) -> paddle.Tensor:
        """Numbers in [0, 1)."""
        return paddle.to_tensor(self.random.random(shape).astype(self.dtype))

    def networks(self, build: Callable) -> list[paddle.nn.Layer]:
        """Networks with new weights: normal, of standard deviation 0.1, around 0.5 in vectors and 0 elsewhere."""
        networks = [network.to(dtype=self.dtype) for network in build()]
        for network in networks:
            for parameter in network.parameters():
                parameter.set_value(self.normal(*parameter.shape, scale=0.1) + (parameter.ndim == 1) * 0.5)
        return networks


def resnets() -> tuple[paddle.nn.Layer, paddle.nn.Layer]:
    """The generator and the critic of Table 3 with 8 in place of 128 channels."""
    return cifar.ResNetGenerator(8), cifar.ResNetCritic(8)


def critic_loss(
    critic: paddle.nn.Layer, real: paddle.Tensor, fake: paddle.Tensor, alpha: paddle.Tensor
) -> paddle.Tensor:
    """The critic's loss with given positions of the penalty (Eq. 3)."""
    loss = wasserstein_critic_loss(critic(real), critic(fake))
    return loss + 10 * gradient_penalty(critic, real, fake, alpha)


def train(
    build: Callable = resnets,
    latent_dim: int = 128,
    sample_shape: tuple[int, ...] = (3, 32, 32),
    steps: int = 20,
    batch_size: int = 8,
) -> np.ndarray:
    """Alternating steps of the critic and the generator in float32, on the current device.

    Args:
        build: makes the generator and the critic.
        latent_dim: length of the latent vectors.
        sample_shape: of a sample, without the batch's axis.
        steps: of each network.
        batch_size: samples per step.

    Returns:
        The losses of critic and generator, [steps, 2].
    """
    noise = Noise("float32")
    generator, critic = noise.networks(build)
    g_optimizer, d_optimizer = (Adam(2e-4, 0.5, 0.9, network.parameters()) for network in (generator, critic))

    def step(loss, optimizer):
        loss.backward()
        optimizer.step()
        generator.clear_gradients(), critic.clear_gradients()
        return float(loss)

    losses = []
    for _ in range(steps):
        real, z = noise.normal(batch_size, *sample_shape), noise.normal(batch_size, latent_dim)
        alpha = noise.uniform(batch_size, *(1 for _ in sample_shape))
        with paddle.no_grad():
            fake = generator(z)
        d_loss = step(critic_loss(critic, real, fake, alpha), d_optimizer)
        losses.append([d_loss, step(wasserstein_generator_loss(critic(generator(z))), g_optimizer)])
    return np.array(losses)


def largest_difference(losses: np.ndarray, expected: np.ndarray) -> float:
    """The largest difference of losses, relative to the largest expected loss of the same network.

    Args:
        losses, expected: as `train` returns them.

    Returns:
        The difference; infinite where a loss is not finite.
    """
    differences = (np.abs(losses - expected) / np.abs(expected).max(axis=0)).max()
    return float(differences) if np.isfinite(differences) else np.inf


def check(device: str = "auto") -> str:
    """Hold what a device computes to what the CPU computes.

    Args:
        device: as of `devices.choose`; it computes in full float32, without TF32.

    Returns:
        One line that says by how much they differ.

    Raises:
        InputError: the device is not there, cannot compute this, or differs by more than TOLERANCE.
    """
    os.environ["NVIDIA_TF32_OVERRIDE"] = "0"  # for Paddle's own GPU build, where `choose` does not forbid TF32
    descriptions, losses = [], []
    for name in (device, "cpu"):
        descriptions.append(devices.choose(name, tf32=False))
        try:
            losses.append(train())
        except (RuntimeError, ValueError) as error:
            raise InputError(
                f"{descriptions[-1]} cannot train a small model: {plain_message(error)}."
            ) from plain_cause(error)
    difference = largest_difference(*losses)
    if difference > TOLERANCE:
        raise InputError(
            f"{descriptions[0]} computes otherwise than the CPU: in 20 steps of a small model the losses differ by "
            f"{difference:.1e} of their size, where rounding makes less than {TOLERANCE:.0e}; use another device, or "
            "other versions of its driver and libraries."
        )
    return f"PASS: largest relative difference {difference:.1e} (at most {TOLERANCE:.0e}), {descriptions[0]}"
