"""What is done to files by those who mean harm, by failing disks and by broken exports."""

import zlib
from functools import cache
from random import Random

import cv2
import numpy as np

from drivers.wire import dicos
from drivers.wire.dicos_write import begin
from edge.study.bench_hostile import NUMBERS, SNIPPETS
from edge.study.bench_mutations import mutated
from edge.study.xray_hostile_scans import Files, written

LIES = (b"\xff\xff\xff\xff", b"\0\0\0\0", b"\xff\xff", b"\0\0", b"\x7f\xff\xff\xff")
BOMB_BYTES = 64 << 20  # what a few kB of zeros claim to be


def harmed(scan: Files, random: Random) -> Files:
    """The scan with its files exchanged, cut, lied about, damaged or replaced by bombs."""
    files = dict(scan)
    for _ in range(random.choice((1, 1, 1, 2))):
        victim = random.choice(list(files))
        form = random.randrange(7)
        data = files[victim]
        if form == 0 and len(files) > 1:
            other = random.choice([one for one in files if one != victim])
            files[victim], files[other] = files[other], data
        elif form == 1:
            files[victim] = data[: random.randrange(len(data) + 1)]
        elif form == 2:
            files[victim] = _header_lied(data, random)
        elif form == 3:
            files[victim] = _flipped(data, random)
        elif form == 4:
            files[victim] = random.choice(_bombs(victim.rpartition(".")[2]))
        elif form == 5 and victim.endswith((".json", ".xml")):
            files[victim] = _sidecar_harmed(data, random)
        else:
            files[victim] = mutated(data, random)
    return files


def _header_lied(data: bytes, random: Random) -> bytes:
    """Numbers among the first bytes made the largest, the smallest or any."""
    made = bytearray(data)
    for _ in range(random.randrange(1, 4)):
        at = random.randrange(min(len(made), 2048) + 1)
        lie = random.choice((*LIES, random.randbytes(4), random.randbytes(1)))
        made[at : at + len(lie)] = lie
    return bytes(made)


def _flipped(data: bytes, random: Random) -> bytes:
    """Some bits anywhere."""
    made = bytearray(data)
    for _ in range(random.choice((1, 8, 64)) if made else 0):
        made[random.randrange(len(made))] ^= 1 << random.randrange(8)
    return bytes(made)


def _sidecar_harmed(data: bytes, random: Random) -> bytes:
    at = random.randrange(len(data) + 1)
    return data[:at] + random.choice((*NUMBERS, *SNIPPETS)) + data[at + random.randrange(20) :]


@cache
def _bombs(suffix: str) -> tuple[bytes, ...]:
    """Small files that claim to be large ones, of the kind that the name says."""
    zeros = zlib.compress(bytes(BOMB_BYTES), 9)
    match suffix:
        case "png":
            side = 8192
            return _png(side, BOMB_BYTES // side // 2, zeros), _png(2**31 - 1, 2**31 - 1, zeros)
        case "tif" | "tiff":
            row = np.zeros((16, 8192), np.uint16)
            flat = written(".tiff", row, (cv2.IMWRITE_TIFF_COMPRESSION, 8))
            return flat, _tiff(60_000, 60_000), _tiff(16_384, 2048)
        case "dcs":
            packer = zlib.compressobj(9, wbits=-15)
            deflated = packer.compress(bytes(BOMB_BYTES)) + packer.flush()
            return (begin(dicos.DX_PROCESSING, "1.2", dicos.DEFLATED) + deflated,)
        case "xml":
            return b"<a>" * 300_000, b"<scan>" + b"<b/>" * 300_000 + b"</scan>"
        case "json":
            return b"[" * 300_000, b'{"scan_id":' * 100_000
        case _:
            return b"", bytes(1 << 20)


def _png(width: int, height: int, packed: bytes) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        crc = zlib.crc32(name + data)
        return len(data).to_bytes(4, "big") + name + data + crc.to_bytes(4, "big")

    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x10\x00\x00\x00\x00"
    parts = (chunk(b"IHDR", head), chunk(b"IDAT", packed), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _tiff(width: int, height: int) -> bytes:
    """A header that claims so many deflated pixels, and one strip of a few bytes."""
    strip = zlib.compress(bytes(1 << 20), 9)
    tags = ((256, width), (257, height), (258, 16), (259, 8), (262, 1), (273, 200), (277, 1),
            (278, height), (279, len(strip)))  # fmt: skip
    entries = b"".join(
        tag.to_bytes(2, "little") + b"\x04\x00\x01\x00\x00\x00" + value.to_bytes(4, "little")
        for tag, value in tags
    )
    head = b"II*\x00\x08\x00\x00\x00" + len(tags).to_bytes(2, "little") + entries + bytes(4)
    return head.ljust(200, b"\0") + strip
