"""Run by `dicos_reading` as a process of its own: unpacks pixels with GDCM.

Imports nothing of ours but `spectrum_child` beside it, whose requests and answers it speaks: a
decoder of pictures that come over the network may crash, hang or grow, and here takes nobody
with it.
"""

import importlib
import importlib.util
import os
from pathlib import Path
from typing import Any


def unpacked(name: str, data: bytes) -> tuple[dict[str, Any], list[bytes]]:
    """The pixels of a file with packed ones, in the byte order of this machine."""
    gdcm: Any = importlib.import_module("gdcm")
    del name
    place = os.memfd_create("pixels")
    try:
        with os.fdopen(os.dup(place), "wb") as opened:
            opened.write(data)
        reader = gdcm.ImageReader()
        reader.SetFileName(f"/proc/self/fd/{place}")
        if not reader.Read():
            return {"error": "GDCM reads no picture in it"}, []
        pixels = reader.GetImage().GetBuffer()
    finally:
        os.close(place)
    if not isinstance(pixels, str):
        return {"error": "GDCM unpacks nothing of it"}, []
    return {}, [pixels.encode("utf-8", "surrogateescape")]


if __name__ == "__main__":
    spec = importlib.util.spec_from_file_location(
        "spectrum_child", Path(__file__).with_name("spectrum_child.py")
    )
    assert spec is not None
    assert spec.loader is not None
    beside = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(beside)
    beside.main("gdcm", unpacked)
