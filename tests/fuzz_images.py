"""Damages image and array files in many ways and reads them as `wgangp score` does: python fuzz_images.py COUNT SEED.

Exits with 0 where each was read or refused with an InputError, a damaged PNG never read as other pixels; memory is
limited to 1 GB more than the process has at its start.
"""

import io
import sys
import tempfile
import zlib
from pathlib import Path

import memory
import numpy as np
from PIL import Image

from reproduction.scoring import in_fixed_order, read_samples
from wgangp.data import formats
from wgangp.errors import InputError


def seeds(rng):
    """{name: bytes} of small whole files."""
    pixels = rng.integers(0, 256, (16, 16, 3)).astype("uint8")
    colour, grey = Image.fromarray(pixels), Image.fromarray(pixels[:, :, 0])
    files = {}
    for name, image, options in (
        ("rgb.png", colour, {}),
        ("grey.png", grey, {}),
        ("palette.png", colour.quantize(8), {"transparency": 1}),
        ("alpha.png", colour.convert("RGBA"), {}),
        ("deep.png", Image.fromarray(pixels[:, :, 0].astype("uint16") * 257), {}),
        ("moving.png", colour, {"save_all": True, "append_images": [grey.convert("RGB")]}),
        ("rgb.jpg", colour, {"exif": b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"}),
        ("cmyk.jpg", colour.convert("CMYK"), {}),
        ("progressive.jpg", colour, {"progressive": True}),
        ("lossy.webp", colour, {}),
        ("lossless.webp", colour.convert("RGBA"), {"lossless": True}),
        ("rgb.bmp", colour, {}),
        ("palette.bmp", colour.quantize(16), {}),
    ):
        stream = io.BytesIO()
        image.save(stream, {"jpg": "jpeg"}.get(name[-3:], name.split(".")[1]), **options)
        files[name] = stream.getvalue()
    for name, array in (("points", rng.normal(size=(30, 2))), ("images", pixels.transpose(2, 0, 1)[None])):
        for ending, save in ((".npy", np.save), (".npz", np.savez_compressed)):
            stream = io.BytesIO()
            save(stream, array)
            files[name + ending] = stream.getvalue()
    return files


def damaged(raw, rng):
    """Bytes changed, cut, repeated or inserted at random places; a PNG's header at times with its checksum mended."""
    raw = bytearray(raw)
    if raw[:4] == b"\x89PNG" and rng.random() < 0.3:
        raw[16 + rng.integers(13)] = rng.integers(256)
        raw[29:33] = zlib.crc32(raw[12:29]).to_bytes(4, "big")
        return bytes(raw)
    for _ in range(rng.integers(1, 5)):
        if not raw:
            break
        at, kind = int(rng.integers(len(raw))), rng.integers(5)
        if kind == 0:
            raw[at : at + 1] = bytes([rng.integers(256)])
        elif kind == 1:
            del raw[at:]
        elif kind == 2:
            raw[at : at + 4] = rng.choice([b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"9999"])
        elif kind == 3:
            raw[at:at] = raw[: rng.integers(40)]
        else:
            raw[min(at, 120)] ^= 1 << rng.integers(8)  # most often in a header
    return bytes(raw)


def read(path):
    """What `wgangp score` would score; None where it is refused."""
    try:
        if path.suffix in formats.IMAGE_SUFFIXES:
            return formats.read_folder(path.parent, say=lambda line: None)
        return in_fixed_order(read_samples(path))
    except InputError as error:
        assert "\n" not in str(error), error
        return None


def main(count, seed):
    rng = np.random.default_rng(seed)
    read_count = 0
    for i in range(count):
        if i % 100 == 0:
            files = seeds(rng)
        name = list(files)[i % len(files)]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, name)
            path.write_bytes(files[name])
            whole = read(path)
            raw = damaged(files[name], rng)
            path.write_bytes(raw)
            try:
                result = read(path)
            except BaseException:
                print(f"number {i}, {name}: {raw.hex()}", file=sys.stderr)
                raise
        same_header = raw[:33] == files[name][:33]
        if result is not None and name.endswith(".png") and same_header:
            assert np.array_equal(result, whole), f"number {i}, {name}: other pixels: {raw.hex()}"
        read_count += result is not None
    print(f"{read_count} of {count} were read, the others refused")


if __name__ == "__main__":
    memory.limit(2**30)
    main(int(sys.argv[1]), int(sys.argv[2]))
