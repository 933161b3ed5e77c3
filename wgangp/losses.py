"""The losses of the four methods and the gradient penalty, as plain functions of tensors."""

import paddle
import paddle.nn.functional as F


def wasserstein_critic_loss(real_scores, fake_scores):
    """Critic's Wasserstein loss E[D(fake)] - E[D(real)]; its negative estimates W1.

    Args:
        real_scores, fake_scores: critic outputs, [n] or [n, 1] each.

    Source: Eq. 3, first two terms.
    """
    return fake_scores.mean() - real_scores.mean()


def wasserstein_generator_loss(fake_scores):
    """Generator's Wasserstein loss -E[D(fake)].

    Args:
        fake_scores: critic outputs, [n] or [n, 1].

    Source: Algorithm 1, line 12.
    """
    return -fake_scores.mean()


def interpolate(real, fake, alpha=None):
    """Points on the straight lines between pairs of samples, real + alpha (fake - real).

    Args:
        real, fake: [n, ...], the same shape.
        alpha: [n, 1, ..., 1] in [0, 1]; drawn uniformly, one per example, when None.

    Source: Algorithm 1, line 6 (there with epsilon = 1 - alpha, which has the same law);
    gan_toy.py lines 111-117.
    """
    if alpha is None:
        alpha = paddle.rand([real.shape[0]] + [1] * (real.ndim - 1), dtype=real.dtype)
    return real + alpha * (fake - real)


def gradient_norms(critic, x, create_graph=True):
    """Euclidean norm of the critic's gradient at each example, over all axes but the first.

    Args:
        critic: maps [n, ...] to [n] or [n, 1].
        x: points, [n, ...].
        create_graph: keep what a second derivative needs.

    Returns:
        [n]. 1e-12 is added under the root, whose derivative at zero is not finite otherwise.

    Source: Eq. 3, last term.
    """
    x = x.detach()
    x.stop_gradient = False
    (gradient,) = paddle.grad(critic(x).sum(), x, create_graph=create_graph)
    return norms_of(gradient)


def norms_of(gradient):
    """Euclidean norms of gradients, as `gradient_norms`.

    Args:
        gradient: [n, ...].

    Returns:
        [n].
    """
    return (gradient.square().sum(axis=list(range(1, gradient.ndim))) + 1e-12).sqrt()


def penalty_from_norms(norms, target=1.0, one_sided=False):
    """Mean squared distance of gradient norms from the target.

    Args:
        norms: [n].
        target: the wanted norm.
        one_sided: leave norms below the target alone.

    Source: Eq. 3; one-sided: Appendix C.
    """
    excess = norms - target
    return (F.relu(excess) if one_sided else excess).square().mean()


def gradient_penalty(critic, real, fake, alpha=None, target=1.0, one_sided=False):
    """Gradient penalty E[(||grad D(x)|| - target)^2] between real and generated samples.

    Args:
        critic: maps [n, ...] to [n] or [n, 1]; must be differentiable twice.
        real, fake: samples, [n, ...], the same shape.
        alpha: position between real (0) and fake (1), [n, 1, ..., 1]; uniform when None.
        target: the wanted norm.
        one_sided: penalise only norms above the target, E[max(0, ||grad|| - target)^2].

    Returns:
        A scalar, without the factor lambda.

    Source: Eq. 3 and Algorithm 1, lines 6 and 7; one-sided: Appendix C.
    """
    norms = gradient_norms(critic, interpolate(real, fake, alpha))
    return penalty_from_norms(norms, target, one_sided)


def gan_critic_loss(real_scores, fake_scores):
    """Discriminator's cross entropy, halved as the authors halve it.

    Args:
        real_scores, fake_scores: logits, [n] or [n, 1] each.

    Source: gan_mnist.py lines 158-168.
    """
    return (F.softplus(-real_scores).mean() + F.softplus(fake_scores).mean()) / 2


def gan_generator_loss(fake_scores):
    """Generator's non-saturating cross entropy, -E[log sigmoid(D(fake))].

    Args:
        fake_scores: logits, [n] or [n, 1].

    Source: gan_mnist.py lines 154-157.
    """
    return F.softplus(-fake_scores).mean()


def least_squares_critic_loss(real_scores, fake_scores):
    """Discriminator's least-squares loss with targets 1 and 0, halved.

    Args:
        real_scores, fake_scores: [n] or [n, 1] each.

    Source: gan_64x64.py, lsgan mode.
    """
    return ((real_scores - 1).square().mean() + fake_scores.square().mean()) / 2


def least_squares_generator_loss(fake_scores):
    """Generator's least-squares loss with target 1, not halved.

    Args:
        fake_scores: [n] or [n, 1].

    Source: gan_64x64.py, lsgan mode.
    """
    return (fake_scores - 1).square().mean()
