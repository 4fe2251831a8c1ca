"""A portal's folder of documents: which files are documents, and how each is handed over.

Seeing when a file is whole and filing it afterwards is `scan_folder`'s, as for scans.
"""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import PurePath

from drivers.wire import bundle, n42_frames
from drivers.wire.n42_scan import as_utf8

SUFFIXES = (".n42", ".xml")


@dataclass(frozen=True, slots=True)
class Document:
    """A file that is a set by itself."""

    name: str

    @property
    def names(self) -> tuple[str, ...]:
        """Its one file."""
        return (self.name,)

    @property
    def complete(self) -> bool:
        """As soon as its size holds still."""
        return True


def document_sets(names: Collection[str]) -> list[Document]:
    """Every document by itself. Hidden files are those that a writer has not yet renamed."""
    return [
        Document(name)
        for name in sorted(names)
        if PurePath(name).suffix.lower() in SUFFIXES and not name.startswith(".")
    ]


def frame_of(taken: bytes) -> bytes:
    """The document of a set that was read, as it would have come over TCP."""
    for one in bundle.BundleDecoder().feed(taken):
        if isinstance(one, bundle.Bundle):
            return b"".join(n42_frames.encode(as_utf8(content)) for _, content in one.files)
    return b""
