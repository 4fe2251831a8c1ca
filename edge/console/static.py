"""The built page, from its folder; where it was not built, a page that says how it is."""

import mimetypes
from collections.abc import Mapping
from pathlib import Path

from starlette.responses import HTMLResponse, Response

from edge.console.build import BUILT
from edge.console.guard import said

MISSING = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Garita</title>
<h1>Garita runs; this page was not built</h1>
<p>It needs Node 20 or newer, once: <code>./garita console build</code>, then load this page again.
<p lang="es">Garita funciona; falta construir esta p\u00e1gina: <code>./garita console build</code>.
<p>The interface is there all the same: <a href="/api/v1/openapi.json">/api/v1/openapi.json</a>.
"""
YEAR = "public, max-age=31536000, immutable"


class Pages:
    """Files of the built page, each read once; what is asked for only names one of them."""

    def __init__(self, folder: Path = BUILT) -> None:
        """Read them all: there are a dozen, 500 kB together."""
        self._files: dict[str, tuple[bytes, str]] = {}
        for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
            if path.is_file():
                kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
                self._files[path.relative_to(folder).as_posix()] = path.read_bytes(), kind

    @property
    def built(self) -> bool:
        """Whether there is a page."""
        return "index.html" in self._files

    def answer(self, path: str, headers: Mapping[str, str]) -> Response:
        """The file, compressed where that is taken; of a view's address the page itself."""
        if not self.built:
            return HTMLResponse(MISSING, headers={"cache-control": "no-store"})
        name = path if path in self._files else "index.html"
        if name == "index.html" and "." in path.rpartition("/")[2]:
            return said(404, "unknown", "there is no such file")
        data, kind = self._files[name]
        lasting = YEAR if name.startswith("assets/") else "no-cache"
        more = {"cache-control": lasting, "vary": "accept-encoding"}
        for coding, suffix in (("br", ".br"), ("gzip", ".gz")):
            if coding in headers.get("accept-encoding", "") and name + suffix in self._files:
                data, more = self._files[name + suffix][0], {**more, "content-encoding": coding}
                break
        return Response(data, media_type=kind, headers=more)
