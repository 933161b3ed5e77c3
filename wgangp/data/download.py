"""Downloads the data files of the catalogue and verifies that they are the published ones."""

import hashlib
import os
import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pooch

from wgangp.data import catalogue, formats
from wgangp.data.lmdb_file import Lmdb
from wgangp.errors import InputError
from wgangp.runtime import environment
from wgangp.runtime.files import reading

LARGEST_AUTOMATIC = 500  # MB; larger files are downloaded by `wgangp data fetch` only
LSUN_BEDROOMS = 3_033_042


def obtain(name: str) -> Path:
    """The path of a file, which is downloaded first if it is missing and not larger than 500 MB.

    If the environment variable WGANGP_OFFLINE is set, nothing is downloaded.

    Args:
        name: of an entry in FILES.

    Raises:
        Missing: it does not exist and cannot be downloaded.
    """
    file = catalogue.get_entry(name)
    small = file.url is not None and file.megabytes <= LARGEST_AUTOMATIC
    if catalogue.find(name) is None and small and not environment.is_offline():
        return fetch(name)
    return catalogue.locate(name)


def fetch(name: str) -> Path:
    """Download a file (under a temporary name), check it and unpack it if it is a .zip.

    Args:
        name: of an entry in FILES.

    Returns:
        The path; if the file exists already, its path, unchecked.

    Raises:
        Missing: the download failed, or the file at the address is not the published one.
    """
    file = catalogue.get_entry(name)
    path = catalogue.find(name)
    if path is not None and path.suffix != ".zip":
        return path
    if file.url is None:
        raise catalogue.Missing(catalogue.missing_message(file))
    if environment.is_offline():
        raise catalogue.Missing(catalogue.missing_message(file, ", and WGANGP_OFFLINE forbids to download it"))
    try:
        environment.data_folder().mkdir(parents=True, exist_ok=True)
        downloader = pooch.HTTPDownloader(progressbar=True, timeout=10)
        path = Path(
            pooch.retrieve(file.url, file.known_hash, file.file, environment.data_folder(), downloader=downloader)
        )
        if path.suffix == ".zip":
            path = _unzip(path)
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        reason = "the file at the address is another one" if "hash" in str(error) else _reason(error)
        raise catalogue.Missing(catalogue.missing_message(file, f" and its download failed ({reason})")) from None
    return path


def _reason(error):
    if isinstance(error, PermissionError):
        return f"no right to write into {environment.data_folder()}"
    return getattr(error, "strerror", None) or type(error).__name__


def _unzip(path):
    part, folder = path.with_suffix(".unpacking.part"), path.with_suffix("")
    with zipfile.ZipFile(path) as file:
        file.extractall(part)
    os.replace(part / folder.name, folder)
    shutil.rmtree(part)
    return folder


def file_hash(path: Path | str, algorithm: str = "sha256", unpack: bool = False) -> str:
    """The hash of a file.

    Args:
        path: of the file.
        algorithm: as hashlib calls it.
        unpack: whether to hash the unpacked contents of a file that gzip packed.

    Returns:
        Hexadecimal digits.

    Raises:
        InputError: it cannot be read or unpacked.
    """
    digest = hashlib.new(algorithm)
    with reading(path), formats.open_unpacked(path) if unpack else open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def verify(name: str) -> str:
    """Check that a file is the published one, or has the published content in another archive.

    Args:
        name: of an entry in FILES.

    Returns:
        One line: the path and its contents.

    Raises:
        InputError: it is missing, damaged or something else.
    """
    file, path = catalogue.get_entry(name), catalogue.locate(name)
    wrong_file = InputError(f"{path} is not the file that was published; delete it and fetch it again.")
    if path.name == file.file:
        algorithm, digest = file.known_hash.split(":")
        if file_hash(path, algorithm) == digest:
            return f"{path}: the publisher's file"
        if not file.contents or path.suffix == ".zip":
            raise wrong_file
    if path.name == "bedroom_train_lmdb":
        count = sum(1 for _ in Lmdb(path).locate_images())
        if count != LSUN_BEDROOMS:
            raise InputError(f"{path} has {count} of {LSUN_BEDROOMS} images; unpack it again.")
        return f"{path}: {count} images, as published"
    if file.name == "billion_word":
        return f"{path}: {len(catalogue.list_shards(path))} of 99 training shards, no checksum is known"
    if not file.contents:
        return f"{path}: no checksum is known"
    hashes = _content_hashes(file, path)
    if all(digest in file.contents for digest in hashes):
        return f"{path}: {', '.join(file.contents[digest] for digest in hashes)}"
    if file.name == "lsun_bedroom":
        return f"{path}: readable images, no checksum is known"
    raise wrong_file


def _content_hashes(file, path):
    if file.name == "lsun_bedroom":
        return [hashlib.sha256(formats.read_folder(path, 64)).hexdigest()]
    if file.name != "cifar10":
        return [file_hash(path, unpack=True)]
    hashes = []
    for split in ("train", "test"):
        images, labels = formats.read_cifar10(path, split)
        hashes += [hashlib.sha256(images).hexdigest(), hashlib.sha256(labels.astype("uint8")).hexdigest()]
    if path.is_dir() and file_hash(path / "test_batch", "md5") in file.contents:
        hashes[2:] = [file_hash(path / "test_batch", "md5")]
    return hashes


def fetch_data(names: Sequence[str]) -> str:
    """Download files, as `wgangp data fetch NAME...` does.

    Args:
        names: of entries in `catalogue.FILES` or `catalogue.GROUPS`.

    Returns:
        Text: a line for each file.

    Raises:
        InputError: a name is unknown, or a file cannot be downloaded.
    """
    if not names:
        names = [*catalogue.GROUPS, *(file.name for file in catalogue.FILES)]
        raise InputError(f"name the files to fetch: {', '.join(names)}.")
    return "\n".join(f"{name}: {fetch(name)}" for name in catalogue.expand_groups(names))


def verify_data(names: Sequence[str] = ()) -> str:
    """Verify files, as `wgangp data verify [NAME...]` does.

    Args:
        names: of entries in `catalogue.FILES` or `catalogue.GROUPS`; empty for all files that exist.

    Returns:
        Text: a line for each file.

    Raises:
        InputError: a file is missing, damaged or something else; the message has a line for each.
    """
    lines, errors = [], []
    for name in catalogue.expand_groups(names) or [file.name for file in catalogue.FILES if catalogue.find(file.name)]:
        try:
            lines.append(f"{name}: {verify(name)}")
        except InputError as error:
            errors.append(f"{name}: {error}")
    if errors:
        raise InputError("\n".join(errors))
    return "\n".join(lines) or f"there is no data in {environment.data_folder()}."
