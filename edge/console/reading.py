"""Reading a request, and answering with a file."""

import base64
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from edge.console.ranges import Unsatisfiable, range_of

PIECE_BYTES = 1 << 18
_SHA256 = re.compile("[0-9a-f]{64}")


class Refusal(Exception):  # noqa: N818 - says what happened
    """An answer other than what was asked for: (status, code, text)."""


async def body_of(request: Request, kind: type[Any]) -> Any:  # noqa: ANN401 - of that kind
    """What a request carries. Refusal."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise Refusal(415, "media-type", "application/json")
    try:
        return msgspec.json.decode(await request.body(), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refusal(422, "unreadable", str(error)[:200]) from None


def number_of(request: Request, name: str) -> int | None:
    """A number of the query; None where it is not given. Refusal."""
    text = request.query_params.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Refusal(400, name, "a number")
    return int(text)


def digest_of(request: Request) -> str:
    """The digest in the path. Refusal."""
    digest: str = request.path_params["sha256"]
    if not _SHA256.fullmatch(digest):
        raise Refusal(404, "unknown", "a SHA-256 has 64 of 0-9 and a-f")
    return digest


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file to be sent."""

    name: str
    media_type: str
    size_bytes: int
    part: Callable[[int, int], bytes]
    """(first byte, length) of it."""
    sha256: str = ""


def send(request: Request, file: File) -> Response:
    """A file or a part of it (RFC 9110, 14), with its digest (RFC 9530)."""
    try:
        wanted = range_of(request.headers.get("range", ""), file.size_bytes)
    except Unsatisfiable:
        return Response(status_code=416, headers={"content-range": f"bytes */{file.size_bytes}"})
    first, last = wanted or (0, file.size_bytes - 1)
    name = re.sub("[^A-Za-z0-9._-]", "_", file.name)[:100]
    headers = {
        "accept-ranges": "bytes",
        "content-length": str(last - first + 1),
        "content-disposition": f'attachment; filename="{name}"',
        "cache-control": "private, max-age=86400, immutable",
    }
    if file.sha256:
        raw = base64.b64encode(bytes.fromhex(file.sha256)).decode()
        headers |= {"etag": f'"{file.sha256}"', "repr-digest": f"sha-256=:{raw}:"}
    if wanted is not None:
        headers["content-range"] = f"bytes {first}-{last}/{file.size_bytes}"

    async def pieces() -> AsyncIterator[bytes]:
        for at in range(first, last + 1, PIECE_BYTES):
            yield file.part(at, min(PIECE_BYTES, last + 1 - at))

    status = 206 if wanted else 200
    return StreamingResponse(
        pieces(), status_code=status, media_type=file.media_type, headers=headers
    )
