"""The networks for digits: the authors' parameter counts, and the 8x8 features that are cut to 7x7."""

import numpy as np
import paddle
import paddle.nn.functional as F
from random_layers import double, parameter_count

from wgangp.networks import mnist


def test_parameter_counts_are_the_authors():
    assert parameter_count(mnist.mnist_generator()) == 1_554_177
    assert parameter_count(mnist.mnist_critic()) == 1_030_145
    assert parameter_count(mnist.mnist_critic(batch_norm=True)) == 1_030_145 + 2 * (128 + 256)


def test_the_generator_is_the_authors_written_plainly():
    generator, z = double(mnist.mnist_generator(2)), paddle.randn([3, 128], "float64")
    x = F.relu(generator.linear(z)).reshape([3, 8, 4, 4])
    x = F.relu(generator.deconvs[0](x))[:, :, :7, :7]
    x = generator.last(F.relu(generator.deconvs[1](x)))
    np.testing.assert_allclose(generator(z).numpy(), F.sigmoid(x).numpy(), atol=1e-14)
