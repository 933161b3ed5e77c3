"""Where the report's links lead: into the project's repository where it has an address, else into the checkout."""

import os
import tomllib
from urllib.parse import quote

import yaml

from reproduction import results


def repository() -> str | None:
    """The project's address: `repository-code` of CITATION.cff or `Repository` among pyproject.toml's URLs.

    Returns:
        A URL without a slash at its end; None where neither file names one.
    """
    citation = yaml.safe_load((results.ROOT / "CITATION.cff").read_text("utf-8"))
    project = tomllib.loads((results.ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    url = citation.get("repository-code") or project.get("urls", {}).get("Repository")
    return url.rstrip("/").removesuffix(".git") if url else None


def address(path: str, url: str | None = None) -> str:
    """What a link to a file of the project leads to.

    Args:
        path: of the file in the checkout, with slashes.
        url: the repository's, as of `repository`; None for a link to the file on disk.

    Returns:
        A URL in the repository, or one relative to the output root, to the file there or else in the checkout.
    """
    if url:
        return f"{url}/blob/HEAD/{quote(path)}"
    root = results.output_root()
    place = root / path if (root / path).exists() else results.ROOT / path
    return quote(os.path.relpath(place, root))


def commits(words: str, url: str | None = None) -> list[tuple[str, str | None]]:
    """The commits that a row names, each with its address.

    Args:
        words: of a row's `commit`: one or several, parted by spaces.
        url: as of `address`.

    Returns:
        A list of (commit, URL or None).
    """
    known = set(words.split()) - {"unknown"}
    return [(commit, f"{url}/commit/{commit.removesuffix('-dirty')}" if url else None) for commit in sorted(known)]
