import numpy as np
import paddle
import pytest

from wgangp import WGAN_GP, losses
from wgangp.data.batches import Characters
from wgangp.networks.language import LanguageCritic, LanguageGenerator


def parameters(network):
    return sum(int(np.prod(p.shape)) for p in network.parameters())


def test_parameter_counts_are_the_authors():
    blocks = 10 * (5 * 512 * 512 + 512)
    assert parameters(LanguageGenerator(100)) == 129 * 32 * 512 + blocks + 513 * 100
    assert parameters(LanguageCritic(100)) == 101 * 512 + blocks + 32 * 512 + 1


def test_initial_weights_have_the_authors_variance():
    conv = LanguageCritic(100, 64).blocks[0].conv1
    std = np.sqrt(4 / (2 * 64 * 5))
    assert float(conv.weight.std()) == pytest.approx(std, rel=0.02)
    assert float(conv.weight.abs().max()) <= std * np.sqrt(3) and float(conv.bias.abs().max()) == 0


def same_conv(x, conv):
    """A convolution over [n, channels, length] with zeros around, written plainly."""
    weight, half = conv.weight.numpy(), conv.weight.shape[2] // 2
    padded = np.pad(x, ((0, 0), (0, 0), (half, half)))
    y = sum(np.einsum("oi,nil->nol", weight[:, :, k], padded[:, :, k : k + x.shape[2]]) for k in range(2 * half + 1))
    return y + conv.bias.numpy()[None, :, None]


def blocks(x, network):
    for block in network.blocks:
        x = x + 0.3 * same_conv(np.maximum(same_conv(np.maximum(x, 0), block.conv1), 0), block.conv2)
    return x


def randomised(network):
    network.to(dtype="float64")
    for parameter in network.parameters():
        parameter.set_value(parameter + 0.1 * paddle.randn(parameter.shape, "float64"))
    return network


def test_networks_are_the_authors_written_plainly():
    generator, critic = randomised(LanguageGenerator(7, 4, 6, 3)), randomised(LanguageCritic(7, 4, 6))
    z = paddle.randn([5, 3], "float64")
    x = z.numpy() @ generator.linear.weight.numpy() + generator.linear.bias.numpy()
    logits = same_conv(blocks(x.reshape(5, 4, 6), generator), generator.conv).transpose(0, 2, 1)
    want = np.exp(logits) / np.exp(logits).sum(2, keepdims=True)
    lines = generator(z)
    np.testing.assert_allclose(lines.numpy(), want, atol=1e-12)
    x = blocks(same_conv(want.transpose(0, 2, 1), critic.conv), critic).reshape(5, -1)
    scores = x @ critic.score.weight.numpy() + critic.score.bias.numpy()
    np.testing.assert_allclose(critic(lines).numpy(), scores[:, 0], atol=1e-11)


def test_norms_are_over_characters_and_places():
    critic = randomised(LanguageCritic(7, 4, 6))
    x = paddle.rand([3, 6, 7], "float64")
    norms = losses.gradient_norms(critic, x).numpy()
    step, numbers = 1e-6, np.zeros([3, 6, 7])
    for place in np.ndindex(6, 7):
        ends = []
        for sign in (1, -1):
            moved = x.numpy().copy()
            moved[(slice(None), *place)] += sign * step
            ends.append(critic(paddle.to_tensor(moved)).numpy())
        numbers[(slice(None), *place)] = (ends[0] - ends[1]) / (2 * step)
    np.testing.assert_allclose(norms, np.sqrt((numbers**2).sum((1, 2))), rtol=1e-6)


def test_penalty_s_gradient_against_central_differences():
    critic = randomised(LanguageCritic(7, 4, 6))
    x, rng = paddle.rand([3, 6, 7], "float64"), np.random.default_rng(0)

    def penalty():
        return losses.penalty_from_norms(losses.gradient_norms(critic, x))

    gradients = paddle.grad(penalty(), critic.parameters(), allow_unused=True)
    values = [p.clone() for p in critic.parameters()]
    directions = [paddle.to_tensor(rng.standard_normal(value.shape)) for value in values]
    along = sum(float((g * d).sum()) for g, d in zip(gradients, directions, strict=True) if g is not None)
    ends = []
    for sign in (1, -1):
        for parameter, value, direction in zip(critic.parameters(), values, directions, strict=True):
            parameter.set_value(value + sign * 1e-7 * direction)
        ends.append(float(penalty()))
    assert along == pytest.approx((ends[0] - ends[1]) / 2e-7, rel=1e-5) and abs(along) > 1e-6


def test_a_memorable_text_is_learnt():
    lines = np.tile(np.array([1, 2, 3, 1, 2, 3, 1, 2], "uint8"), (16, 1))
    gan = WGAN_GP(LanguageGenerator(4, 8, 8, 4), LanguageCritic(4, 8, 8), critic_iters=3)
    options = {"g_learning_rate": 5e-3, "d_learning_rate": 5e-3, "beta1": 0.5, "progress": None}
    gan.train(Characters(lines, 4), batch_size=16, iterations=40, **options)
    made = gan.generate(16, seed=0)
    np.testing.assert_allclose(made.sum(2), 1, atol=1e-5)
    assert (made.argmax(2) == lines).mean() > 0.9
