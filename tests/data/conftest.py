import pytest

from wgangp.data import registry


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty data folder, and no downloads."""
    monkeypatch.setenv("WGANGP_DATA", str(tmp_path))
    monkeypatch.setenv("WGANGP_OFFLINE", "1")
    return tmp_path


@pytest.fixture
def real_data(folder, monkeypatch):
    """Takes a name: points back at the user's data, or skips where they lack it."""

    def need(name):
        monkeypatch.undo()
        monkeypatch.setenv("WGANGP_OFFLINE", "1")
        if registry.find(name) is None:
            pytest.skip(f"{registry.known(name).file} is not in {registry.root()} (WGANGP_DATA)")

    return need
