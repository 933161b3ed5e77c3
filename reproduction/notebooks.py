"""Executes the notebooks, which read results and draw figures."""

import logging
import os
import tempfile
from pathlib import Path

from reproduction import results
from wgangp.errors import InputError
from wgangp.runtime.files import replacing

PARAMETERS = "tier = {!r}  # draw what was last run at this tier; None: the best there is"
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}  # that every environment has


def execute(name: str, tier: str | None = None) -> Path:
    """Execute notebooks/<name>.ipynb and keep it with its outputs in the output root.

    What papermill notes of times and paths is left out, so that the same results give the same file; so is the plain
    text of tables. It is run by this environment's Python, whatever kernel it names, and names `python3` afterwards.

    Args:
        name: the experiment.
        tier: draw what was last run at this tier; None for the best there is.

    Returns:
        The executed notebook's path.

    Raises:
        InputError: there is no such notebook, it is damaged, or a cell failed.
    """
    source = results.ROOT / "notebooks" / f"{name}.ipynb"
    if not source.exists():
        raise InputError(f"there is no notebook {source}.")
    import nbformat  # here, since they take long to import and no other command needs them
    import papermill
    from jupyter_client.kernelspec import NoSuchKernel

    logging.getLogger("papermill").setLevel(logging.WARNING)
    os.environ.setdefault("JUPYTER_PREFER_ENV_PATH", "1")  # this environment's kernel, not the user's
    with tempfile.TemporaryDirectory() as folder:
        prepared, executed = Path(folder) / "prepared.ipynb", Path(folder) / "executed.ipynb"
        try:
            notebook = nbformat.read(source, as_version=4)
            (parameters,) = (cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", []))
        except (ValueError, KeyError, AttributeError, TypeError, RecursionError, nbformat.ValidationError) as error:
            raise InputError(f"{source} is not a notebook with one cell tagged 'parameters' ({error}).") from None
        parameters.source = PARAMETERS.format(tier)
        notebook.metadata.kernelspec = KERNEL  # whatever kernel it was last saved with
        nbformat.write(notebook, prepared)
        try:
            papermill.execute_notebook(
                prepared,
                executed,
                kernel_name=KERNEL["name"],
                progress_bar=False,
                log_output=False,
                cwd=results.ROOT,
                extra_arguments=["--IPKernelApp.log_level=50"],  # it warns of its own transport
            )
        except papermill.PapermillExecutionError as error:
            raise InputError(
                f"notebook {name} failed in cell {error.cell_index}: {error.ename}: {error.evalue}"
            ) from None
        except (RuntimeError, NoSuchKernel) as error:  # the kernel died, did not answer, or is not installed
            raise InputError(f"notebook {name} cannot be executed: {error}.") from None
        notebook = nbformat.read(executed, as_version=4)
    notebook.metadata.pop("papermill", None)
    for cell in notebook.cells:
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            if "text/html" in output.get("data", {}):
                output.data.pop("text/plain", None)  # the same table once more
    target = results.output_root() / "notebooks" / f"{name}.ipynb"
    with replacing(target) as file:
        file.write(nbformat.writes(notebook).encode())
    return target
