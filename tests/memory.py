"""The memory that a process which reads damaged files may take."""

import resource
from pathlib import Path


def limit(more):
    """Let this process take no more memory than it has, and as many bytes more."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + more, resource.RLIM_INFINITY))
