"""What a generator and a critic must be before they can train together."""

import re
import warnings
from typing import Any

import numpy as np
import paddle

from wgangp.errors import InputError, plain_cause, plain_message

RANGES = {  # of the values of functions at a network's end
    "tanh": (-1, 1),
    "sigmoid": (0, 1),
    "hardsigmoid": (0, 1),
    "softmax": (0, 1),
}


def check_layers(generator: paddle.nn.Layer, critic: paddle.nn.Layer) -> None:
    """Refuse what is no network, and a critic without anything to train.

    Raises:
        InputError: which of the two, and why.
    """
    for name, network in (("generator", generator), ("discriminator", critic)):
        if not isinstance(network, paddle.nn.Layer):
            kind = network.__name__ if isinstance(network, type) else type(network).__name__
            raise InputError(f"the {name} is {kind}; give a network, an instance of paddle.nn.Layer.")
    if all(parameter.stop_gradient for parameter in critic.parameters()):
        raise InputError("the critic has no parameters to train; give it some, or let them have gradients.")


def check_fit(gan: Any) -> tuple[paddle.Tensor, str]:
    """Draw two samples and score them, to find out whether the networks fit each other.

    Args:
        gan: a `BaseGAN`.

    Returns:
        Both samples, [2, ...], and the function at the generator's end, as of `last_function`.

    Raises:
        InputError: the generator does not take latent vectors or passes no gradient on to its parameters, or the critic
            does not take its samples or does not give one score for each.
    """
    try:
        with paddle.enable_grad():
            fake = gan.draw(2)
    except Exception as error:
        raise InputError(
            f"the generator cannot take latent vectors of shape [2, {gan.latent_dim}]: {plain_message(error)}."
        ) from plain_cause(error)
    if not isinstance(fake, paddle.Tensor) or fake.shape[:1] != [2]:
        raise InputError(
            f"the generator gives {_shape_in_words(fake)} for 2 latent vectors; it must give one tensor of "
            "samples, [2, ...]."
        )
    if fake.stop_gradient and not all(parameter.stop_gradient for parameter in gan.generator.parameters()):
        raise InputError(
            "the generator's samples have no gradient by its parameters; leave detach and no_grad out of it."
        )
    try:
        scores = gan.discriminator(fake.detach())
    except Exception as error:
        raise InputError(
            f"the generator's output, of shape {list(fake.shape)}, does not fit the critic: {plain_message(error)}."
        ) from plain_cause(error)
    if not isinstance(scores, paddle.Tensor) or scores.shape not in ([2], [2, 1]):
        raise InputError(
            f"the critic gives {_shape_in_words(scores)} for 2 samples; it must give one score per sample, "
            "shape [2, 1] or [2]."
        )
    for what, values in (("generator's samples", fake), ("critic's scores", scores)):
        kind, wanted = str(values.dtype).removeprefix("paddle."), paddle.get_default_dtype()
        if kind != wanted:
            raise InputError(f"the {what} are {kind}; they must be {wanted}.")
    if gan.unbounded_scores and last_function(scores) in RANGES:
        warnings.warn(
            f"the critic ends in a {last_function(scores)}, which bounds its scores; {type(gan).__name__} needs "
            "unbounded ones: leave it out.",
            stacklevel=4,
        )
    return fake, last_function(fake)


def couples_samples(critic: paddle.nn.Layer, samples: paddle.Tensor) -> bool:
    """Whether a critic's scores of some samples depend on which others are with them, as with batch norm.

    Args:
        critic: a network that takes the samples.
        samples: a few, [n, ...].
    """
    with paddle.no_grad():
        alone, again = critic(samples), critic(samples)
        if not alone.allclose(again, rtol=1e-3, atol=1e-6):  # random, as with dropout: it cannot be told
            return False
        try:
            among_others = critic(paddle.concat([samples, 1 - 2 * samples]))[: len(samples)]
        except Exception:  # it takes batches of one size
            return True
        return not bool(alone.allclose(among_others, rtol=1e-3, atol=1e-6))


def check_precision(*networks: paddle.nn.Layer) -> None:
    """Refuse networks that are not in float32.

    Raises:
        InputError: they, or Paddle's default type, are of another type.
    """
    types = {str(parameter.dtype).removeprefix("paddle.") for network in networks for parameter in network.parameters()}
    others = sorted({paddle.get_default_dtype(), *types} - {"float32"})
    if others:
        raise InputError(
            f"the networks or Paddle's default type are {', '.join(others)}; training is in float32: call "
            "paddle.set_default_dtype('float32') and build the networks afterwards."
        )


def check_samples(real: paddle.Tensor, shape: list[int], function: str) -> None:
    """Hold real samples against what the generator makes: the shape, and, with a warning, the range.

    Args:
        real: [n, ...].
        shape: of one generated sample.
        function: at the generator's end, as of `last_function`.

    Raises:
        InputError: they have another shape.
    """
    if real.shape[1:] != shape:
        moved = sorted(real.shape[1:]) == sorted(shape)
        remedy = "move the axes of the data with transpose" if moved else "reshape the data"
        raise InputError(
            f"train_data has samples of shape {list(real.shape[1:])} but the generator makes "
            f"{list(shape)}; {remedy} or change the generator."
        )
    low, high = RANGES.get(function, (-np.inf, np.inf))
    smallest, largest = real.min().item(), real.max().item()
    if smallest < low - 0.1 or largest > high + 0.1:
        warnings.warn(
            f"train_data has values from {smallest:.4g} to {largest:.4g}, but the generator ends in a "
            f"{function}, whose values are between {low} and {high}; scale the data.",
            stacklevel=4,
        )


def last_function(output: paddle.Tensor) -> str:
    """The function that computed a tensor, reshapes left out, such as "sigmoid"; "" where Paddle does not tell."""
    node = output.grad_fn
    while node is not None and re.match("Reshape|Squeeze|Unsqueeze|Flatten|Transpose", node.name()):
        node = next(iter(node.next_functions), None)
    return node.name().split("Grad")[0].lower() if node is not None else ""


def _shape_in_words(output):
    return f"shape {list(output.shape)}" if isinstance(output, paddle.Tensor) else f"a {type(output).__name__}"
