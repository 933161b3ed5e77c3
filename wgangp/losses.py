"""The losses of the four methods and the gradient penalty, as plain functions of tensors."""

from collections.abc import Callable
from typing import Any

import paddle
import paddle.nn.functional as F

from wgangp.errors import InputError, check_number, plain_cause, plain_message

FLOAT_TYPES = (paddle.float32, paddle.float64, paddle.float16, paddle.bfloat16)
NO_GRADIENT = (
    "the critic's scores have no gradient with respect to its samples, which the gradient penalty needs: something "
    "between them is not differentiable (constants, integers, argmax, round, detach, no_grad); use differentiable "
    "operations."
)


def describe(value: Any) -> str:
    """Describe a value for a message: the type and shape of a tensor, else the class."""
    if isinstance(value, paddle.Tensor):
        return f"a tensor of {str(value.dtype).removeprefix('paddle.')} {list(value.shape)}"
    return f"a {type(value).__name__}"


def is_batch(value: Any) -> bool:
    """Whether a value is a tensor [n, ...] of floating-point numbers that is not empty."""
    if not isinstance(value, paddle.Tensor) or value.dtype not in FLOAT_TYPES:
        return False
    return len(value.shape) > 0 and 0 not in value.shape  # Tensor.size takes longer than computing a loss


def check_scores(scores: Any, name: str) -> None:
    """Check that there is one score per sample.

    Args:
        scores: [n] or [n, 1].
        name: what the message calls them.

    Raises:
        InputError: they are not a floating-point tensor of such a shape, or it is empty.
    """
    if not is_batch(scores) or scores.shape[1:] not in ([], [1]):
        raise InputError(f"{name} is {describe(scores)}; it must be one score per sample, a tensor [n] or [n, 1].")


def wasserstein_critic_loss(real_scores: paddle.Tensor, fake_scores: paddle.Tensor) -> paddle.Tensor:
    """Critic's Wasserstein loss E[D(fake)] - E[D(real)]; its negative estimates W1.

    Args:
        real_scores, fake_scores: critic outputs, [n] or [n, 1] each.

    Source: Eq. 3, first two terms.
    """
    check_scores(real_scores, "real_scores")
    check_scores(fake_scores, "fake_scores")
    return fake_scores.mean() - real_scores.mean()


def wasserstein_generator_loss(fake_scores: paddle.Tensor) -> paddle.Tensor:
    """Generator's Wasserstein loss -E[D(fake)].

    Args:
        fake_scores: critic outputs, [n] or [n, 1].

    Source: Algorithm 1, line 12.
    """
    check_scores(fake_scores, "fake_scores")
    return -fake_scores.mean()


def interpolate(real: paddle.Tensor, fake: paddle.Tensor, alpha: paddle.Tensor | None = None) -> paddle.Tensor:
    """Points on the straight lines between pairs of samples, real + alpha (fake - real).

    Args:
        real, fake: [n, ...], the same shape.
        alpha: [n, 1, ..., 1] in [0, 1]; when None, drawn uniformly, one for each example.

    Raises:
        InputError: real and fake are not such tensors of one shape and type, or alpha has another shape.

    Source: Algorithm 1, line 6 (there with epsilon = 1 - alpha, which has the same law);
    gan_toy.py lines 111-117.
    """
    for name, samples in (("real", real), ("fake", fake)):
        if not is_batch(samples):
            raise InputError(f"{name} is {describe(samples)}; give samples as a floating-point tensor [n, ...].")
    if real.shape != fake.shape or real.dtype != fake.dtype:
        raise InputError(
            f"real is {describe(real)} and fake is {describe(fake)}; give equally many samples of one shape and type."
        )
    position_shape = [real.shape[0]] + [1] * (real.ndim - 1)
    if alpha is None:
        alpha = paddle.rand(position_shape, dtype=real.dtype)
    elif list(getattr(alpha, "shape", position_shape)) != position_shape:
        raise InputError(
            f"alpha is {describe(alpha)} for {describe(real)}; give one position for each sample, {position_shape}."
        )
    return real + alpha * (fake - real)


def gradient_norms(
    critic: Callable[[paddle.Tensor], paddle.Tensor], x: paddle.Tensor, create_graph: bool = True
) -> paddle.Tensor:
    """Euclidean norm of the critic's gradient at each example, over all axes but the first.

    Args:
        critic: maps [n, ...] to [n] or [n, 1].
        x: points, [n, ...].
        create_graph: whether to keep what a second derivative needs.

    Returns:
        [n]. 1e-12 is added under the root, whose derivative at zero is not finite otherwise.

    Raises:
        InputError: x is not such a tensor, the critic does not take it or does not give one score per sample, or
            the scores have no gradient with respect to x.

    Source: Eq. 3, last term.
    """
    if not is_batch(x):
        raise InputError(f"the points are {describe(x)}; give a floating-point tensor [n, ...].")
    x = x.detach()
    x.stop_gradient = False
    try:
        scores = critic(x)
    except ValueError as error:
        raise InputError(
            f"the critic cannot take samples of shape {list(x.shape)}: {plain_message(error)}."
        ) from plain_cause(error)
    check_scores(scores, "the critic's output")
    gradient = None
    if not scores.stop_gradient:
        (gradient,) = paddle.grad(scores.sum(), x, create_graph=create_graph, allow_unused=True)
    if gradient is None:
        raise InputError(NO_GRADIENT)
    return euclidean_norms(gradient)


def euclidean_norms(gradient: paddle.Tensor) -> paddle.Tensor:
    """Euclidean norms of gradients, as `gradient_norms`.

    Args:
        gradient: [n, ...].

    Returns:
        [n].
    """
    squares = gradient.square()
    if gradient.ndim > 1:
        squares = squares.sum(axis=list(range(1, gradient.ndim)))
    return (squares + 1e-12).sqrt()


def penalty_from_norms(norms: paddle.Tensor, target: float = 1.0, one_sided: bool = False) -> paddle.Tensor:
    """Mean squared distance of gradient norms from the target.

    Args:
        norms: [n].
        target: the wanted norm, at least 0.
        one_sided: whether norms below the target are left alone.

    Raises:
        InputError: the target is not such a number, or the norms are not one per sample.

    Source: Eq. 3; one-sided: Appendix C.
    """
    target = check_number("target", target, at_least=0)
    if not is_batch(norms) or norms.ndim > 1:
        raise InputError(f"norms is {describe(norms)}; give one per sample, a tensor [n].")
    excess = norms - target
    return (F.relu(excess) if one_sided else excess).square().mean()


def gradient_penalty(
    critic: Callable[[paddle.Tensor], paddle.Tensor],
    real: paddle.Tensor,
    fake: paddle.Tensor,
    alpha: paddle.Tensor | None = None,
    target: float = 1.0,
    one_sided: bool = False,
) -> paddle.Tensor:
    """Gradient penalty E[(||grad D(x)|| - target)^2] between real and generated samples.

    Args:
        critic: maps [n, ...] to [n] or [n, 1]; must be differentiable twice.
        real, fake: samples, [n, ...], the same shape.
        alpha: position between real (0) and fake (1), [n, 1, ..., 1]; uniform when None.
        target: the wanted norm, at least 0.
        one_sided: whether only norms above the target are penalised, E[max(0, ||grad|| - target)^2].

    Returns:
        A scalar, without the factor lambda.

    Raises:
        InputError: as `interpolate`, `gradient_norms` and `penalty_from_norms`.

    Source: Eq. 3 and Algorithm 1, lines 6 and 7; one-sided: Appendix C.
    """
    norms = gradient_norms(critic, interpolate(real, fake, alpha))
    return penalty_from_norms(norms, target, one_sided)


def gan_critic_loss(real_scores: paddle.Tensor, fake_scores: paddle.Tensor) -> paddle.Tensor:
    """Discriminator's cross entropy, halved as the authors halve it.

    Args:
        real_scores, fake_scores: logits, [n] or [n, 1] each.

    Source: gan_mnist.py lines 158-168.
    """
    check_scores(real_scores, "real_scores")
    check_scores(fake_scores, "fake_scores")
    return (F.softplus(-real_scores).mean() + F.softplus(fake_scores).mean()) / 2


def gan_generator_loss(fake_scores: paddle.Tensor) -> paddle.Tensor:
    """Generator's non-saturating cross entropy, -E[log sigmoid(D(fake))].

    Args:
        fake_scores: logits, [n] or [n, 1].

    Source: gan_mnist.py lines 154-157.
    """
    check_scores(fake_scores, "fake_scores")
    return F.softplus(-fake_scores).mean()


def least_squares_critic_loss(real_scores: paddle.Tensor, fake_scores: paddle.Tensor) -> paddle.Tensor:
    """Discriminator's least-squares loss with targets 1 and 0, halved.

    Args:
        real_scores, fake_scores: [n] or [n, 1] each.

    Source: gan_64x64.py, lsgan mode.
    """
    check_scores(real_scores, "real_scores")
    check_scores(fake_scores, "fake_scores")
    return ((real_scores - 1).square().mean() + fake_scores.square().mean()) / 2


def least_squares_generator_loss(fake_scores: paddle.Tensor) -> paddle.Tensor:
    """Generator's least-squares loss with target 1, not halved.

    Args:
        fake_scores: [n] or [n, 1].

    Source: gan_64x64.py, lsgan mode.
    """
    check_scores(fake_scores, "fake_scores")
    return (fake_scores - 1).square().mean()
