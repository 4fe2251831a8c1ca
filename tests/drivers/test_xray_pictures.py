"""Every form of picture that somebody may bring: read to the very numbers, or refused with why."""

import io
import struct
import time
import zlib

import cv2
import numpy as np
import pytest
import tifffile
import zstandard
from PIL import Image

from drivers.wire.malformed import Malformed
from drivers.xray_files import picture_role
from drivers.xray_pictures import PictureReader, Pictures

PLANE = np.random.default_rng(3).integers(0, 60_000, (48, 80)).astype(np.uint16)
GREY = (PLANE >> 8).astype(np.uint8)
TRANSMISSION = (PLANE / 50_000).clip(0, 1.1).astype(np.float32)
TURNED = {274: (3, 6)}  # rows from the right, as a phone held upright writes it


def tiff(*pages: np.ndarray, big: bool = False, order: str = "<", **options) -> bytes:
    out = io.BytesIO()
    with tifffile.TiffWriter(out, bigtiff=big, byteorder=order) as writer:
        for page in pages:
            writer.write(page, **options)
    return out.getvalue()


def pillow(picture: np.ndarray | Image.Image, form: str, **options) -> bytes:
    out = io.BytesIO()
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    image.save(out, form, **options)
    return out.getvalue()


def turned() -> Image.Exif:
    exif = Image.Exif()
    exif[274] = 6
    return exif


def pnm(kind: str, picture: np.ndarray, highest: int) -> bytes:
    head = f"{kind}\n# a scanner\n{picture.shape[1]} {picture.shape[0]}\n{highest}\n".encode()
    return head + picture.astype(">u2" if highest > 255 else np.uint8).tobytes()


def colour(plane: np.ndarray, channels: int = 3) -> np.ndarray:
    return np.dstack([plane] * channels)


PLANES = {
    "tiff": tiff(PLANE),
    "tiff, big-endian": tiff(PLANE, order=">"),
    "bigtiff": tiff(PLANE, big=True),
    "bigtiff, big-endian": tiff(PLANE, big=True, order=">"),
    "tiff, tiles": tiff(PLANE, tile=(16, 32)),
    "tiff, tiles larger than the picture": tiff(PLANE, tile=(256, 256), compression="zstd"),
    "tiff, a row a strip": tiff(PLANE, rowsperstrip=1),
    **{
        f"tiff, {name}": tiff(PLANE, compression=name, predictor=predictor)
        for name, predictor in [("lzw", False), ("lzw", True), ("zlib", True), ("packbits", False)]
    },
    "tiff, zstd": tiff(PLANE, compression="zstd"),
    "tiff, zstd, differences, big-endian": tiff(
        PLANE, compression="zstd", predictor=True, order=">", rowsperstrip=7
    ),
    "tiff, zstd, tiles": tiff(PLANE, compression="zstd", tile=(16, 16), predictor=True),
    "tiff, three alike": tiff(colour(PLANE), photometric="rgb"),
    "tiff, three alike, apart": tiff(
        np.stack([PLANE] * 3), photometric="rgb", planarconfig="separate"
    ),
    "tiff, alpha": tiff(colour(PLANE, 4), photometric="rgb", extrasamples=["unassalpha"]),
    "tiff, grey with alpha": tiff(
        colour(PLANE, 2), photometric="minisblack", extrasamples=["unassalpha"], planarconfig=1
    ),
    "tiff, white is zero": tiff(65_535 - PLANE, photometric="miniswhite"),
    "tiff, white is zero, zstd": tiff(65_535 - PLANE, photometric="miniswhite", compression="zstd"),
    "tiff, signed": tiff((PLANE.astype(int) - 32_768).astype(np.int16)),
    "tiff, 32 bits": tiff(PLANE.astype(np.uint32)),
    "tiff, float of counts": tiff(PLANE.astype(np.float32)),
    "tiff, double of counts": tiff(PLANE.astype(np.float64), compression="zlib", predictor=3),
    "tiff, float of counts, zstd": tiff(
        PLANE.astype(np.float32), compression="zstd", predictor=3, tile=(16, 16)
    ),
    "tiff, preview first": tiff(PLANE[::4, ::4], PLANE),
    "tiff, preview last": tiff(PLANE, GREY[::4, ::4]),
    "png": pillow(PLANE, "PNG"),
    "png, three alike": cv2.imencode(".png", colour(PLANE))[1].tobytes(),
    "png, alpha": cv2.imencode(".png", colour(PLANE, 4))[1].tobytes(),
    "pgm": pnm("P5", PLANE, 65_535),
    "pgm, text": b"P2 80 48 65535\n" + " ".join(map(str, PLANE.ravel())).encode(),
    "ppm": pnm("P6", colour(PLANE), 65_535),
}
DISPLAYS = {
    "tiff": tiff(GREY),
    "tiff, jpeg": tiff(GREY, compression="jpeg"),
    "tiff, jpeg of colours": tiff(colour(GREY), compression="jpeg", photometric="rgb"),
    "tiff, white is zero": tiff(255 - GREY, photometric="miniswhite"),
    "tiff, palette": tiff(
        GREY, photometric="palette", colormap=np.stack([np.arange(256) * 257] * 3).astype("u2")
    ),
    "tiff, zstd of colours": tiff(colour(GREY), photometric="rgb", compression="zstd"),
    "png": pillow(GREY, "PNG"),
    "png, palette": pillow(Image.fromarray(GREY).convert("P"), "PNG"),
    "png, alpha": pillow(colour(GREY, 4), "PNG"),
    "png, grey with alpha": pillow(Image.merge("LA", [Image.fromarray(GREY)] * 2), "PNG"),
    "bmp": pillow(GREY, "BMP"),
    "bmp, colour": pillow(colour(GREY), "BMP"),
    "bmp, from the top": cv2.imencode(".bmp", GREY)[1].tobytes(),
    "pgm": pnm("P5", GREY, 255),
    "webp": pillow(colour(GREY), "WEBP", lossless=True),
    "jpeg": pillow(GREY, "JPEG", quality=95),
    "jpeg, progressive": pillow(GREY, "JPEG", progressive=True, quality=95),
    "jpeg, four inks": pillow(
        Image.fromarray(GREY).convert("RGB").convert("CMYK"), "JPEG", quality=95
    ),
    "jpeg, held upright": pillow(np.rot90(GREY), "JPEG", exif=turned(), quality=95),
}


def read(data: bytes, **options) -> Pictures | Malformed:
    return PictureReader(**options).read({picture_role(data): data})


@pytest.mark.parametrize("name", PLANES)
def test_a_plane_of_any_form_is_read_to_the_count(name):
    found = read(PLANES[name])
    assert isinstance(found, Pictures), found
    assert np.array_equal(found.planes["high"], PLANE)
    assert found.planes["high"].dtype == np.uint16


@pytest.mark.parametrize("name", DISPLAYS)
def test_a_display_picture_of_any_form_is_read_as_grey(name):
    found = read(DISPLAYS[name])
    assert isinstance(found, Pictures), found
    grey = found.planes["composite"]
    assert grey.shape == GREY.shape
    lossy = "jpeg" in name
    assert np.abs(grey.astype(int) - GREY).mean() <= (12 if lossy else 0)


@pytest.mark.parametrize(
    ("name", "notes"),
    [
        ("tiff", ()),
        ("tiff, white is zero", ("white-is-zero",)),
        ("tiff, signed", ("signed",)),
        ("tiff, three alike", ("three-channels",)),
        ("tiff, float of counts", ("float-counts",)),
    ],
)
def test_what_was_made_of_the_numbers_is_told(name, notes):
    assert read(PLANES[name]).notes == notes


@pytest.mark.parametrize(
    ("numbers", "options", "factor", "notes"),
    [
        (TRANSMISSION, {}, 50_000, ("transmission",)),
        (TRANSMISSION.astype(np.float16), {}, 50_000, ("transmission",)),
        (TRANSMISSION.astype(np.float64), {}, 50_000, ("transmission",)),
        (TRANSMISSION * 4095, {"full_scale": 4095.0}, 65_535, ("full-scale",)),
        (PLANE.astype(np.uint32) * 1000, {}, None, ("scaled",)),
    ],
)
def test_other_scales_are_found_or_declared_and_told(numbers, options, factor, notes):
    found = read(tiff(numbers), **options)
    assert found.notes == notes
    by = 65_535 / numbers.max() if factor is None else factor / options.get("full_scale", 1.0)
    wanted = np.rint(numbers.astype(np.float64) * by).clip(0, 65_535)
    assert np.abs(found.planes["high"] - wanted).max() <= 1


def test_twelve_bits_stay_as_they_are_and_are_turned_round_within_twelve():
    assert read(tiff(PLANE >> 4)).planes["high"].max() < 4096
    white = read(tiff(4095 - (PLANE >> 4), photometric="miniswhite"))
    assert np.array_equal(white.planes["high"], PLANE >> 4)


def test_two_pages_of_one_kind_are_the_two_planes():
    found = read(tiff(PLANE, PLANE // 2, PLANE[::8, ::8]))
    assert np.array_equal(found.planes["low"], PLANE // 2)


def test_small_tiles_by_the_ten_thousand_are_read():
    plane = np.tile(PLANE, (40, 25))
    assert np.array_equal(read(tiff(plane, tile=(16, 16))).planes["high"], plane)
    told = read(tiff(plane, tile=(16, 16), compression="zstd"))
    assert np.array_equal(told.planes["high"], plane)


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (3000, 1)])
def test_a_picture_of_hardly_any_pixels_is_read(shape):
    plane = np.full(shape, 900, np.uint16)
    for data in (tiff(plane), tiff(plane, compression="zstd"), cv2.imencode(".png", plane)[1]):
        assert np.array_equal(read(bytes(data)).planes["high"], plane)


def png_of(width: int, height: int, pixels: bytes) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        crc = zlib.crc32(name + body)
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", crc)

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b"")


def repacked(strip: bytes) -> bytes:
    """A Zstandard TIFF whose only strip holds something else."""
    data = bytearray(tiff(PLANE, compression="zstd"))
    with tifffile.TiffFile(io.BytesIO(bytes(data))) as file:
        (at,) = file.pages[0].dataoffsets
        (size,) = file.pages[0].databytecounts
    assert len(strip) <= size
    data[at : at + size] = strip.ljust(size, b"\0")
    return bytes(data)


def scans_of_nothing(count: int) -> bytes:
    """A progressive JPEG that is walked over again and again."""
    whole = pillow(GREY, "JPEG", progressive=True)
    at = whole.rindex(b"\xff\xda")
    return whole[:at] + whole[at:-2] * count + whole[-2:]


HOSTILE = {
    "nothing": (b"", "truncated"),
    "text": (b"not a picture at all", "bad-header"),
    "a gif": (pillow(GREY, "GIF"), "unsupported"),
    "jpeg 2000": (pillow(GREY, "JPEG2000"), "unsupported"),
    "avif": (b"\0\0\0\x20ftypavif" + bytes(40), "unsupported"),
    "tiff, 1 bit": (tiff(GREY > 99), "unsupported"),
    "tiff, jpeg 2000": (tiff(PLANE, compression="jpeg2000"), "unsupported"),
    "tiff, lzma": (tiff(PLANE, compression="lzma"), "unsupported"),
    "tiff, colours of 16 bits": (
        tiff(np.dstack([PLANE, PLANE // 2, PLANE // 3]), photometric="rgb"),
        "unsupported",
    ),
    "tiff, attenuation": (tiff(-np.log(TRANSMISSION + 1e-4)), "unsupported"),
    "tiff, no numbers": (tiff(np.full((48, 80), np.nan, np.float32)), "unsupported"),
    "tiff, spoilt zstd": (repacked(b"spoilt"), "truncated"),
    "png, huge": (png_of(100_000, 100_000, b""), "too-large"),
    "png, large and empty": (png_of(8000, 4000, bytes(100)), "dimension-mismatch"),
    "jpeg, cut": (DISPLAYS["jpeg"][:-400], "truncated"),
    "jpeg, many scans": (scans_of_nothing(500), "too-large"),
    "tiff, cut": (PLANES["tiff"][:-900], "truncated"),
    "tiff, pages without end": (tiff(*[PLANE[:4, :4]] * 40), "too-large"),
    "pgm, cut": (PLANES["pgm"][:-1], "truncated"),
    "pgm, words": (b"P2 3 1 255 1 two 3", "truncated"),
    "pgm, huge": (b"P5 99999 99999 255\n" + bytes(100), "too-large"),
    "bmp, cut": (DISPLAYS["bmp"][:-50], "truncated"),
    "webp, cut": (DISPLAYS["webp"][:-50], "truncated"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_cannot_be_read_has_its_reason_at_once(name):
    data, reason = HOSTILE[name]
    began = time.perf_counter()
    found = read(data)
    assert time.perf_counter() - began < 1.0
    assert isinstance(found, Malformed), found
    assert found.reason == reason, found


def test_a_strip_is_unpacked_no_further_than_the_picture_needs():
    data = repacked(zstandard.ZstdCompressor().compress(bytes(100 << 20))[:7000])
    began = time.perf_counter()
    found = read(data)
    assert time.perf_counter() - began < 0.5
    assert not found.planes["high"].any()


@pytest.mark.parametrize("name", [*PLANES, *(f"display {name}" for name in DISPLAYS)])
def test_spoilt_anywhere_it_is_read_or_refused(name):
    data = DISPLAYS[name.removeprefix("display ")] if name.startswith("d") else PLANES[name]
    random = np.random.default_rng(5)
    for turn in range(40):
        spoilt = bytearray(data)
        for at in random.integers(0, min(len(data), 400 if turn % 2 else len(data)), 3):
            spoilt[at] = random.integers(0, 256)
        if turn % 5 == 0:
            del spoilt[random.integers(0, len(data)) :]
        assert isinstance(read(bytes(spoilt)), Pictures | Malformed)
