"""The layout of raw pixels that nobody has described."""

import cv2
import numpy as np
import pytest

from drivers.wire.raw_guess import guess_layout
from drivers.wire.raw_plane import read_raw

RANDOM = np.random.default_rng(1)
COARSE = RANDOM.integers(5_000, 60_000, (30, 80)).astype(np.uint16)
PLANE = cv2.resize(COARSE, (960, 480)) + RANDOM.integers(0, 900, (480, 960)).astype(np.uint16)


@pytest.mark.parametrize("header_bytes", [0, 12, 64, 512])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("by_columns", [False, True])
def test_what_is_guessed_reads_the_plane(header_bytes, order, by_columns):
    lines = PLANE.T if by_columns else PLANE
    data = bytes(header_bytes) + lines.astype(f"{order}u2").tobytes()
    assert np.array_equal(read_raw(data, guess_layout(data)), PLANE)


@pytest.mark.parametrize(
    "data", [b"", bytes(100_001), RANDOM.bytes(960 * 480 * 2)], ids=["none", "odd", "noise"]
)
def test_where_no_length_stands_out_nothing_is_guessed(data):
    assert guess_layout(data) is None
