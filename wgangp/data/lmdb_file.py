"""Reading the images of an LSUN database without the library lmdb, in which a damaged file would end the process."""

import io
import os
import struct
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from wgangp.errors import InputError
from wgangp.runtime.files import reading


class Lmdb:
    """The images in an LSUN database, in the order of their keys (hashes).

    Every position is checked against the length of the file before it is read. The format has no checksum: a damaged
    image is noticed only if it cannot be decoded.

    Args:
        path: a folder such as bedroom_train_lmdb.

    Raises:
        InputError: the folder is not such a database.

    Source: mdb.c of LMDB 0.9, format version 1 of 64-bit little-endian machines.
    """

    BRANCH, LEAF, OVERFLOW = 1, 2, 4  # flags of pages
    INLINE, FAR = 0, 1  # flags of a leaf's nodes: the value follows the key, or has pages of its own

    def __init__(self, path: Path | str):
        self.path = Path(path)
        if not (self.path / "data.mdb").is_file():
            raise InputError(f"{path} is not an LSUN database (it has no file data.mdb); unpack it again.")
        with self.reading():
            self.file = open(self.path / "data.mdb", "rb")
            self.length = os.fstat(self.file.fileno()).st_size
            first = self._meta(0)
            self.page_size = first[1]
            _, _, self.depth, self.entries, self.root = max(first, self._meta(self.page_size), key=lambda meta: meta[0])
            if self.page_size not in (1 << i for i in range(9, 17)) or self.depth > 32:
                raise ValueError("its first page is damaged")

    def reading(self) -> AbstractContextManager[None]:
        """A context that turns exceptions into one sentence."""
        return reading(self.path, "damaged or not an LSUN database")

    def _read(self, offset, count):
        raw = os.pread(self.file.fileno(), count, offset) if offset + count <= self.length else b""
        if len(raw) < count:
            raise ValueError(f"it ends before byte {offset + count}")
        return raw

    def _meta(self, offset):
        """Transaction, page size, and depth, entries and root of the data, from one of the first two pages."""
        # magic, version, address, size; for free pages and then for the data: page size, flags, depth, numbers of
        # branch, leaf and overflow pages, entries, root; last page, transaction
        fields = struct.unpack("<2I2Q I2H5Q I2H5Q 2Q", self._read(offset + 16, 136))
        if fields[:2] != (0xBEEFC0DE, 1):
            raise ValueError("no meta page")
        return fields[21], fields[4], fields[14], fields[18], fields[19]

    def _page(self, number, kind, count):
        """The bytes of a page and, for a page of the tree, the end of its list of nodes; else how many pages follow."""
        raw = self._read(number * self.page_size, count)
        own, flags, pages = struct.unpack_from("<Q2xHI", raw)
        if own != number or not flags & kind:
            raise ValueError(f"page {number} is damaged")
        return raw, pages if kind == self.OVERFLOW else pages & 0xFFFF

    def _nodes(self, number, depth):
        raw, end = self._page(number, self.BRANCH if depth > 1 else self.LEAF, self.page_size)
        if end < 18:
            raise ValueError(f"page {number} is empty")
        for at in struct.unpack_from(f"<{(end - 16) // 2}H", raw, 16):
            size, flags, key_size = struct.unpack_from("<I2H", raw, at)
            if depth > 1:
                yield from self._nodes(size | flags << 32, depth - 1)
                continue
            at += 8 + key_size
            key, offset = raw[at - key_size : at], number * self.page_size + at
            if flags == self.FAR:
                (first,) = struct.unpack_from("<Q", raw, at)
                offset = first * self.page_size + 16
                if self._page(first, self.OVERFLOW, 16)[1] * self.page_size < 16 + size:
                    raise ValueError(f"page {first} is damaged")
            elif flags != self.INLINE or at + size > self.page_size:
                raise ValueError(f"page {number} is damaged")
            if offset + size > self.length:
                raise ValueError(f"it ends before byte {offset + size}")
            yield key, offset, size

    def locate_images(self) -> Iterator[tuple[bytes, int, int]]:
        """Find the images in the file.

        Yields:
            Key, offset in the file and length in bytes, in the order of keys.

        Raises:
            InputError: a page is damaged or missing.
        """
        with self.reading():
            last, count = None, 0
            for key, offset, size in self._nodes(self.root, self.depth) if self.entries else ():
                if last is not None and key <= last:
                    raise ValueError("its keys are out of order")
                yield key, offset, size
                last, count = key, count + 1
            if count != self.entries:
                raise ValueError(f"{count} of {self.entries} images")

    def __len__(self):
        return self.entries

    def __iter__(self):
        for key, offset, size in self.locate_images():
            with self.reading():
                raw = self._read(offset, size)
            yield io.BytesIO(raw), f"{self.path}, key {key.decode('latin1')}"
