"""Device choice, and steps that are replayed."""

import subprocess
import sys

import numpy as np
import pytest

import paddle_aten
from reproduction.__main__ import main
from reproduction.results import ROOT
from wgangp import InputError
from wgangp.runtime import devices


def test_auto_is_the_first_device_there():
    assert devices.available_devices()[-1] == "cpu"
    assert devices.choose("auto") == devices.describe()
    assert devices.choose("cpu").endswith("thread(s)")
    assert devices.choose("cpu", deterministic=True).endswith("deterministic kernels")


@pytest.mark.parametrize("name, words", [("tpu", "is unknown; use auto, cpu, gpu, aten"), ("gpu", "sees no GPU")])
def test_a_device_that_is_not_there(name, words):
    with pytest.raises(InputError, match=words):
        devices.choose(name)


def test_aten_that_cannot_be_loaded_is_refused_before_anything_runs(monkeypatch, capfd, tmp_path):
    monkeypatch.setenv("WGANGP_OUTPUT", str(tmp_path))
    monkeypatch.setattr(paddle_aten, "installed", lambda: {"paddle": "3.3.1", "torch": None})
    assert main(["run", "fig1_gradient_norms", "--tier", "smoke", "--device", "aten"]) == 2
    assert "--device aten: PyTorch is not installed" in capfd.readouterr().err
    assert not list(tmp_path.iterdir())


WITHOUT_TORCH = """
import sys
import paddle_aten
paddle_aten.installed = lambda: {'paddle': '3.3.1', 'torch': None}
import wgangp
from wgangp.runtime import devices
assert not {"paddle", "torch", "numpy"} & set(sys.modules)
try:
    print(devices.choose(sys.argv[1]))
except wgangp.InputError as error:
    print(error)
"""


@pytest.mark.parametrize(
    "name, words", [("aten", "--device aten: PyTorch is not installed"), ("auto", devices.cpu_name())]
)
def test_importing_chooses_no_device_and_choosing_says_why_it_cannot(name, words):
    environment = {"WGANGP_DEVICE": "aten", "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "-c", WITHOUT_TORCH, name]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.startswith(words), done.stderr


def test_tensors_are_stacked_where_they_have_one_shape():
    same = devices.to_device([np.zeros((4, 2)), np.ones((4, 2))])
    assert same.shape == [2, 4, 2] and float(same[1].sum()) == 8
    other = devices.to_device([np.zeros((4, 2)), np.ones((3, 2))])
    assert [x.shape for x in other] == [[4, 2], [3, 2]]


def test_a_step_is_replayed_with_refilled_inputs_after_the_first_calls(monkeypatch):
    made = []

    class Graph:  # replays nothing new: it runs the step on the static inputs, as a graph would
        def __init__(self, step):
            made.append(step)

        def __call__(self):
            return made[0]()

    monkeypatch.setattr(devices, "on_aten", lambda: True)
    monkeypatch.setattr(devices, "on_gpu", lambda: True)
    monkeypatch.setattr(paddle_aten, "Captured", Graph)
    step = devices.ReplayedStep(lambda drawn: {"sum": sum(float(x.sum()) for x in drawn)})
    for i in range(6):
        assert step([np.full((2, 2), i), np.full((2, 2), 1)])["sum"] == 4 * i + 4
        assert len(made) == (i >= devices.ReplayedStep.FIRST)
    assert step([np.ones((2, 2)), np.ones((1, 2))])["sum"] == 6  # other shapes: step by step
    assert step([np.ones((3, 2)), np.ones((3, 2))])["sum"] == 12
    assert step([np.full((2, 2), 9), np.full((2, 2), 1)])["sum"] == 40 and len(made) == 1


@pytest.mark.parametrize("device, before, within", [("cpu", True, True), ("aten", True, False), ("aten", False, False)])
def test_full_precision_turns_tf32_off_on_aten_and_back_to_what_it_was(device, before, within, monkeypatch):
    tf32 = [before]
    monkeypatch.setattr(devices, "on_aten", lambda: device == "aten")
    monkeypatch.setattr(paddle_aten, "tf32", lambda: tf32[-1])
    monkeypatch.setattr(paddle_aten, "set_tf32", tf32.append)
    with pytest.raises(ZeroDivisionError), devices.full_precision():
        assert tf32[-1] is within
        raise ZeroDivisionError
    assert tf32[-1] is before
