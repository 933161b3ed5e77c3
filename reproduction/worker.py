"""A process that runs jobs, read from its standard input, a line of JSON each: python -m reproduction.worker.

It answers on its standard output, a line of JSON each: {"progress": ...} while a job runs, {"outcome": ...} at its end.
"""

import json
import os
import sys

from reproduction.interrupts import end_with_parent, sentence
from wgangp.errors import BudgetSpent, Diverged, InputError, InUse
from wgangp.runtime import devices
from wgangp.runtime.progress import Progress

devices.load_aten()  # before Paddle is imported

from reproduction.experiment import Experiment  # noqa: E402
from reproduction.job import Job, run_job  # noqa: E402


def outcome(
    name: str, setting: str, tier: str, seed: int, deadline: float | None, device: dict, kind: type[Job] = Job
) -> tuple[str, str]:
    """Run one job.

    Args:
        name, setting, tier, seed: as of `Job.about`.
        deadline: as of `Job`.
        device: arguments of `devices.choose`.
        kind: the class of the job.

    Returns:
        "done", "spent", "elsewhere" (another process does or did it) or "failed", and a sentence about it or "".
    """
    try:
        return "done" if run_job(kind(Experiment(name), setting, tier, seed, deadline), **device) else "elsewhere", ""
    except BudgetSpent:
        return "spent", ""
    except (InputError, Diverged, OSError) as error:
        return "elsewhere" if isinstance(error, InUse) else "failed", sentence(error)


if __name__ == "__main__":
    end_with_parent()
    stream, sys.stdout = sys.stdout, sys.stderr

    def answer(**message: object) -> None:
        """Write a line to the process that asked; end where it is gone."""
        try:
            print(json.dumps(message), file=stream, flush=True)
        except BrokenPipeError:
            os._exit(1)

    Progress.listener = lambda progress: answer(progress=progress)
    for line in sys.stdin:
        try:
            result, explanation = outcome(**json.loads(line))
        except MemoryError:
            result, explanation = "failed", "there is too little memory for this run; use fewer --jobs or more memory."
        if explanation:
            print(f"wgangp: {explanation}", file=sys.stderr, flush=True)
        answer(outcome=result)
