"""Keeps the template libraries of detectors beside the compiled kernels: each takes seconds.

A library's name is a digest of the code that made it, of what it was made on and of its detector;
so what is read back is, bit by bit, what would be made.
"""

import hashlib
import os
import tempfile
import zlib
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from zipfile import BadZipFile

import msgspec
import numba
import numpy as np
from llvmlite.binding import get_host_cpu_name

from edge.kernel_cache import ROOT, VARIABLE
from fusion.spectra import templates
from fusion.spectra.templates import Template, TemplateLibrary
from fusion.types import DetectorSpec

SOURCES = (
    "kernels/response.py",
    "kernels/response_bins.py",
    "spectra/lines.py",
    "spectra/matter.py",
    "spectra/nuclides.py",
    "spectra/response.py",
    "spectra/steady.py",
    "spectra/templates.py",
    "spectra/transport.py",
    "spectra/unlisted.py",
    "spectra/widths.py",
    "types.py",
)
"""All that a library is made with."""


KEPT = 16  # libraries in a folder, 1.3 MB for NaI and 25 MB for HPGe; a site has one or two
DIGEST_BYTES = 32
UNREADABLE = (
    OSError,
    EOFError,
    ValueError,
    LookupError,
    TypeError,
    ArithmeticError,
    MemoryError,
    RuntimeError,  # as well NotImplementedError: a compression that zipfile does not know
    BadZipFile,
    zlib.error,
    msgspec.MsgspecError,
)
"""What reading a file that is not as it was written can raise."""


def use_library_cache() -> None:
    """Have libraries kept where the kernels are. Does nothing where those have no folder."""
    folder = os.environ.get(VARIABLE)
    if folder:
        templates.keep_on(Shelf(Path(folder)))


class Shelf:
    """A folder of libraries. One that cannot be read or written is a slower start and no more.

    A file is the SHA-256 of what follows, and an npz.
    """

    def __init__(self, folder: Path, root: Path = ROOT) -> None:
        self._folder = folder
        made = hashlib.sha256()
        for source in SOURCES:
            made.update((root / "fusion" / source).read_bytes())
        for version in (np.__version__, numba.__version__, _processor()):
            made.update(version.encode())
        self._made = made.digest()

    def get(self, detector: DetectorSpec, edges: tuple[float, ...]) -> TemplateLibrary | None:
        """The library; None: it is to be made."""
        place = self._place(detector, edges)
        try:
            library = _unpacked(place.read_bytes(), detector, edges)
        except UNREADABLE:
            return None
        with suppress(OSError):
            os.utime(place)  # those that are used are the last to go
        return library

    def put(self, library: TemplateLibrary) -> None:
        """Keep it, and no more than `KEPT`."""
        place = self._place(library.detector, tuple(library.edges_kev.tolist()))
        part = None
        try:
            with tempfile.NamedTemporaryFile(
                dir=self._folder, prefix="templates-", suffix=".part", delete=False
            ) as file:
                part = Path(file.name)
                file.write(_packed(library))
            part.chmod(0o644)
            part.replace(place)  # whole or not at all: another process may read it
            self._prune()
        except OSError:
            return
        finally:
            if part is not None:
                with suppress(OSError):
                    part.unlink(missing_ok=True)

    def _prune(self) -> None:
        # Together with what a process that was killed left half written.
        dated = [(one.stat().st_mtime_ns, one) for one in self._folder.glob("templates-*")]
        for _, one in sorted(dated, reverse=True)[KEPT:]:
            one.unlink(missing_ok=True)

    def _place(self, detector: DetectorSpec, edges: tuple[float, ...]) -> Path:
        asked = hashlib.sha256(self._made)
        asked.update(msgspec.json.encode(detector))
        asked.update(np.array(edges).tobytes())
        return self._folder / f"templates-{asked.hexdigest()[:16]}.library"


def _processor() -> str:
    """What Numba compiles for: this processor, or the one that was chosen for an image."""
    name = os.environ.get("NUMBA_CPU_NAME") or get_host_cpu_name()
    return f"{name} {os.environ.get('NUMBA_CPU_FEATURES', '')}"


def _packed(library: TemplateLibrary) -> bytes:
    names = [list(library.nuisance_names)]
    names += [[one.nuclide, one.variant, one.category] for one in library.templates]
    file = BytesIO()
    np.savez(
        file,
        names=np.frombuffer(msgspec.json.encode(names), np.uint8),
        shapes=np.array([one.shape for one in library.templates]),
        nuisances=library.nuisance_shapes,
        unlisted=library.unlisted_shapes,
    )
    data = file.getvalue()
    return hashlib.sha256(data).digest() + data


def _unpacked(data: bytes, detector: DetectorSpec, edges: tuple[float, ...]) -> TemplateLibrary:
    """Any of `UNREADABLE` where this is not what `_packed` made for these edges."""
    digest, packed = data[:DIGEST_BYTES], data[DIGEST_BYTES:]
    if hashlib.sha256(packed).digest() != digest:
        raise ValueError("damaged")
    with np.load(BytesIO(packed), allow_pickle=False) as kept:
        names = msgspec.json.decode(kept["names"].tobytes(), type=list[list[str]])
        shapes, nuisances, unlisted = kept["shapes"], kept["nuisances"], kept["unlisted"]
    bins = len(edges) - 1
    counts = len(names) - 1, len(names[0]), len(unlisted)
    for rows, count in zip((shapes, nuisances, unlisted), counts, strict=True):
        if rows.dtype != np.float64 or rows.shape != (count, bins):
            raise ValueError("other numbers than names and bins")
    return TemplateLibrary(
        detector=detector,
        edges_kev=np.array(edges),
        templates=tuple(
            Template(nuclide=nuclide, variant=variant, category=category, shape=shape)
            for (nuclide, variant, category), shape in zip(names[1:], shapes, strict=True)
        ),
        nuisance_names=tuple(names[0]),
        nuisance_shapes=nuisances,
        unlisted_shapes=unlisted,
    )
