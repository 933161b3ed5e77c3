"""Notebooks run from notebooks/ by the usual tools, whatever kernel they were saved with."""

import os
import shutil
import subprocess
import sys

import nbformat
import pytest

from reproduction import notebooks, results
from reproduction.experiment import names
from wgangp import InputError

NAME = "table2_random_architectures"  # draws from rows alone


def kernel_of(path):
    return nbformat.read(path, as_version=4).metadata.kernelspec.name


@pytest.mark.parametrize("name", names())
def test_committed_notebooks_name_the_kernel_that_every_environment_has(name):
    assert kernel_of(results.ROOT / "notebooks" / f"{name}.ipynb") == "python3"


def test_kernel_that_does_not_exist_is_replaced(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "ROOT", tmp_path)
    monkeypatch.setenv("WGANGP_OUTPUT", str(tmp_path / "output"))
    (tmp_path / "notebooks").mkdir()
    cells = [
        nbformat.v4.new_code_cell("tier = 1", metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell("tier"),
    ]
    gone = {"display_name": "Gone", "language": "julia", "name": "gone"}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": gone})
    nbformat.write(notebook, tmp_path / "notebooks" / "one.ipynb")
    path = notebooks.execute("one", "short")
    assert kernel_of(path) == "python3"
    assert nbformat.read(path, as_version=4).cells[1].outputs[0].data["text/plain"] == "'short'"


@pytest.mark.slow
@pytest.mark.parametrize(
    "command", ["nbconvert --to notebook --execute NAME.ipynb --output drawn.ipynb", "papermill NAME.ipynb drawn.ipynb"]
)
def test_runs_from_its_folder(tmp_path, command):
    shutil.copytree(results.ROOT / "notebooks", tmp_path / "notebooks")
    shutil.copytree(results.ROOT / "results", tmp_path / "results", ignore=shutil.ignore_patterns("*.npz"))
    environment = os.environ | {"PYTHONPATH": str(results.ROOT), "WGANGP_OUTPUT": str(tmp_path)}  # as if installed
    command = [sys.executable, "-m", *command.replace("NAME", NAME).split()]
    done = subprocess.run(command, cwd=tmp_path / "notebooks", env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "paper_figures" / f"{NAME}.png").exists()
    cells = nbformat.read(tmp_path / "notebooks" / "drawn.ipynb", as_version=4).cells
    assert all(cell.execution_count for cell in cells if cell.cell_type == "code")


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"\xff",
        b"[]",
        b"{}",
        b"[" * 100_000,
        b'{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}',
    ],
)
def test_damaged_notebook_is_refused_in_a_sentence(tmp_path, monkeypatch, text):
    monkeypatch.setattr(results, "ROOT", tmp_path)
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "one.ipynb").write_bytes(text)
    with pytest.raises(InputError, match="one.ipynb is not a notebook with one cell tagged 'parameters'") as told:
        notebooks.execute("one")
    assert len(str(told.value).splitlines()) == 1


def test_kernel_that_dies_is_told_in_a_sentence(monkeypatch):
    def dies(*_, **__):
        raise RuntimeError("Kernel died")

    monkeypatch.setattr("papermill.execute_notebook", dies)
    with pytest.raises(InputError, match=f"notebook {NAME} cannot be executed: Kernel died."):
        notebooks.execute(NAME)
