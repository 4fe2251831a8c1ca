"""How raw pixels of 16 bits may lie in a file that nobody has described.

Neighbouring lines of a picture are alike. Of all line lengths that fill the file without a rest,
behind a header of a usual size, the one at which pixels resemble those a line before is likely.
"""

import numpy as np

from drivers.wire.image_headers import MAX_SIDE_PIXELS
from drivers.wire.raw_plane import RawLayout

HEADERS = (0, 8, 12, 16, 20, 24, 32, 64, 128, 256, 512, 1024, 2048, 4096)
ROWS = (200, 2048)  # of a picture of a vehicle
MIN_COLUMNS = 300
SAMPLES = 20_000
NEAR = 1.15  # times the least step: as good a length
LIKE = 0.5  # of the mean step between pixels that have nothing to do with each other


def guess_layout(data: bytes) -> RawLayout | None:
    """The likeliest layout, to be tried and not to be trusted; None where none stands out."""
    found: list[tuple[float, int, RawLayout]] = []
    for header_bytes in HEADERS:
        pixels, odd = divmod(len(data) - header_bytes, 2)
        if odd or pixels < ROWS[0] * MIN_COLUMNS:
            continue
        sizes = [
            (pixels // rows, rows)
            for rows in range(*ROWS)
            # A vehicle is longer than high: else no order of pixels could be told from the other.
            if pixels % rows == 0 and max(MIN_COLUMNS, rows) <= pixels // rows <= MAX_SIDE_PIXELS
        ]
        for order, mark in (("little", "<u2"), ("big", ">u2")):
            counts = np.frombuffer(data, mark, pixels, header_bytes)
            for columns, rows in sizes:
                for line, by_columns in ((columns, False), (rows, True)):
                    step = _step(counts, line)
                    layout = RawLayout(
                        header_bytes=header_bytes,
                        width=columns,
                        order="little" if order == "little" else "big",
                        column_major=by_columns,
                    )
                    found.append((step, line, layout))
    least = min((step for step, _, _ in found), default=1.0)
    if least > LIKE:
        return None
    # Every second line is nearly as much alike: of those that are it is the shortest.
    near = [one for one in found if one[0] <= NEAR * least]
    return min(near, key=lambda one: one[1])[2]


def _step(counts: np.ndarray, line: int) -> float:
    """Mean difference to the pixel a line before, against that to one anywhere."""
    at = np.linspace(0, len(counts) - 1 - line, SAMPLES).astype(np.int64)
    here = counts[at].astype(np.float64)
    there = counts[at + line].astype(np.float64)
    anywhere = np.abs(here - np.roll(here, SAMPLES // 3)).mean()
    return float(np.abs(here - there).mean() / max(anywhere, 1.0))
