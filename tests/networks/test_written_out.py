"""The critics' written-out gradients against autograd, with the kernels of the `aten` device written in Paddle."""

import numpy as np
import paddle
import paddle.nn.functional as F
import pytest
from random_layers import double, normal

from wgangp import layers, losses
from wgangp.networks import written_out
from wgangp.networks.cifar import ResNetCritic
from wgangp.networks.convolutional import ConvCritic
from wgangp.runtime import devices


def conv(x, w, stride, padding, last):
    w = w.transpose([0, 3, 1, 2]) if last else w
    return F.conv2d(x, w, stride=stride, padding=padding, data_format="NHWC" if last else "NCHW")


def gradient_of_conv(position):
    """The convolution's gradient by its input (position 0) or its kernel (1)."""

    def gradient(dy, x, w, *geometry):
        with paddle.enable_grad():
            tensors = [tensor.detach() for tensor in (x, w)]
            tensors[position].stop_gradient = False
            return paddle.grad(conv(*tensors, *geometry), tensors[position], dy)[0]

    return gradient


def per_channel(bias, last):
    return bias if last else bias.reshape([-1, 1, 1])


def relu_backward_over(dy, y):
    return paddle.assign(paddle.where(y > 0, dy, paddle.zeros_like(dy)), output=y)


KERNELS = {
    "conv": conv,
    "conv_dx": gradient_of_conv(0),
    "conv_dw": gradient_of_conv(1),
    "conv_relu": lambda x, w, bias, *geometry: F.relu(conv(x, w, *geometry) + per_channel(bias, geometry[-1])),
    "add_with_bias": lambda x, y, bias, last: x + y + per_channel(bias, last),
    "relu_backward_over": relu_backward_over,
    "relu_backward_plus": lambda y, dy, more, last: (
        paddle.where(y > 0, dy, paddle.zeros_like(dy))
        + (more if more.shape == y.shape else layers.upsample(more, last))
    ),
}
CRITICS = {
    "ResNet": (lambda: ResNetCritic(4), [3, 16, 16]),
    "ResNet with classes": (lambda: ResNetCritic(4, classes=3), [3, 16, 16]),
    "DCGAN": (lambda: ConvCritic([4, 6], 2), [2, 15, 16]),
}


@pytest.fixture(autouse=True)
def kernels_in_paddle(monkeypatch):
    for name, kernel in KERNELS.items():
        monkeypatch.setattr(written_out, name, kernel)
    for name in ("on_aten", "on_gpu"):
        monkeypatch.setattr(devices, name, lambda: True)


def loss_of_heads(real_scores, fake_scores, *logits):
    loss = losses.wasserstein_critic_loss(real_scores, fake_scores)
    for half in logits:
        loss = loss + F.cross_entropy(half, paddle.to_tensor([2, 0, 1]))
    return loss, {}


def penalty_of(norms):
    return 10 * losses.penalty_from_norms(norms), {}


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("name", CRITICS)
def test_gradients_are_those_of_autograd(name, channels_last):
    make, shape = CRITICS[name]
    critic, real, fake = double(make()), *map(paddle.to_tensor, normal([2, 3, *shape]))
    if channels_last:
        layers.use_channels_last(critic)
    labelled = name.endswith("classes")

    paddle.seed(3)  # of the mixing of real and generated samples
    (loss, _), (penalty, _), gradients = critic.loss_gradients(real, fake, loss_of_heads, penalty_of, labelled)

    paddle.seed(3)
    heads = [critic.heads(x) if labelled else (critic(x),) for x in (real, fake)]
    expected_loss, _ = loss_of_heads(*(half for pair in zip(*heads, strict=True) for half in pair))
    expected_penalty, _ = penalty_of(losses.gradient_norms(critic, losses.interpolate(real, fake)))
    expected = paddle.grad(expected_loss + expected_penalty, critic.parameters())

    assert float(loss) == pytest.approx(float(expected_loss), rel=1e-10)
    assert float(penalty) == pytest.approx(float(expected_penalty), rel=1e-10)
    assert len(gradients) == len(expected) > 5
    for ours, theirs in zip(gradients, expected, strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-8, atol=1e-9)


def test_critics_that_are_not_written_out_leave_it_to_autograd():
    real = fake = paddle.zeros([3, 2, 16, 16])
    for critic in (ConvCritic([4, 6], 2, layers.LayerNorm), ConvCritic([4, 6], 2, activation=F.tanh)):
        assert critic.loss_gradients(real, fake, loss_of_heads, penalty_of, False) is None
    assert ConvCritic([4, 6], 2).loss_gradients(real, fake, loss_of_heads, penalty_of, True) is None
    assert ResNetCritic(4).loss_gradients(real, fake, loss_of_heads, penalty_of, True) is None
