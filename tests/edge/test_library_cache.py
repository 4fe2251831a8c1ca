import ast
import errno
import hashlib
import io
import json
import os
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge import library_cache
from edge.kernel_cache import ROOT
from edge.library_cache import KEPT, SOURCES, Shelf
from fusion.spectra import templates
from fusion.types import DetectorSpec

EDGES = tuple(np.linspace(20.0, 3000.0, 41).tolist())
DETECTOR = DetectorSpec(material="NaI")


@pytest.fixture(scope="module")
def library():
    return templates._made(DETECTOR, EDGES)


def test_what_is_read_back_is_what_was_made_bit_by_bit(library, tmp_path):
    shelf = Shelf(tmp_path)
    assert shelf.get(DETECTOR, EDGES) is None
    shelf.put(library)
    kept = Shelf(tmp_path).get(DETECTOR, EDGES)
    assert kept.nuisance_names == library.nuisance_names
    assert kept.nuisance_shapes.tobytes() == library.nuisance_shapes.tobytes()
    assert kept.edges_kev.tobytes() == library.edges_kev.tobytes()
    assert len(kept.templates) == len(library.templates)
    for one, other in zip(kept.templates, library.templates, strict=True):
        assert (one.nuclide, one.variant, one.category) == (
            other.nuclide,
            other.variant,
            other.category,
        )
        assert one.shape.tobytes() == other.shape.tobytes()


def test_another_detector_other_bins_and_other_code_have_their_own(library, tmp_path):
    shelf = Shelf(tmp_path)
    shelf.put(library)
    assert shelf.get(DetectorSpec(material="CsI"), EDGES) is None
    assert shelf.get(DETECTOR, EDGES[:-1]) is None
    for source in SOURCES:
        copy = tmp_path / "fusion" / source
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes((ROOT / "fusion" / source).read_bytes())
    assert Shelf(tmp_path, root=tmp_path).get(DETECTOR, EDGES) is not None
    (tmp_path / "fusion" / SOURCES[-1]).write_bytes(b"other")
    assert Shelf(tmp_path, root=tmp_path).get(DETECTOR, EDGES) is None


def test_a_library_is_made_with_nothing_but_what_names_it():
    seen, waiting = set(), ["fusion.spectra.templates"]
    while waiting:
        module = waiting.pop()
        place = ROOT / f"{module.replace('.', '/')}.py"
        if module in seen or not place.exists():
            continue
        seen.add(module)
        for node in ast.walk(ast.parse(place.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module.startswith("fusion"):
                waiting += [node.module, *(f"{node.module}.{name.name}" for name in node.names)]
    seen -= {
        "fusion.pass_record",
        "fusion.scan_record",
        "fusion.wave_record",
    }  # of which `types` names records, and no more
    assert seen == {f"fusion.{source[:-3].replace('/', '.')}" for source in SOURCES}


def sealed(data):
    return hashlib.sha256(data).digest() + data


def test_what_cannot_be_read_is_made_again(library, tmp_path):
    shelf = Shelf(tmp_path)
    shelf.put(library)
    (place,) = tmp_path.iterdir()
    whole = place.read_bytes()
    inner = whole[32:]
    pieces = (b"", b"PK\x03\x04", whole[:1000], whole[:-40], b"x" * 1000, whole[:32])
    for damaged in (inner, *pieces, *(sealed(piece) for piece in (*pieces, inner[:-40]))):
        place.write_bytes(damaged)
        assert shelf.get(DETECTOR, EDGES) is None
    shelf.put(library)
    assert place.read_bytes() == whole


def test_no_bit_can_be_other_than_it_was_written(library, tmp_path):
    shelf = Shelf(tmp_path)
    shelf.put(library)
    (place,) = tmp_path.iterdir()
    whole = place.read_bytes()
    random = np.random.default_rng(0)
    # The head, the zip's directory at the end, and anywhere.
    spots = [*range(0, 120, 3), *range(len(whole) - 240, len(whole), 3)]
    for spot in (*spots, *random.integers(len(whole), size=60).tolist()):
        damaged = bytearray(whole)
        damaged[spot] ^= 1 << int(random.integers(8))
        place.write_bytes(damaged)
        assert shelf.get(DETECTOR, EDGES) is None


def archive(**changes):
    names = [["K-40"], ["Cs-137", "bare", "industrial"]]
    arrays = {
        "names": np.frombuffer(json.dumps(changes.pop("said", names)).encode(), np.uint8),
        "shapes": np.ones((1, 40)),
        "nuisances": np.ones((1, 40)),
        "unlisted": np.ones((3, 40)),
    } | changes
    file = io.BytesIO()
    np.savez(file, **{name: array for name, array in arrays.items() if array is not None})
    return sealed(file.getvalue())


def test_a_library_of_other_names_or_bins_is_made_again(library, tmp_path):
    shelf = Shelf(tmp_path)
    shelf.put(library)
    (place,) = tmp_path.iterdir()
    place.write_bytes(archive())
    assert len(shelf.get(DETECTOR, EDGES).templates) == 1
    for wrong in (
        {"said": []},
        {"said": [["K-40"]]},
        {"said": [["K-40"], ["Cs-137", "bare"]]},
        {"said": {"K-40": 1}},
        {"shapes": None},
        {"shapes": np.ones((1, 39))},
        {"shapes": np.ones((2, 40))},
        {"shapes": np.ones(40)},
        {"shapes": np.ones((1, 40), np.float32)},
        {"nuisances": np.ones((2, 40))},
        {"nuisances": np.float64(1.0)},
        {"unlisted": None},
        {"unlisted": np.ones((3, 39))},
        {"unlisted": np.float64(1.0)},
    ):
        place.write_bytes(archive(**wrong))
        assert shelf.get(DETECTOR, EDGES) is None, wrong


@pytest.mark.parametrize("fails", ["write", "close", "replace"])
def test_a_full_disk_leaves_nothing_behind(library, tmp_path, monkeypatch, fails):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    real = tempfile.NamedTemporaryFile

    def opened(**options):
        file = real(**options)
        if fails in ("write", "close"):
            monkeypatch.setattr(file, fails, full, raising=False)
        if fails == "close":
            file.__class__ = type("Closing", (type(file),), {"__exit__": full})
        return file

    monkeypatch.setattr(tempfile, "NamedTemporaryFile", opened)
    if fails == "replace":
        monkeypatch.setattr(Path, "replace", full)
    Shelf(tmp_path).put(library)
    assert list(tmp_path.iterdir()) == []


def test_only_those_used_last_are_kept(library, tmp_path):
    shelf = Shelf(tmp_path)
    shelf.put(library)
    (place,) = tmp_path.iterdir()
    os.utime(place, (1, 1))
    for number in range(KEPT):
        for name in (f"templates-{number:x}.library", f"templates-{number:x}.part"):
            (tmp_path / name).write_bytes(b"older")
            os.utime(tmp_path / name, (2 + number, 2 + number))
    (tmp_path / "fit.nbi").write_bytes(b"a kernel")
    assert shelf.get(DETECTOR, EDGES) is not None  # and is now the one used last
    other = DetectorSpec(material="CsI")
    shelf.put(replace(library, detector=other))
    assert len(list(tmp_path.glob("templates-*"))) == KEPT
    assert shelf.get(DETECTOR, EDGES) is not None
    assert shelf.get(other, EDGES) is not None
    assert (tmp_path / "fit.nbi").exists()


def test_an_image_is_made_for_the_processor_that_numba_was_told(library, tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CPU_NAME", "generic")
    Shelf(tmp_path).put(library)
    monkeypatch.setattr(library_cache, "get_host_cpu_name", lambda: "another")
    assert Shelf(tmp_path).get(DETECTOR, EDGES) is not None
    monkeypatch.delenv("NUMBA_CPU_NAME")
    assert Shelf(tmp_path).get(DETECTOR, EDGES) is None


def test_a_folder_that_cannot_be_written_is_no_trouble(library, tmp_path):
    Shelf(tmp_path / "missing").put(library)


def test_a_library_is_taken_from_the_shelf(library, tmp_path):
    templates.keep_on(Shelf(tmp_path))
    try:
        templates._library.cache_clear()
        made = templates.template_library(DETECTOR, np.array(EDGES))
        templates._library.cache_clear()
        kept = templates.template_library(DETECTOR, np.array(EDGES))
        assert kept is not made
        assert kept.templates[7].shape.tobytes() == made.templates[7].shape.tobytes()
    finally:
        templates.keep_on(None)
        templates._library.cache_clear()
