"""Device choice, CPU tuning, and training steps replayed as captured graphs."""

from __future__ import annotations  # numpy and Paddle are imported late

import os
import platform
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import distributions, version
from pathlib import Path
from typing import TYPE_CHECKING

from wgangp.errors import InputError
from wgangp.runtime import kernels
from wgangp.runtime.kernels import paddle_aten

if TYPE_CHECKING:
    import numpy as np
    import paddle

NAMES = ("auto", "cpu", "gpu", "aten")


def load_aten(name: str = "auto") -> None:
    """Load the `aten` device where it may be chosen: Paddle takes devices only before it is first imported.

    Args:
        name: what will be chosen; $WGANGP_DEVICE where it is "auto" and that is set. For "aten" the device is loaded,
            and for "auto" where there is an NVIDIA GPU, Paddle is its CPU build and `paddle_aten` has been built.
            Where it cannot be loaded, `choose` says why.
    """
    if name == "auto":
        name = os.environ.get("WGANGP_DEVICE") or "auto"
    only_aten = Path("/dev/nvidiactl").exists() and not _paddle_is_for_gpus()
    if "paddle" not in sys.modules and (name == "aten" or (name == "auto" and only_aten)):
        with suppress(InputError):
            kernels.library()
            paddle_aten.load()


def _paddle_is_for_gpus():
    return any(distributions(name="paddlepaddle-gpu"))


def _amd_with_avx512():
    try:
        with open("/proc/cpuinfo") as file:
            text = file.read()
    except OSError:
        return False
    return "AuthenticAMD" in text and "avx512f" in text


def tune_cpu() -> None:
    """Set the environment that Paddle reads when it is first imported.

    MKL picks slow kernels on AMD processors; on those with AVX-512, MKL_DEBUG_CPU_TYPE=7 makes
    Paddle's matrix products 3 to 10 times faster. A value that the user set is kept.
    """
    if _amd_with_avx512():
        os.environ.setdefault("MKL_DEBUG_CPU_TYPE", "7")
    warnings.filterwarnings("ignore", message="No ccache found")


def available_devices() -> list[str]:
    """The devices that this Paddle can compute on, the preferred one first."""
    import paddle

    gpu = paddle.is_compiled_with_cuda() and paddle.device.cuda.device_count() > 0
    aten = "aten" in paddle.device.get_all_custom_device_type()
    aten_on_cpu = aten and not paddle_aten.is_cuda()
    return ["gpu"] * gpu + ["aten"] * (aten and not aten_on_cpu) + ["cpu"] + ["aten"] * aten_on_cpu


def computes_on_cpu(name: str) -> bool:
    """Whether a device computes on the CPU.

    Args:
        name: as of `choose`.
    """
    name = available_devices()[0] if name == "auto" else name
    return name == "cpu" or (name == "aten" and not paddle_aten.is_cuda())


def check_available(name: str) -> None:
    """Check that the processes of a run can use a device.

    Args:
        name: as of `choose`.

    Raises:
        InputError: it is "aten" and `paddle_aten` cannot be loaded, or it is another that is not available.
    """
    if name == "aten":
        try:
            kernels.library()
        except InputError as error:
            raise InputError(f"--device aten: {error}") from None
    elif name not in ("auto", *available_devices()):
        raise _not_available(name)


def _not_available(name: str) -> InputError:
    """The InputError for a device that is not available."""
    if name not in NAMES:
        return InputError(f"--device {name} is unknown; use {', '.join(NAMES)}.")
    remedies = {
        "gpu": "this Paddle sees no GPU; install paddlepaddle-gpu (environment.yml), or use --device aten or cpu.",
        "aten": "it is not loaded; run bash paddle_aten/build.sh and choose it before paddle is imported.",
    }
    return InputError(f"--device {name}: {remedies[name]}")


def choose(name: str = "auto", tf32: bool = True, deterministic: bool = False) -> str:
    """Make a device Paddle's current one; call it before paddle is imported, where it is or may be "aten".

    Args:
        name: "cpu"; "gpu" (Paddle's own GPU build); "aten" (ATen's kernels through `paddle_aten`, on a GPU where
            there is one, else on the CPU); or "auto", the first available one of gpu, aten on a GPU, cpu.
        tf32: whether matrix products and convolutions of the `aten` device may use TF32 in training.
        deterministic: whether to use only kernels that give the same bits every time.

    Returns:
        Its description, as written in the `device` column of the results.

    Raises:
        InputError: the device is not available.
    """
    load_aten(name)
    import paddle

    if name == "auto":
        name = available_devices()[0]
    if name not in available_devices():
        check_available(name)
        raise _not_available(name)
    paddle.set_device(name)
    if name == "aten":
        paddle_aten.set_tf32(tf32)
        paddle_aten.set_deterministic(deterministic)
    if name == "gpu":
        paddle.set_flags({"FLAGS_cudnn_deterministic": deterministic})
    return describe() + (", deterministic kernels" if deterministic else "")


def on_aten() -> bool:
    """Whether Paddle's current device is `aten`."""
    import paddle

    return paddle.get_device().startswith("aten")


def on_gpu() -> bool:
    """Whether Paddle's current device is a GPU."""
    import paddle

    return paddle.get_device().startswith("gpu") or (on_aten() and paddle_aten.is_cuda())


def describe() -> str:
    """Name the current device, and what computes on it, for the provenance of a result."""
    import paddle

    if paddle.get_device().startswith("gpu"):
        return paddle.device.cuda.get_device_name()
    if on_aten():
        aten = ".".join(version("torch").split(".")[:2])
        if not paddle_aten.is_cuda():
            return f"{describe_cpu()}, paddle_aten (ATen {aten} kernels)"
        precision = "TF32" if paddle_aten.tf32() else "float32"
        return f"{paddle_aten.device_name()}, paddle_aten (ATen {aten} kernels), {precision}"
    return describe_cpu()


def describe_cpu() -> str:
    """Name the processor and say how many threads a process uses."""
    return f"{cpu_name()}, {os.environ.get('OMP_NUM_THREADS', os.cpu_count())} thread(s)"


def describes_cpu(description: str) -> bool:
    """Whether a description, as of `describe`, is of a CPU."""
    return "thread(s)" in description


def cpu_name() -> str:
    """Name the processor."""
    try:
        with open("/proc/cpuinfo") as file:
            return next(line.split(":", 1)[1].strip() for line in file if "model name" in line)
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


@contextmanager
def full_precision() -> Iterator[None]:
    """A context in which the `aten` device computes without TF32, as for measuring."""
    had_tf32 = on_aten() and paddle_aten.tf32()
    if had_tf32:
        paddle_aten.set_tf32(False)
    try:
        yield
    finally:
        if had_tf32:
            paddle_aten.set_tf32(True)


def to_device(arrays: list[np.ndarray]) -> paddle.Tensor | list[paddle.Tensor]:
    """Copy arrays to the device.

    Args:
        arrays: of any shapes.

    Returns:
        One tensor, stacked along a new first axis, where all have the same shape; else a list of tensors.
    """
    import numpy as np
    import paddle

    if len({array.shape for array in arrays}) == 1:
        return paddle.to_tensor(np.stack(arrays))
    return [paddle.to_tensor(array) for array in arrays]


class ReplayedStep:
    """A training step that the `aten` device replays as one captured graph; on other devices the plain step.

    The first calls are not captured: what they allocate must exist when the graph is made. Batches of different
    shapes are not captured either. Paddle's own GPU build runs step by step: it has not been shown that its
    graphs draw new random numbers in every replay.

    Args:
        step: a function of what `to_device` returns. It returns {name: scalar tensor}, runs on the device alone
            and does not read the values of tensors.
    """

    FIRST = 3  # calls that are not captured

    def __init__(self, step: Callable[..., dict[str, paddle.Tensor]]):
        self.step, self.calls, self.graph, self.inputs = step, 0, None, None

    def __call__(self, arrays: list[np.ndarray]) -> dict[str, paddle.Tensor]:
        import paddle

        inputs = to_device(arrays)
        if not (on_aten() and on_gpu()) or self.calls < self.FIRST or isinstance(inputs, list):
            self.calls += 1
            return self.step(inputs)
        if self.graph is None:
            self.inputs = inputs
            self.graph = paddle_aten.Captured(lambda: self.step(self.inputs))
        elif inputs.shape != self.inputs.shape:
            return self.step(inputs)
        else:
            paddle.assign(inputs, output=self.inputs)
        return self.graph()
