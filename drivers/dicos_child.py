"""Run by `dicos_unpacking` as a process of its own: unpacks pixels with GDCM.

Imports nothing of ours but `spectrum_child` beside it, whose requests and answers it speaks: a
decoder of pictures that come over the network may crash, hang or grow, and here takes nobody
with it.
"""

import importlib
import importlib.util
import os
from pathlib import Path
from typing import Any

PIXELS = (b"\xe0\x7f\x10\x00OW\0\0", b"\xe0\x7f\x10\x00OB\0\0")
"""How the element begins that a file ends with; its length follows."""


def unpacked(name: str, data: bytes) -> tuple[dict[str, Any], list[bytes]]:
    """The pixels of a file with packed ones, little endian; `name` is how many bytes they take.

    GDCM hands pixels to Python as text, which takes longer than unpacking them. So it writes a
    file, of which they are the end.
    """
    gdcm: Any = importlib.import_module("gdcm")
    places = [os.memfd_create("packed"), os.memfd_create("plain")]
    source, target = (f"/proc/self/fd/{place}" for place in places)
    try:
        with os.fdopen(os.dup(places[0]), "wb") as opened:
            opened.write(data)
        reader = gdcm.ImageReader()
        reader.SetFileName(source)
        if not reader.Read():
            return {"error": "GDCM reads no picture in it"}, []
        change = gdcm.ImageChangeTransferSyntax()
        change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.ExplicitVRLittleEndian))
        change.SetInput(reader.GetImage())
        if not change.Change():
            return {"error": "GDCM unpacks nothing of it"}, []
        writer = gdcm.ImageWriter()
        writer.SetImage(change.GetOutput())
        writer.SetFile(reader.GetFile())
        writer.SetFileName(target)
        if not writer.Write():
            return {"error": "GDCM unpacks nothing of it"}, []
        with Path(target).open("rb") as opened:
            written = opened.read()
    finally:
        for place in places:
            os.close(place)
    size = int(name)
    head = written[-size - 12 : -size] if size else b""
    if head[:8] not in PIXELS or int.from_bytes(head[8:], "little") != size:
        return {"error": "GDCM unpacks more or less than was told"}, []
    return {}, [written[-size:]]


if __name__ == "__main__":
    spec = importlib.util.spec_from_file_location(
        "spectrum_child", Path(__file__).with_name("spectrum_child.py")
    )
    assert spec is not None
    assert spec.loader is not None
    beside = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(beside)
    beside.main("gdcm", unpacked)
