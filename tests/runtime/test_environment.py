"""The environment is read in wgangp.runtime alone, and importing the library changes little of it."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from wgangp import InputError
from wgangp.runtime import environment

WGANGP = Path(environment.__file__).parents[1]


def test_a_folder_is_the_variables_or_the_default(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    for value, folder in (("out", "out"), ("~/out", "/home/me/out"), ("", "default")):
        monkeypatch.setenv("WGANGP_DATA", value)
        assert environment.named_folder("WGANGP_DATA", "default") == Path(folder)
    assert environment.data_folder() == Path("data")
    monkeypatch.setenv("WGANGP_DATA", "~nosuchuser/out")
    with pytest.raises(InputError, match="WGANGP_DATA is ~nosuchuser/out: there is no such user"):
        environment.data_folder()


def test_offline_is_what_is_set_and_not_empty(monkeypatch):
    for value, is_offline in (("1", True), ("", False)):
        monkeypatch.setenv("WGANGP_OFFLINE", value)
        assert environment.is_offline() is is_offline
    monkeypatch.delenv("WGANGP_OFFLINE")
    assert not environment.is_offline()


def test_only_the_runtime_reads_the_environment():
    readers = {path for path in WGANGP.rglob("*.py") if re.search(r"environ\b(?!ment)|getenv|putenv", path.read_text())}
    assert WGANGP / "runtime" / "environment.py" in readers
    assert {path.parent for path in readers} == {WGANGP / "runtime"}


def test_importing_sets_only_variables_of_threads_and_mkl():
    script = "import os, json; before = dict(os.environ); import wgangp; print(json.dumps([before, dict(os.environ)]))"
    printed = subprocess.run([sys.executable, "-c", script], cwd=WGANGP.parent, capture_output=True, check=True)
    before, after = (set(variables.items()) for variables in json.loads(printed.stdout))
    changed = {name for name, _ in before ^ after}
    assert all(name.startswith(("OMP_", "MKL_")) for name in changed), changed
