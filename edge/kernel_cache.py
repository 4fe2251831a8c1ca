"""Where Numba keeps compiled kernels: a folder of their own per version of their sources.

Numba compares each kernel's own file only. A kernel that uses a constant or a function of another
file would go on with what that file said before an upgrade; so the folder's name is a digest of
all of them.
"""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

VARIABLE = "NUMBA_CACHE_DIR"
COMPILES = "kernels being compiled"
"""What the log says now and then while there are kernels to compile; here, because whoever looks
for it need not import Numba."""
ROOT = Path(__file__).parents[1]
ROOMS = (("fusion", "kernels"), ("drivers", "wire", "kernels"))
"""All that is compiled is in one of them."""


def use_kernel_cache(root: Path = ROOT) -> Path:
    """Name the folder to Numba, which must not be imported yet; returns it.

    A folder that was chosen from outside (a container's) stays. Where the source tree cannot be
    written, a private folder of the system's temporary one is used.
    """
    chosen = os.environ.get(VARIABLE)
    if chosen:
        return Path(chosen)
    digest = hashlib.sha256()
    for source in _sources(root):
        digest.update(source)
    name = digest.hexdigest()[:12]
    folder = root / ".kernels" / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        writable = os.access(folder, os.W_OK)
    except OSError:
        writable = False
    if not writable:
        folder = Path(tempfile.gettempdir()) / f"garita-kernels-{os.getuid()}-{name}"
        folder.mkdir(mode=0o700, exist_ok=True)
    os.environ[VARIABLE] = str(folder)
    return folder


def kernels_written(root: Path = ROOT) -> int:
    """How many kernels there are, with those that only others call."""
    return sum(source.count(b"\n@njit") for source in _sources(root))


def _sources(root: Path) -> Iterator[bytes]:
    for room in ROOMS:
        for source in sorted(root.joinpath(*room).glob("*.py")):
            yield source.read_bytes()
