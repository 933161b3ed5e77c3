"""How a command ends, in one sentence and with its processes: at Ctrl-C, SIGTERM, an error, the death of its parent."""

import os
import signal
import sys
import threading
import time
from contextlib import contextmanager


def end(*_):
    """A handler for while a command is being imported and nothing has begun."""
    os.write(2, b"\nwgangp: stopped.\n")
    os._exit(130)


def interrupt(*_):
    """A handler that raises KeyboardInterrupt at the first signal, so that what runs ends in order, undisturbed."""
    listen(signal.SIG_IGN)
    raise KeyboardInterrupt


def listen(handler):
    """Set the handler of SIGINT and SIGTERM, but of those that are ignored, as in a shell's background jobs.

    Args:
        handler: as of `signal.signal`.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, handler)


@contextmanager
def importing():
    """A context to import Paddle in, and to call `listen` again: Paddle answers SIGTERM by itself, with a stack of C++.

    A SIGTERM that arrives meanwhile is handled at the context's end.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])


def is_command():
    """Whether this process is `wgangp` or `python -m wgangp`."""
    module = sys.orig_argv[-len(sys.argv) - 1 :][:2]  # of `python -m wgangp run` they are -m and wgangp
    return os.path.basename(sys.argv[0]) == "wgangp" or module == ["-m", "wgangp"]


def environment(**more):
    """The environment of a process that calls `end_with_parent`.

    Args:
        more: variables of its own.
    """
    return os.environ | {"WGANGP_PARENT": str(os.getpid())} | more


def end_with_parent():
    """End this process when the one that started it is gone, also when it has gone before."""
    parent = os.environ.pop("WGANGP_PARENT", None)

    def watch():
        while os.getppid() == int(parent):
            time.sleep(0.5)
        os._exit(1)

    if parent:
        threading.Thread(target=watch, daemon=True).start()


def sentence(error):
    """What to tell the user about an exception, also about one of the system: no rights, no space, a name too long.

    Raises:
        OSError: the exception itself, where it is a defect and has no error number, as Paddle's.
    """
    if not isinstance(error, OSError):
        return str(error)
    if error.errno is None:
        raise error
    return f"{error.filename or 'the system'}: {error.strerror}; mend that and run again."
