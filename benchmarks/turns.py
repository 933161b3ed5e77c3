"""Sides of a comparison, each in a process of its own, that take turns block by block."""

import json
import statistics
import subprocess
import sys
import time


class Side:
    """A process that answers requests, a line of JSON each.

    Args:
        command: arguments of this Python that start it; it calls `serve`.
        environment: its environment variables.
    """

    def __init__(self, command, environment=None):
        command = [sys.executable, *command]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def ask(self, *request):
        """The answer to a request."""
        print(json.dumps(request), file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        if not answer:
            sys.exit(f"The process ended while it ran {request}; its last words are above.")
        return json.loads(answer)


def serve(answer):
    """Answer the requests that come on the standard input.

    Args:
        answer: a function of a request's parts.
    """
    answers, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        print(json.dumps(answer(*json.loads(line))), file=answers, flush=True)


def milliseconds(iteration, repeats, synchronize=lambda: None):
    """Of one iteration, on average over some."""
    synchronize()
    began = time.perf_counter()
    for _ in range(repeats):
        iteration()
    synchronize()
    return 1000 * (time.perf_counter() - began) / repeats


def compared(blocks, ways):
    """Times of several ways of doing the same, in alternated blocks, the first of which warms up.

    Args:
        blocks: how many count.
        ways: {name: a function that gives the milliseconds of a block}; the others are compared with the first.

    Returns:
        {name: (list of milliseconds, list of ratios to the first way's in the same block)}.
    """
    times = {name: [] for name in ways}
    for block in range(blocks + 1):
        for name, way in ways.items():
            spent = way()
            if block:
                times[name].append(spent)
    first = next(iter(times.values()))
    return {name: (spent, [a / b for a, b in zip(spent, first, strict=True)]) for name, spent in times.items()}


def line(values, digits=2):
    """Median (lowest, highest)."""
    values = [statistics.median(values), min(values), max(values)]
    return "{} ({}, {})".format(*(f"{value:.{digits}f}" for value in values))
