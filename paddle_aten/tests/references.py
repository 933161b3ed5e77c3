"""What Paddle's own CPU kernels give: python -m paddle_aten.tests.references FOLDER writes all of it.

Tests compute it in a process of its own, or read it from $PADDLE_ATEN_REFERENCES, for machines where Paddle's
own kernels do not run.
"""

import os
import sys
from pathlib import Path

import numpy as np


def write(folder):
    """Write operators.npz and optimizers.npz into a folder."""
    import paddle

    from paddle_aten.tests import operators, optimizers

    paddle.set_device("cpu")
    Path(folder).mkdir(parents=True, exist_ok=True)
    operators.save(Path(folder, "operators.npz"))
    found = {f"{name}/{dtype}": optimizers.optimised(name, dtype) for name, dtype in optimizers.CASES}
    np.savez(Path(folder, "optimizers.npz"), **found)


def folder(scratch):
    """A folder with all of it."""
    given = os.environ.get("PADDLE_ATEN_REFERENCES")
    if given is None:
        from paddle_aten.tests.conftest import without_device

        without_device([sys.executable, "-m", "paddle_aten.tests.references", str(scratch)])
    return Path(given or scratch)


if __name__ == "__main__":
    write(sys.argv[1])
