"""python -m wgangp: the command line of the package `reproduction`."""

import sys

from reproduction.__main__ import main

if __name__ == "__main__":
    sys.exit(main())
