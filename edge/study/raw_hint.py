"""What to write for a file of raw pixels that nobody has described."""

import shlex
from pathlib import Path

from drivers.wire.raw_guess import guess_layout

MAX_BYTES = 64 << 20  # a plane of the largest picture that is read
MIN_BYTES = 100_000


def raw_hint(path: Path) -> str:
    """How such a file is replayed, with numbers where they can be guessed; empty where it cannot
    be one."""
    command = f"garita replay {shlex.quote(path.name)} --kind xray-planes"
    size = path.stat().st_size
    if not MIN_BYTES <= size <= MAX_BYTES:
        return ""
    layout = guess_layout(path.read_bytes())
    if layout is None:
        return (
            f"raw pixels are read with `{command} --set raw_width=PIXELS "
            f"--set raw_header_bytes=BYTES` (also raw_bits=8, raw_order=big, raw_column_major=true)"
        )
    command += f" --set raw_width={layout.width}"
    if layout.header_bytes:
        command += f" --set raw_header_bytes={layout.header_bytes}"
    command += " --set raw_order=big" if layout.order == "big" else ""
    command += " --set raw_column_major=true" if layout.column_major else ""
    rows = (size - layout.header_bytes) // 2 // layout.width
    return (
        f"if it holds raw pixels, try `{command} --show detections` "
        f"({layout.width} x {rows} of 16 bits: a guess, at which neighbouring lines are alike)"
    )
