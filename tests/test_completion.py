"""What Tab completes: the answers that the shell gets."""

import os
import subprocess
import sys

import pytest

from reproduction.experiment import names
from reproduction.results import ROOT


def answers(line, tmp_path):
    """What argcomplete's shell function would offer for a line."""
    file = tmp_path / "answers"
    asked = {"_ARGCOMPLETE": "1", "_ARGCOMPLETE_IFS": "\n", "_ARGCOMPLETE_STDOUT_FILENAME": str(file)}
    asked |= {"COMP_LINE": line, "COMP_POINT": str(len(line)), "_ARGCOMPLETE_COMP_WORDBREAKS": " \t\n"}
    code = "import sys; sys.argv[0] = 'wgangp'; from reproduction.__main__ import main; main()"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=os.environ | asked, check=False, timeout=60)
    return [answer.strip() for answer in file.read_text().split("\n")]


@pytest.mark.parametrize("command", ["run", "show", "compare", "notebook"])
def test_experiments_are_completed(command, tmp_path):
    assert answers(f"wgangp {command} table", tmp_path) == [name for name in names() if name.startswith("table")]


def test_commands_and_settings_are_completed(tmp_path):
    assert answers("wgangp comp", tmp_path) == ["compare"]
    offered = answers("wgangp run fig4 --setting ", tmp_path)
    assert sorted(offered) == sorted(["weight\\ clipping", "GP\\ RMSProp", "GP\\ Adam", "DCGAN"])
