"""Image files of every kind: read as they look, or refused in one sentence; what is left out is counted."""

import os
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from wgangp.data import formats
from wgangp.errors import InputError

PIXELS = np.random.default_rng(0).integers(0, 256, [8, 8, 3], dtype="uint8")
COLOUR, GREY = Image.fromarray(PIXELS), Image.fromarray(PIXELS[:, :, 0])


def pixels_of(image, folder, name="a.png", **options):
    image.save(folder / name, **options)
    return formats.read_pixels(folder / name, 8).transpose(1, 2, 0)


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.PNG"])
def test_lossless_images_are_read_as_they_are(folder, name):
    assert (pixels_of(COLOUR, folder, name) == PIXELS).all()


def test_grey_palette_opaque_alpha_and_two_levels(folder):
    grey = np.repeat(PIXELS[:, :, :1], 3, axis=2)
    assert (pixels_of(GREY, folder) == grey).all()
    assert (pixels_of(GREY.convert("LA"), folder) == grey).all()
    assert (pixels_of(COLOUR.convert("RGBA"), folder) == PIXELS).all()
    palette = COLOUR.quantize(16)
    assert (pixels_of(palette, folder) == np.asarray(palette.convert("RGB"))).all()
    two = GREY.convert("1")
    assert (pixels_of(two, folder) == np.asarray(two, "uint8")[:, :, None] * 255).all()
    assert (pixels_of(COLOUR, folder, "a.webp", lossless=True) == PIXELS).all()


@pytest.mark.parametrize("orientation, turn", [(3, lambda x: x[::-1, ::-1]), (6, lambda x: np.rot90(x, -1))])
@pytest.mark.parametrize("name", ["a.png", "a.jpg"])
def test_an_image_is_turned_as_it_is_shown(folder, name, orientation, turn):
    exif = Image.Exif()
    exif[0x0112] = orientation
    upright = pixels_of(COLOUR, folder, name)
    assert (pixels_of(COLOUR, folder, name, exif=exif) == turn(upright)).all()


def refusal(folder, image, name, **options):
    image.save(folder / name, **options)
    with pytest.raises(InputError) as caught:
        formats.read_folder(folder, 8)
    assert name in str(caught.value) and "\n" not in str(caught.value)
    return str(caught.value)


def test_what_would_be_misread_is_refused(folder):
    deep = Image.fromarray(PIXELS[:, :, 0].astype("uint16") * 257)
    transparent = COLOUR.convert("RGBA")
    transparent.putpixel((3, 3), (0, 0, 0, 254))
    for words, image, name, options in (
        ("pixels of mode I;16; save it as RGB or grey of 8 bits", deep, "a.png", {}),
        ("pixels of mode CMYK", COLOUR.convert("CMYK"), "a.jpg", {}),
        ("transparent pixels", transparent, "a.png", {}),
        ("transparent pixels", COLOUR.quantize(4), "a.png", {"transparency": 0}),
        ("2 images in one", COLOUR, "a.png", {"save_all": True, "append_images": [GREY.convert("RGB")]}),
        ("2 images in one", COLOUR, "a.webp", {"save_all": True, "append_images": [GREY.convert("RGB")]}),
    ):
        assert words in refusal(folder, image, name, **options)
        (folder / name).unlink()


def test_every_cut_and_every_damaged_byte_of_a_png_is_found(folder):
    COLOUR.save(folder / "a.png")
    raw = (folder / "a.png").read_bytes()
    for broken in [raw[:k] for k in range(len(raw) - 12)] + [
        raw[:k] + bytes([raw[k] ^ 64]) + raw[k + 1 :] for k in range(8, len(raw) - 12)
    ]:
        (folder / "a.png").write_bytes(broken)
        with pytest.raises(InputError, match="a.png"):
            formats.read_pixels(folder / "a.png", 8)


def test_a_cut_jpeg_is_refused(folder):
    COLOUR.save(folder / "a.jpg")
    raw = (folder / "a.jpg").read_bytes()
    (folder / "a.jpg").write_bytes(raw[: len(raw) - 20])
    with pytest.raises(InputError, match="a.jpg is cut off"):
        formats.read_pixels(folder / "a.jpg", 8)


def huge_png(path, width, height):
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b""))


def test_sizes_are_checked_before_anything_is_unpacked(folder):
    huge_png(folder / "a.png", 13_340, 13_340)  # 178 megapixels, just under Pillow's own limit
    with pytest.warns(Image.DecompressionBombWarning), pytest.raises(InputError, match="13340x13340 pixels; scale it"):
        formats.read_pixels(folder / "a.png", 8)
    huge_png(folder / "a.png", 100_000, 100_000)
    with pytest.raises(InputError, match="a.png"):
        formats.read_pixels(folder / "a.png", 8)
    huge_png(folder / "a.png", 4096, 4096)  # the most that is read, if it were whole
    with pytest.raises(InputError, match="cut off"):
        formats.read_pixels(folder / "a.png", 8)


def test_other_formats_are_not_read_whatever_their_name(folder):
    for kind in ("ppm", "eps", "gif", "tiff"):
        COLOUR.save(folder / "a.png", kind)
        with pytest.raises(InputError, match="a.png is cut off or not an image"):
            formats.read_pixels(folder / "a.png", 8)


def test_hidden_files_and_other_kinds_are_left_out_and_counted(folder):
    COLOUR.save(folder / "a.png")
    for name in (".ipynb_checkpoints", "class", "deep.png"):
        (folder / name).mkdir()
        COLOUR.save(folder / name / "b.png")
    (folder / "._a.png").write_bytes(b"Mac OS")
    (folder / "notes.txt").touch()
    (folder / "README").touch()
    GREY.save(folder / "class" / "c.tif")
    os.symlink(folder / "class", folder / "linked")
    os.symlink(folder / "nothing", folder / "gone.png")
    lines = []
    assert formats.read_folder(folder, 8, say=lines.append).shape == (3, 3, 8, 8)
    assert lines == [f"{folder}: 3 images; left out: 1 .png, 1 .tif, 1 .txt, 2 hidden, 2 without extension."]


def test_a_folder_of_other_kinds_says_what_it_has(folder):
    for i in range(3):
        GREY.save(folder / f"{i}.tiff")
    with pytest.raises(InputError, match=r"has no images \(.png, .*\), only 3 .tiff; put them there"):
        formats.read_folder(folder)
    with pytest.raises(InputError, match="none cannot be read: No such file"):
        formats.read_folder(folder / "none")


def test_the_size_is_the_smallest_image_s_whatever_the_order(folder):
    lines = []
    for name, size in (("a.png", (8, 8)), ("b.png", (6, 9)), ("c.png", (12, 7))):
        COLOUR.resize(size).save(folder / name)
    assert formats.read_folder(folder, say=lines.append).shape == (3, 3, 6, 6)
    assert lines == [f"{folder}: images of other sizes are cut to their central square and averaged down to 6x6."]


def test_more_images_than_the_memory_holds_are_refused(folder, monkeypatch):
    COLOUR.save(folder / "a.png")
    monkeypatch.setattr(os, "sysconf", lambda name: 10)
    with pytest.raises(InputError, match="1 images of 8x8 pixels take"):
        formats.read_folder(folder)
