"""Keeps the template libraries of detectors beside the compiled kernels: each takes seconds.

A library's name is a digest of the code that made it, of what it was made on and of its detector;
so what is read back is, bit by bit, what would be made.
"""

import hashlib
import os
import tempfile
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
    "spectra/templates.py",
    "spectra/transport.py",
    "types.py",
)
"""All that a library is made with."""


def use_library_cache() -> None:
    """Have libraries kept where the kernels are. Does nothing where those have no folder."""
    folder = os.environ.get(VARIABLE)
    if folder:
        templates.keep_on(Shelf(Path(folder)))


class Shelf:
    """A folder of libraries. One that cannot be read or written is a slower start and no more."""

    def __init__(self, folder: Path, root: Path = ROOT) -> None:
        self._folder = folder
        made = hashlib.sha256()
        for source in SOURCES:
            made.update((root / "fusion" / source).read_bytes())
        for version in (np.__version__, numba.__version__, get_host_cpu_name()):
            made.update(version.encode())
        self._made = made.digest()

    def get(self, detector: DetectorSpec, edges: tuple[float, ...]) -> TemplateLibrary | None:
        """The library; None: it is to be made."""
        try:
            with np.load(self._place(detector, edges), allow_pickle=False) as kept:
                names = msgspec.json.decode(kept["names"].tobytes(), type=list[list[str]])
                shapes, nuisances = kept["shapes"], kept["nuisances"]
        except (OSError, ValueError, KeyError, EOFError, BadZipFile, msgspec.MsgspecError):
            return None
        return TemplateLibrary(
            detector=detector,
            edges_kev=np.array(edges),
            templates=tuple(
                Template(nuclide=nuclide, variant=variant, category=category, shape=shape)
                for (nuclide, variant, category), shape in zip(names[1:], shapes, strict=True)
            ),
            nuisance_names=tuple(names[0]),
            nuisance_shapes=nuisances,
        )

    def put(self, library: TemplateLibrary) -> None:
        """Keep it."""
        names = [list(library.nuisance_names)]
        names += [[one.nuclide, one.variant, one.category] for one in library.templates]
        place = self._place(library.detector, tuple(library.edges_kev.tolist()))
        try:
            with tempfile.NamedTemporaryFile(dir=self._folder, delete=False) as part:
                np.savez(
                    part,
                    names=np.frombuffer(msgspec.json.encode(names), np.uint8),
                    shapes=np.array([one.shape for one in library.templates]),
                    nuisances=library.nuisance_shapes,
                )
            Path(part.name).chmod(0o644)
            Path(part.name).replace(place)  # whole or not at all: another process may read it
        except OSError:
            return

    def _place(self, detector: DetectorSpec, edges: tuple[float, ...]) -> Path:
        asked = hashlib.sha256(self._made)
        asked.update(msgspec.json.encode(detector))
        asked.update(np.array(edges).tobytes())
        return self._folder / f"templates-{asked.hexdigest()[:16]}.npz"
