"""What is said of the library of fused kernels."""

import paddle_aten
from wgangp.runtime import kernels


def test_describe_says_why_the_library_cannot_be_used(monkeypatch):
    monkeypatch.setattr(paddle_aten, "installed", lambda: {"paddle": "3.3.1", "torch": None})
    assert kernels.describe().startswith("not usable: PyTorch is not installed")


def test_describe_names_the_library_and_what_it_computes_on(monkeypatch):
    monkeypatch.setattr(kernels, "check", lambda: "lib/libpaddle_aten.so")
    monkeypatch.setattr(kernels, "installed", lambda: {"torch": "2.13.0"})
    for is_cuda, processor in ((True, "GPU"), (False, "CPU")):
        monkeypatch.setattr(kernels, "is_cuda", lambda is_cuda=is_cuda: is_cuda)
        assert kernels.describe() == f"lib/libpaddle_aten.so, for PyTorch 2.13.0; --device aten is on the {processor}"
