"""The networks for fields are the CIFAR-10 DCGAN's, of any size and without a bound on the values."""

import paddle
import pytest
from random_layers import parameter_count

from wgangp import InputError
from wgangp.networks import fields
from wgangp.networks.convolutional import widths_of


def test_parameter_counts_at_32_points_and_3_channels_are_those_of_gan_cifar():
    assert parameter_count(fields.field_critic(32, 128, channels=3)) == 4_114_689
    assert parameter_count(fields.field_critic(32, 128, channels=3, batch_norm=True)) == 4_114_689 + 1_536
    one_norm_per_channel = 5_179_907 - 2 * 15 * 512
    assert parameter_count(fields.field_generator(32, 128, channels=3)) == one_norm_per_channel


@pytest.mark.parametrize("size, widths", [(8, [3]), (16, [3, 6]), (64, [3, 6, 12, 24])])
def test_each_halving_of_the_size_doubles_the_channels_down_to_4_points(size, widths):
    assert widths_of(size, 3) == widths
    generator, critic = fields.field_generator(size, 3, latent_dim=5), fields.field_critic(size, 3)
    samples = generator(paddle.randn([2, 5]))
    assert samples.shape == [2, 1, size, size] and critic(samples).shape == [2]


@pytest.mark.parametrize("size", [0, 4, 24, 12.5, "32"])
def test_sizes_that_cannot_be_halved_down_to_4_are_refused(size):
    for make in (fields.field_generator, fields.field_critic):
        with pytest.raises(InputError, match="size is"):
            make(size)


def test_values_are_not_bounded():
    generator = fields.field_generator(8, 4)
    generator.last.bias.set_value(paddle.to_tensor([7.0]))
    assert float(generator(paddle.randn([2, 128])).mean()) > 3
