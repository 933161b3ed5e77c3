"""A process that runs jobs: python -m wgangp.worker BAR reads them from its standard input, a line of JSON each."""

import json
import os
import sys
import threading
import time

from wgangp.errors import BudgetSpent, Diverged, InputError
from wgangp.experiment import Experiment, Job, run_job
from wgangp.progress import Progress


def exit_with_parent():
    """End this process when the one that started it is gone."""
    parent = os.getppid()

    def watch():
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def outcome(name, setting, tier, seed, deadline, device):
    """Run one job; return "done", "spent" or "failed"."""
    try:
        run_job(Job(Experiment(name), setting, tier, seed, deadline), **device)
        return "done"
    except BudgetSpent:
        return "spent"
    except (InputError, Diverged) as error:
        print(f"wgangp: {error}", file=sys.stderr, flush=True)
        return "failed"


if __name__ == "__main__":
    exit_with_parent()
    Progress.position = int(sys.argv[1])
    answers, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        print(outcome(**json.loads(line)), file=answers, flush=True)
