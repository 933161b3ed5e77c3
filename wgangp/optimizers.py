"""Adam and RMSProp with TensorFlow 1's arithmetic, which the authors used."""

import math

import numpy as np
import paddle

from wgangp.errors import InputError
from wgangp.runtime import devices, kernels


class Adam(paddle.optimizer.Adam):
    """Adam whose epsilon is added to the uncorrected root, as TensorFlow adds it.

    TensorFlow steps by lr sqrt(1 - beta2^t) / (1 - beta1^t) * m / (sqrt(v) + epsilon); Paddle scales
    epsilon by sqrt(1 - beta2^t), which is divided out here. On the `aten` device one operator updates all
    parameters, and the powers of the betas are on the device, so that a captured graph can update them.

    Args:
        learning_rate: step size.
        beta1, beta2: decay rates of the two moments, in [0, 1).
        parameters: the parameters to optimise.
        weight_decay: this factor times the parameters, the gradient of weight_decay / 2 times the sum of their squares,
            is added to their gradients; None for none.

    Source: tf.train.AdamOptimizer ("epsilon hat"), epsilon 1e-8.
    """

    epsilon_hat = 1e-8

    def __init__(
        self,
        learning_rate: float,
        beta1: float,
        beta2: float,
        parameters: list[paddle.Tensor],
        weight_decay: float | None = None,
    ):
        super().__init__(learning_rate, beta1, beta2, parameters=parameters, weight_decay=weight_decay)

    def _add_accumulator(self, name, param, **kwargs):
        if devices.on_aten():
            kwargs["device"] = None  # Paddle puts the powers on the CPU
        return super()._add_accumulator(name, param, **kwargs)

    def _append_optimize_op(self, block, param_and_grad):
        if devices.on_aten():
            return None
        power = self._get_accumulator(self._beta2_pow_acc_str, param_and_grad[0]).item()
        self._epsilon = self.epsilon_hat / math.sqrt(1 - power)
        return super()._append_optimize_op(block, param_and_grad)

    def _finish_update(self, block, parameters_and_grads):
        if devices.on_aten():
            params, grads = zip(*((p, g) for p, g in parameters_and_grads if g is not None))
            names = self._moment1_acc_str, self._moment2_acc_str, self._beta1_pow_acc_str, self._beta2_pow_acc_str
            states = ([self._get_accumulator(name, p) for p in params] for name in names)
            rate = self._global_learning_rate()
            kernels.adam(params, grads, *states, rate, self._beta1, self._beta2, self.epsilon_hat)


class RMSProp(paddle.optimizer.RMSProp):
    """RMSProp with decay 0.9, epsilon inside the root and a mean square that starts at 1.

    Args:
        learning_rate: step size.
        parameters: the parameters to optimise.

    Source: tf.train.RMSPropOptimizer, epsilon 1e-10.
    """

    def __init__(self, learning_rate: float, parameters: list[paddle.Tensor]):
        super().__init__(learning_rate, rho=0.9, epsilon=1e-10, parameters=parameters)

    def _add_accumulator(self, name, param, **kwargs):
        if name == self._mean_square_acc_str:
            kwargs["fill_value"] = 1.0
        return super()._add_accumulator(name, param, **kwargs)


def make_optimizer(
    network: paddle.nn.Layer, settings: dict, learning_rate: float, weight_decay: float | None = None
) -> paddle.optimizer.Optimizer:
    """The optimizer of one network.

    Args:
        network: a Paddle layer.
        settings: "optimizer", which is "adam" or "rmsprop", and "beta1" and "beta2" of Adam.
        learning_rate: step size.
        weight_decay: of Adam; None for none.

    Raises:
        InputError: the optimizer is unknown, or weight decay is wanted of RMSProp.
    """
    if settings["optimizer"] == "rmsprop":
        if weight_decay:
            raise InputError("weight decay is for Adam only; use optimizer='adam' or no weight decay.")
        return RMSProp(learning_rate, network.parameters())
    if settings["optimizer"] == "adam":
        return Adam(learning_rate, settings["beta1"], settings["beta2"], network.parameters(), weight_decay)
    raise InputError(f"optimizer {settings['optimizer']!r} is unknown; use 'adam' or 'rmsprop'.")


def state_arrays(optimizer: paddle.optimizer.Optimizer, prefix: str) -> dict[str, np.ndarray]:
    """Copy the state of an optimizer, keyed by the positions of the parameters.

    Paddle keys it by generated names, which count parameters and optimizers. (The suffix _0 is that of older
    checkpoints.)

    Args:
        optimizer: of this module.
        prefix: of the keys.

    Returns:
        {prefix/position/accumulator_0: array}.
    """
    return {
        f"{prefix}/{i}/{name}_0": accumulators[parameter.name].numpy()
        for i, parameter in enumerate(optimizer._parameter_list)
        for name, accumulators in optimizer._accumulators.items()
        if parameter.name in accumulators
    }


def load_state_arrays(optimizer: paddle.optimizer.Optimizer, prefix: str, arrays: dict[str, np.ndarray]) -> None:
    """Load what `state_arrays` copied into a new optimizer of the same or a rebuilt model.

    Args:
        optimizer: of the same class.
        prefix: of the keys; arrays with other keys are left out.
        arrays: as of `state_arrays`.
    """
    block = paddle.static.default_main_program().global_block()  # an argument that Paddle needs and ignores
    for key, value in arrays.items():
        if key.startswith(f"{prefix}/"):
            _, i, name = key.split("/")
            parameter = optimizer._parameter_list[int(i)]
            optimizer._create_accumulators(block, [parameter])
            optimizer._get_accumulator(name.rsplit("_", 1)[0], parameter).set_value(paddle.to_tensor(value))
