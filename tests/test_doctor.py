"""The check of a device: what it accepts and what it finds."""

import numpy as np
import paddle
import paddle.nn.functional as F
import pytest

from reproduction import doctor
from reproduction.__main__ import main
from wgangp.runtime import devices

CHECK = ["doctor", "--check", "--device", "cpu"]


def test_cpu_passes(capfd):
    assert main(CHECK) == 0
    out = capfd.readouterr().out
    assert out == f"PASS: largest relative difference 0.0e+00 (at most 1e-04), {devices.describe_cpu()}\n"


def rounded_as_tf32(x):
    """x to the 10 bits of TF32; its gradient is that of x."""
    bits = (x.detach().numpy().view("int32") + 0x1000) & ~0x1FFF
    return x + paddle.to_tensor(bits.view("float32") - x.detach().numpy())


WRONG = {  # an operation, and what a wrong device would compute in its place
    "a product": (F, "conv2d", lambda f: lambda x, w, **options: 1.001 * f(x, w, **options)),
    "TF32": (F, "conv2d", lambda f: lambda x, w, **options: f(rounded_as_tf32(x), rounded_as_tf32(w), **options)),
    "a second derivative": (doctor, "gradient_penalty", lambda f: lambda *x: 0.01 * f(*x).detach() + 0.99 * f(*x)),
    "the optimizer": (doctor.Adam, "epsilon_hat", lambda epsilon: 100 * epsilon),
    "not a number": (F, "relu", lambda f: lambda x: f(x) * np.nan),
}


@pytest.mark.parametrize("what", WRONG)
def test_wrong_operation_is_found(what, monkeypatch, capfd):
    owner, name, wrong = WRONG[what]
    right, choose = getattr(owner, name), devices.choose
    operations = iter([wrong(right), right])  # of the device, then of the CPU

    def choose_operation(*arguments, **options):
        monkeypatch.setattr(owner, name, next(operations))
        return choose(*arguments, **options)

    monkeypatch.setattr(devices, "choose", choose_operation)
    assert main(CHECK) == 2
    out, error = capfd.readouterr()
    assert not out and error.startswith(
        f"wgangp: {devices.describe_cpu()} computes otherwise than the CPU: in 20 steps"
    )


def test_missing_kernel_is_one_sentence(monkeypatch, capfd):
    def missing(x):
        raise RuntimeError("(NotFound) The kernel `relu` is not registered.\n [Hint: other names] (at dispatch.cc:1)")

    monkeypatch.setattr(F, "relu", missing)
    assert main(CHECK) == 2
    sentence = "cannot train a small model: The kernel `relu` is not registered.\n"
    assert capfd.readouterr().err == f"wgangp: {devices.describe_cpu()} {sentence}"
