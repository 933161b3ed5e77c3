"""Device choice and CPU tuning."""

import os
import platform
import sys
import warnings

from wgangp.errors import InputError


def _amd_with_avx512():
    try:
        with open("/proc/cpuinfo") as file:
            text = file.read()
    except OSError:
        return False
    return "AuthenticAMD" in text and "avx512f" in text


def tune_cpu():
    """Prepare the environment that Paddle reads when it is first imported.

    MKL picks slow kernels on AMD processors; on those with AVX-512, MKL_DEBUG_CPU_TYPE=7 makes
    Paddle's matrix products 3 to 10 times faster. A value that the user set is kept.
    """
    if "paddle" not in sys.modules and _amd_with_avx512():
        os.environ.setdefault("MKL_DEBUG_CPU_TYPE", "7")
    warnings.filterwarnings("ignore", message="No ccache found")


def choose(name="auto"):
    """Make a device Paddle's current one.

    Args:
        name: "auto" (a GPU where Paddle has one, else the CPU), "cpu" or "gpu".

    Returns:
        Its description, as written in the `device` column of the results.

    Raises:
        InputError: the device is not there.
    """
    import paddle

    gpus = paddle.device.cuda.device_count() if paddle.is_compiled_with_cuda() else 0
    if name == "auto":
        name = "gpu" if gpus else "cpu"
    if name not in ("cpu", "gpu"):
        raise InputError(f"--device {name} is unknown; use auto, cpu or gpu.")
    if name == "gpu" and not gpus:
        raise InputError(
            "--device gpu: this Paddle sees no GPU; install paddlepaddle-gpu (environment.yml) or use --device cpu."
        )
    paddle.set_device(name)
    return describe()


def describe():
    """Name the current device and Paddle, for the provenance of a result."""
    import paddle

    if paddle.get_device().startswith("gpu"):
        return paddle.device.cuda.get_device_name()
    return f"{cpu_name()}, {os.environ.get('OMP_NUM_THREADS', os.cpu_count())} thread(s)"


def cpu_name():
    """Name the processor."""
    try:
        with open("/proc/cpuinfo") as file:
            return next(line.split(":", 1)[1].strip() for line in file if "model name" in line)
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
