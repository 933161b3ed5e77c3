import os
import tracemalloc

import pytest

from wgangp.data import catalogue
from wgangp.runtime import environment


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
        if catalogue.find(name) is None:
            pytest.skip(f"{catalogue.get_entry(name).file} is not in {environment.data_folder()} (WGANGP_DATA)")

    return need


@pytest.fixture
def closed(folder):
    """The data folder, without rights for whoever runs the test."""
    user = os.geteuid()
    folder.chmod(0)
    if user == 0:  # root may look into every folder
        os.seteuid(65534)
    yield folder
    os.seteuid(user)
    folder.chmod(0o700)


@pytest.fixture
def memory():
    """Takes a function and gives the bytes that Python and numpy held at most while it ran."""

    def most(function, *arguments):
        tracemalloc.start()
        try:
            function(*arguments)
        finally:
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        return peak

    return most
