"""How a command ends at Ctrl-C, SIGTERM, an error or its parent's end: with one sentence, and its processes with it."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


def end(*_: object) -> None:
    """A handler for the time in which modules are imported and nothing has begun."""
    os.write(2, b"\nwgangp: stopped.\n")
    os._exit(130)


def interrupt(*_: object) -> None:
    """A handler that raises KeyboardInterrupt at the first signal and ignores later ones, so that all ends in order."""
    listen(signal.SIG_IGN)
    raise KeyboardInterrupt


def listen(handler: Callable | int) -> None:
    """Set the handler of SIGINT and SIGTERM, except where they are ignored, as in a shell's background jobs.

    Args:
        handler: as of `signal.signal`.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, handler)


@contextmanager
def importing() -> Iterator[None]:
    """A context in which to import Paddle and then call `listen`, since Paddle sets a handler of SIGTERM of its own.

    That one prints a C++ stack. A SIGTERM that arrives within the context is handled at its end.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])


def is_command() -> bool:
    """Whether this process is `wgangp` or `python -m wgangp`."""
    module = sys.orig_argv[-len(sys.argv) - 1 :][:2]  # of `python -m wgangp run` they are -m and wgangp
    return os.path.basename(sys.argv[0]) == "wgangp" or module == ["-m", "wgangp"]


def environment(**more: str) -> dict[str, str]:
    """The environment of a process that calls `end_with_parent`.

    Args:
        more: variables of its own.
    """
    return os.environ | {"WGANGP_PARENT": str(os.getpid())} | more


def end_with_parent() -> None:
    """End this process when the one that started it ends, or has ended before."""
    parent = os.environ.pop("WGANGP_PARENT", "")

    def watch():
        while os.getppid() == int(parent):
            time.sleep(0.5)
        os._exit(1)

    if parent.isdecimal():
        threading.Thread(target=watch, daemon=True).start()


def sentence(error: Exception) -> str:
    """The message about an exception, also about the operating system's: no permission, no space, a name too long.

    Raises:
        OSError: the exception itself, where it is a defect and has no error number, as Paddle's.
    """
    if not isinstance(error, OSError):
        return str(error)
    if error.errno is None:
        raise error
    return f"{error.filename or 'the system'}: {error.strerror}; fix that and run again."
