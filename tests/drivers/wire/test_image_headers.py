import struct
import tracemalloc
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.wire.image_headers import ImageHeader, form_of, read_header
from drivers.wire.malformed import Malformed

REASONS = {"bad-header", "truncated", "unsupported", "too-large", "dimension-mismatch"} | {
    "bad-checksum"
}


def encoded(extension: str, picture: np.ndarray, *options: int) -> bytes:
    return cv2.imencode(extension, picture, options)[1].tobytes()


def scene(bits: int, channels: int) -> np.ndarray:
    shape = (37, 51) if channels == 1 else (37, 51, channels)
    kind = np.uint8 if bits == 8 else np.uint16
    return np.random.default_rng(1).integers(0, 1 << bits, shape).astype(kind)


PICTURES = {
    "tiff grey 16": (encoded(".tiff", scene(16, 1), cv2.IMWRITE_TIFF_COMPRESSION, 1), 16, 1),
    "tiff grey 16 lzw": (encoded(".tiff", scene(16, 1), cv2.IMWRITE_TIFF_COMPRESSION, 5), 16, 1),
    "tiff grey 16 deflate": (
        encoded(".tiff", scene(16, 1), cv2.IMWRITE_TIFF_COMPRESSION, 8),
        16,
        1,
    ),
    "tiff grey 8": (encoded(".tiff", scene(8, 1), cv2.IMWRITE_TIFF_COMPRESSION, 1), 8, 1),
    "tiff colour 8": (encoded(".tiff", scene(8, 3), cv2.IMWRITE_TIFF_COMPRESSION, 1), 8, 3),
    "png grey 16": (encoded(".png", scene(16, 1)), 16, 1),
    "png grey 8": (encoded(".png", scene(8, 1)), 8, 1),
    "png alpha 8": (encoded(".png", scene(8, 4)), 8, 4),
    "jpeg grey": (encoded(".jpg", scene(8, 1)), 8, 1),
    "jpeg colour": (encoded(".jpg", scene(8, 3)), 8, 3),
    "jpeg progressive": (encoded(".jpg", scene(8, 1), cv2.IMWRITE_JPEG_PROGRESSIVE, 1), 8, 1),
}


def big_endian_tiff(width: int = 5, height: int = 3, pixels: bytes = bytes(30)) -> bytes:
    entries = [
        (256, 3, width << 16),
        (257, 3, height << 16),
        (258, 3, 16 << 16),
        (259, 3, 1 << 16),
        (262, 3, 1 << 16),
        (273, 4, 8 + 2 + 8 * 12 + 4),
        (277, 3, 1 << 16),
        (279, 4, len(pixels)),
    ]
    directory = b"".join(struct.pack(">HHII", tag, kind, 1, value) for tag, kind, value in entries)
    return b"MM\x00*" + struct.pack(">IH", 8, len(entries)) + directory + bytes(4) + pixels


def png(width: int, height: int, bits: int = 16, colour: int = 0, data: bytes = b"x") -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("name", PICTURES)
def test_the_header_says_what_the_decoder_finds(name):
    data, bits, channels = PICTURES[name]
    form = name.split()[0]
    expected = ImageHeader(form=form, width=51, height=37, bits=bits, channels=channels)
    assert read_header(data) == expected
    assert form_of(data[:16]) == form
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert decoded.nbytes == expected.decoded_bytes


def test_big_endian_tiff_is_read():
    data = big_endian_tiff(pixels=np.arange(15, dtype=">u2").tobytes())
    assert read_header(data) == ImageHeader(form="tiff", width=5, height=3, bits=16, channels=1)
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert decoded.tolist() == np.arange(15).reshape(3, 5).tolist()


@pytest.mark.parametrize("name", PICTURES)
def test_a_cut_file_is_truncated_wherever_it_is_cut(name):
    data = PICTURES[name][0]
    for keep in range(16, len(data) - 8, max(1, len(data) // 60)):
        result = read_header(data[:keep])
        # A cut within a packed strip list can also look like too few bytes for the picture.
        assert isinstance(result, Malformed), keep
        assert result.reason in {"truncated", "dimension-mismatch", "bad-header"}
    assert read_header(data[: len(data) // 2]).reason == "truncated"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "truncated"),
        (b"II*\x00", "truncated"),
        (b"II*\x00\xff\xff\xff\xff", "truncated"),
        (b"II+\x00" + bytes(20), "bad-header"),
        (b"GIF89a" + bytes(20), "unsupported"),
        (big_endian_tiff(16_385, 3), "too-large"),
        (big_endian_tiff(0, 3), "bad-header"),
        (big_endian_tiff(16_384, 16_384), "too-large"),
        (big_endian_tiff(16, 16), "dimension-mismatch"),
        (big_endian_tiff(4000, 1200), "dimension-mismatch"),
        (png(2**31 - 1, 2**31 - 1), "too-large"),
        (png(16_384, 2000), "dimension-mismatch"),
        (png(10, 10, colour=5), "unsupported"),
        (png(10, 10, bits=1), "unsupported"),
        (png(10, 10)[:19] + b"\x0b" + png(10, 10)[20:], "bad-header"),
        (png(10, 10)[:41] + b"y" + png(10, 10)[42:], "bad-checksum"),
        (b"\xff\xd8\xff\xc3" + bytes(20), "unsupported"),
        (b"\xff\xd8\xff\xe0\x00\x00", "bad-header"),
        (b"\xff\xd8\xff\xd9", "bad-header"),
        (b"\xff\xd8" + b"\xff" * 100, "truncated"),
        (b"\xff\xd8" + b"\xff\x01" * 1000, "bad-header"),
    ],
)
def test_a_lying_header_has_its_reason(data, reason):
    assert read_header(data).reason == reason


def test_an_enormous_picture_is_refused_before_memory_is_taken():
    tracemalloc.start()
    read_header(png(16_384, 16_384, data=bytes(300_000)))
    read_header(big_endian_tiff(16_384, 16_384))
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 1 << 20


@given(data=st.binary(max_size=300), start=st.sampled_from(list(PICTURES)))
def test_any_bytes_give_a_header_or_a_reason(data, start):
    for candidate in (data, PICTURES[start][0][:8] + data):
        result = read_header(candidate)
        assert isinstance(result, ImageHeader) or result.reason in REASONS


def test_a_million_mutated_bytes_raise_nothing():
    random = np.random.default_rng(7)
    seen = 0
    samples = [data for data, _, _ in PICTURES.values()] + [big_endian_tiff()]
    while seen < 1_000_000:
        data = bytearray(samples[random.integers(len(samples))])
        for at in random.integers(0, min(len(data), 400), 4):
            data[at] = random.integers(0, 256)
        result = read_header(bytes(data))
        assert isinstance(result, ImageHeader) or result.reason in REASONS
        seen += len(data)
