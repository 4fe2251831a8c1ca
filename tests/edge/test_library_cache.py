import ast

import numpy as np
import pytest

from edge.kernel_cache import ROOT
from edge.library_cache import SOURCES, Shelf
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
    seen.discard("fusion.pass_record")  # of which `types` names a record, and no more
    assert seen == {f"fusion.{source[:-3].replace('/', '.')}" for source in SOURCES}


def test_what_cannot_be_read_is_made_again(library, tmp_path):
    shelf = Shelf(tmp_path)
    shelf.put(library)
    (place,) = tmp_path.glob("*.npz")
    whole = place.read_bytes()
    for damaged in (b"", b"PK\x03\x04", whole[:1000], whole[:-40], b"x" * 1000):
        place.write_bytes(damaged)
        assert shelf.get(DETECTOR, EDGES) is None


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
