"""What is said of the library of fused kernels."""

import os
import subprocess
import sys

import paddle_aten
from reproduction.results import ROOT
from wgangp.runtime import kernels


def test_describe_says_why_the_library_cannot_be_used(monkeypatch):
    monkeypatch.setattr(paddle_aten, "installed", lambda: {"paddle": "3.3.1", "torch": None})
    assert kernels.describe().startswith("not usable: PyTorch is not installed")


def test_describe_names_the_library_and_what_it_computes_on(monkeypatch):
    monkeypatch.setattr(paddle_aten, "check", lambda: "lib/libpaddle_aten.so")
    monkeypatch.setattr(paddle_aten, "installed", lambda: {"torch": "2.13.0"})
    for is_cuda, processor in ((True, "GPU"), (False, "CPU")):
        monkeypatch.setattr(paddle_aten, "is_cuda", lambda is_cuda=is_cuda: is_cuda)
        assert kernels.describe() == f"lib/libpaddle_aten.so, for PyTorch 2.13.0; --device aten is on the {processor}"


def test_without_the_distribution_everything_else_works():
    script = """
import sys
sys.modules["paddle_aten"] = None
import wgangp
from wgangp.runtime import devices, kernels
wgangp.WGAN_GP, wgangp.ConditionalWGAN_GP
print(devices.available_devices(), devices.choose("cpu"))
print(kernels.describe())
try:
    devices.check_available("aten")
except wgangp.InputError as error:
    print(error)
"""
    environment = os.environ | {"WGANGP_DEVICE": "auto"}
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True)
    device, described, refused = done.stdout.splitlines()
    assert device.startswith("['cpu'] ")
    assert described.startswith("not usable: paddle_aten is not installed; in a checkout, run pip install")
    assert refused.startswith("--device aten: paddle_aten is not installed")
