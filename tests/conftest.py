import os
import shutil

os.environ.setdefault("OMP_NUM_THREADS", "1")

from wgangp.runtime import devices

devices.load_aten()  # before paddle is imported, which also reads what importing wgangp sets

import paddle  # noqa: E402
import pytest  # noqa: E402
import yaml  # noqa: E402


@pytest.fixture(autouse=True)
def seeded():
    paddle.seed(0)


@pytest.fixture
def float64():
    paddle.set_default_dtype("float64")
    yield
    paddle.set_default_dtype("float32")


@pytest.fixture
def edited(tmp_path, monkeypatch):
    """Makes Figure 1's experiment with a config.yaml that a function has changed, or with these bytes for one."""
    from reproduction import experiment

    name, folder = "fig1_gradient_norms", tmp_path / "experiments"
    shutil.copytree(experiment.FOLDER / name, folder / name)
    monkeypatch.setattr(experiment, "FOLDER", folder)
    monkeypatch.setenv("WGANGP_OUTPUT", str(tmp_path))

    def edit(change):
        path = folder / name / "config.yaml"
        if isinstance(change, bytes):
            path.write_bytes(change)
        else:
            values = yaml.safe_load(path.read_text())
            change(values)
            path.write_text(yaml.safe_dump(values))
        return experiment.Experiment(name)

    return edit
