"""A process that runs jobs, read from its standard input, a line of JSON each: python -m reproduction.worker BAR."""

import json
import sys

from reproduction.interrupts import end_with_parent, sentence
from wgangp.errors import BudgetSpent, Diverged, InputError, InUse
from wgangp.runtime import devices
from wgangp.runtime.progress import Progress

devices.load_aten()  # before Paddle is imported

from reproduction.experiment import Experiment  # noqa: E402
from reproduction.job import Job, run_job  # noqa: E402


def outcome(name: str, setting: str, tier: str, seed: int, deadline: float | None, device: dict) -> str:
    """Run one job; return "done", "spent", "elsewhere" (another process does or did it) or "failed"."""
    try:
        return "done" if run_job(Job(Experiment(name), setting, tier, seed, deadline), **device) else "elsewhere"
    except BudgetSpent:
        return "spent"
    except (InputError, Diverged, OSError) as error:
        print(f"wgangp: {sentence(error)}", file=sys.stderr, flush=True)
        return "elsewhere" if isinstance(error, InUse) else "failed"


if __name__ == "__main__":
    end_with_parent()
    Progress.position = int(sys.argv[1])
    answers, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        print(outcome(**json.loads(line)), file=answers, flush=True)
