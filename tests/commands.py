"""Commands as a user starts them, and the processes that they have."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from reproduction import results


def start_command(*arguments, stderr=subprocess.STDOUT, **environment):
    """Start `wgangp` with arguments and variables of the environment; Ctrl-C reaches it."""
    return subprocess.Popen(
        [sys.executable, "-m", "wgangp", *arguments],
        cwd=results.ROOT,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=stderr,
        encoding="utf-8",
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background jobs ignore it
    )


def processes_of(output, word=""):
    """The command lines, with this word in them, of all processes that write into a folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"WGANGP_OUTPUT={output}".encode() in path.read_bytes():
                found.append((path.parent / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            pass  # gone
    return [line for line in found if word in line]
