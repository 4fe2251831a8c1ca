"""`garita templates`: build the library of a detector, tell what is in it, keep it, draw it."""

import argparse
import hashlib
import itertools
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge import errors
from edge.config import load_config
from edge.errors import ConfigError
from edge.study.spectrum_plot import Curve, plot
from fusion.spectra.binning import bin_edges
from fusion.spectra.nuclides import NUCLIDES
from fusion.spectra.templates import Template, TemplateLibrary, template_library
from fusion.types import DetectorSpec

DETECTORS: Mapping[str, DetectorSpec] = {
    "nai-2x4x16": DetectorSpec(),
    "nai-3x3": DetectorSpec(depth_cm=7.6, width_cm=7.6, height_cm=7.6),
    "csi": DetectorSpec(material="CsI", resolution_percent=8.0),
    "labr3": DetectorSpec(
        material="LaBr3",
        depth_cm=3.8,
        width_cm=3.8,
        height_cm=3.8,
        resolution_percent=3.0,
        resolution_power=0.5,
    ),
    "hpge": DetectorSpec(
        material="HPGe",
        depth_cm=5.0,
        width_cm=8.5,
        height_cm=8.5,
        resolution_percent=0.24,
        resolution_power=0.5,
    ),
}
"""Usual crystals, where no configuration describes one."""

WINDOWS_KEV = (0.0, 100.0, 300.0, 700.0, 1400.0, 1e9)
MAIN_LINES = 4
DRAWN_VARIANTS = 7  # of a family, spread over it: more cannot be told apart


def main(arguments: argparse.Namespace) -> int:
    """One library per detector; exit code 0, or 3 for a configuration that cannot be used."""
    try:
        detectors = chosen(arguments.detector, arguments.config)
    except ConfigError as error:
        sys.stderr.write(f"templates: {error}\n")
        return errors.EXIT_CONFIG
    if not detectors:
        known = ", ".join(DETECTORS)
        sys.stderr.write(f"templates: no such detector; --detector knows {known}\n")
        return errors.EXIT_USAGE
    for name, detector in detectors.items():
        library = template_library(detector, bin_edges(detector))
        sys.stdout.write(f"{name}: {describe(detector)}, {len(library.edges_kev) - 1} bins\n")
        sys.stdout.write(table(library) + "\n")
        if arguments.out is not None:
            say(f"{name}: kept as {keep(library, name, arguments.out)}")
        if arguments.pictures is not None:
            say(f"{name}: {draw(library, name, arguments.pictures)} pictures drawn")
    return errors.EXIT_OK


def chosen(name: str | None, config: Path | None) -> dict[str, DetectorSpec]:
    """The detectors asked for; empty where the name is unknown. ConfigError from the file."""
    if config is None:
        name = name or "nai-2x4x16"
        return {name: DETECTORS[name]} if name in DETECTORS else {}
    found = {}
    for sensor in load_config(config).sensors:
        described = getattr(sensor, "detector", None)
        if described and name in {None, sensor.id}:
            found[str(sensor.id)] = described.spec()
    return found


def describe(detector: DetectorSpec) -> str:
    """Such as `NaI 5.08 x 10.2 x 40.6 cm, 7 % at 661.7 keV, power 0.55`."""
    size = " x ".join(
        f"{cm:.3g}" for cm in (detector.depth_cm, detector.width_cm, detector.height_cm)
    )
    return (
        f"{detector.material} {size} cm, {detector.resolution_percent:g} % at 661.7 keV, "
        f"power {detector.resolution_power:g}"
    )


def table(library: TemplateLibrary) -> str:
    """A line per template, and of what nature adds, with the share of counts per window."""
    heads = [f"{a:.0f}-{b:.0f}" for a, b in itertools.pairwise(WINDOWS_KEV)]
    heads[-1] = f">{WINDOWS_KEV[-2]:.0f}"
    lines = [
        f"{'nuclide':10}{'category':12}{'variant':26}"
        + "".join(f"{head:>10}" for head in heads)
        + "  main lines, keV"
    ]
    for one in library.templates:
        shares = "".join(f"{share:10.1%}" for share in _shares(library, one.shape))
        strongest = " ".join(f"{kev:g}" for kev in main_lines(one.nuclide))
        lines.append(f"{one.nuclide:10}{one.category:12}{one.variant:26}{shares}  {strongest}")
    for name, shape in zip(library.nuisance_names, library.nuisance_shapes, strict=True):
        shares = "".join(f"{share:10.1%}" for share in _shares(library, shape))
        lines.append(f"{name:10}{'nuisance':12}{'ground':26}{shares}")
    return "\n".join(lines)


def main_lines(nuclide: str) -> list[float]:
    """Energies of the strongest lines, by energy."""
    ranked = sorted(NUCLIDES[nuclide].lines, key=lambda line: -line[1])[:MAIN_LINES]
    return sorted(kev for kev, _ in ranked)


def _shares(library: TemplateLibrary, shape: NDArray[np.float64]) -> NDArray[np.float64]:
    middle = 0.5 * (library.edges_kev[1:] + library.edges_kev[:-1])
    counts, _ = np.histogram(middle, bins=np.array(WINDOWS_KEV), weights=shape)
    return np.asarray(counts, dtype=np.float64)


def keep(library: TemplateLibrary, name: str, folder: Path) -> Path:
    """JSON Lines: where it comes from, then a template each."""
    folder.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256(library.edges_kev.tobytes())
    for one in library.templates:
        digest.update(one.shape.tobytes())
    head = {
        "made_by": "garita templates",
        "model": "fusion.spectra.templates: own line tables and response, no foreign spectra",
        "detector": library.detector,
        "edges_kev": library.edges_kev.tolist(),
        "sha256": digest.hexdigest(),
    }
    rows = [
        {
            "nuclide": one.nuclide,
            "variant": one.variant,
            "category": one.category,
            "shape": one.shape.tolist(),
        }
        for one in library.templates
    ]
    rows += [
        {"nuclide": one, "variant": "ground", "category": "nuisance", "shape": shape.tolist()}
        for one, shape in zip(library.nuisance_names, library.nuisance_shapes, strict=True)
    ]
    path = folder / f"{name}.jsonl"
    path.write_bytes(b"".join(msgspec.json.encode(row) + b"\n" for row in [head, *rows]))
    return path


def draw(library: TemplateLibrary, name: str, folder: Path) -> int:
    """A picture per nuclide; how many."""
    folder.mkdir(parents=True, exist_ok=True)
    families: dict[str, list[Template]] = {}
    for one in library.templates:
        families.setdefault(one.nuclide, []).append(one)
    for nuclide, family in families.items():
        step = max(1, -(-len(family) // DRAWN_VARIANTS))
        curves = [Curve(title=one.variant, shape=one.shape) for one in family[::step]]
        picture = plot(
            library.edges_kev,
            curves,
            title=f"{nuclide}, {family[0].category}, in {name}",
            marks_kev=main_lines(nuclide),
        )
        (folder / f"{name}-{nuclide}.png").write_bytes(picture)
    return len(families)


def say(text: str) -> None:
    """A line of progress, on stderr so that pipes work."""
    sys.stderr.write(f"templates: {text}\n")
    sys.stderr.flush()
