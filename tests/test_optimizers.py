import numpy as np
import paddle
import pytest

from wgangp.optimizers import Adam, RMSProp, load_state_arrays, state_arrays


def gradients(steps, size, scale):
    return scale * np.random.default_rng(0).normal(size=(steps, size))


def train(optimizer, parameter, grads):
    for grad in grads:
        (parameter * paddle.to_tensor(grad)).sum().backward()
        optimizer.step()
        optimizer.clear_grad()
    return parameter.numpy()


def new_parameter():
    return paddle.create_parameter([3], "float64", default_initializer=paddle.nn.initializer.Constant(1.0))


# With gradients of 1e-8 the place of epsilon decides the result.
@pytest.mark.parametrize("scale, decay", [(1.0, None), (1e-8, None), (1.0, 0.3)])
def test_adam_is_tensorflows(scale, decay):
    grads = gradients(20, 3, scale)
    lr, beta1, beta2, x = 0.01, 0.5, 0.9, np.ones(3)
    m = v = np.zeros(3)
    for t, g in enumerate(grads, 1):
        g = g + (decay or 0) * x
        m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g * g
        x = x - lr * np.sqrt(1 - beta2**t) / (1 - beta1**t) * m / (np.sqrt(v) + 1e-8)
    parameter = new_parameter()
    measured = train(Adam(lr, beta1, beta2, [parameter], decay), parameter, grads)
    assert np.abs(measured - 1).max() > 1e-3
    assert measured == pytest.approx(x, abs=1e-8)


@pytest.mark.parametrize("scale", [1.0, 1e-5])
def test_rmsprop_is_tensorflows(scale):
    grads = gradients(20, 3, scale)
    lr, x, mean_square = 0.01, np.ones(3), np.ones(3)
    for g in grads:
        mean_square = 0.9 * mean_square + 0.1 * g * g
        x = x - lr * g / np.sqrt(mean_square + 1e-10)
    parameter = new_parameter()
    measured = train(RMSProp(lr, [parameter]), parameter, grads)
    assert np.abs(measured - 1).max() > 1e-9
    assert measured == pytest.approx(x, rel=1e-7)


@pytest.mark.parametrize("make", [lambda p: Adam(0.01, 0.5, 0.9, p), lambda p: RMSProp(0.01, p)])
def test_state_moves_to_a_rebuilt_model(make):
    grads = gradients(20, 3, 1e-6)
    whole = new_parameter()
    expected = train(make([whole]), whole, grads)
    first = new_parameter()
    optimizer = make([first])
    train(optimizer, first, grads[:7])
    arrays = state_arrays(optimizer, "opt")
    assert all(isinstance(value, np.ndarray) for value in arrays.values())
    second = new_parameter()
    second.set_value(first.numpy())
    resumed = make([second])
    load_state_arrays(resumed, "opt", arrays)
    assert (train(resumed, second, grads[7:]) == expected).all()


@pytest.mark.parametrize("make", [lambda p: Adam(0.01, 0.5, 0.9, p), lambda p: RMSProp(0.01, p)])
def test_state_moves_to_another_optimizer_of_the_same_parameters(make):
    grads = gradients(20, 3, 1e-6)
    whole, parameter, untouched = new_parameter(), new_parameter(), new_parameter()
    expected = train(make([whole]), whole, grads)
    arrays = {}
    for part in (grads[:7], grads[7:13], grads[13:]):
        optimizer = make([untouched, parameter])
        load_state_arrays(optimizer, "opt", arrays)
        train(optimizer, parameter, part)
        arrays = state_arrays(optimizer, "opt")
        assert arrays and all(name.startswith("opt/1/") and name.endswith("_0") for name in arrays)
    assert (parameter.numpy() == expected).all()
