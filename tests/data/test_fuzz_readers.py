import subprocess
import sys

import fuzz_readers
import pytest


@pytest.mark.parametrize("count", [50, pytest.param(1000, marks=pytest.mark.slow)])
def test_damaged_files_and_random_pickles_raise_input_errors_alone(tmp_path, count):
    command = [sys.executable, fuzz_readers.__file__, str(tmp_path / "damaged"), str(count)]
    done = subprocess.run(command, capture_output=True, text=True)
    names = [*fuzz_readers.READERS, *fuzz_readers.PICKLES]
    assert done.stdout == "".join(f"{name}: ok\n" for name in names), done.stdout + done.stderr
