"""Puts files of evidence into a folder, for whoever asked for them with `--evidence`."""

import re
from pathlib import Path

_ODD = re.compile(r"[^A-Za-z0-9._-]")
LONGEST_NAME = 64


def keep(folder: Path, alert_id: str, n: int, name: str, data: bytes) -> Path:
    """Write `FOLDER/ALERT/N-NAME`; returns where. OSError where that cannot be done.

    The id is one that a topic can hold. The name may come from anybody, and cannot lead out of
    the folder.
    """
    place = folder / alert_id
    place.mkdir(parents=True, exist_ok=True)
    path = place / f"{n}-{_ODD.sub('_', name)[-LONGEST_NAME:]}"
    path.write_bytes(data)
    return path
