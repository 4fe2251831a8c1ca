"""`spectra-2x4x16`: the nuclides of the N42.38 list in one pass of two seconds.

Each file of the folder holds a source over the background, 1,800 s long. The background is taken
off, the rest scaled to the net counts asked for, and Poisson counts are drawn from it over 3,500
counts of background; the portal knows its background from 300 s. None of the files is a template.

Truth is the file's name: every thallium file is Tl-201 (with and without its impurity Tl-202),
every plutonium file Pu, every enrichment of uranium U-235; what is behind a phantom or a shield is
still what it is. Asked is the likeliest explanation, as in the baseline of other tests of this
kind; that it is also over the alarm line is a figure of its own.

Thresholds of the identification were set while looking at these files: the figures are no
held-out test, and other seeds do not make them one.
"""

import re

import numpy as np

from edge.study.figures import Figure
from edge.study.packs import Settings
from edge.study.packs.spectra_files import Bench, Measured, read, reliability, share
from fusion.spectra.verdict import Verdict
from fusion.types import DetectorSpec

FOLDER = "nai-2x4x16"
DETECTOR = DetectorSpec(resolution_percent=8.0)  # as `detector_of` tells it from the background
LIST = {
    "snm": ("U-233", "U-235", "Np-237", "Pu"),
    "industrial": ("Co-57", "Co-60", "Se-75", "Ba-133", "Cs-137", "Ir-192", "Am-241"),
    "medical": ("F-18", "Ga-67", "Tc-99m", "In-111", "I-123", "I-131", "Tl-201"),
    "norm": ("K-40", "Ra-226", "Th-232"),
}
"""N42.38 (facts/radiation 2)."""
CATEGORY = {name: category for category, names in LIST.items() for name in names}
ENRICHED = "Unshielded_"  # U235_Unshielded_0200 to _9330: hundredths of a percent of U-235
NET_COUNTS, BACKGROUND_COUNTS, PASS_S, KNOWN_S = 1000.0, 3500.0, 2.0, 300.0
DRAWS = 20


def measure(settings: Settings) -> list[Figure]:
    """Top-1 nuclide and category, shielded entries apart, and what confidence is worth."""
    files = read(settings.folder(FOLDER), "*.txt")
    background = files.pop("background")
    bench = Bench(DETECTOR)
    draws = settings.number or DRAWS
    told: dict[str, list[Verdict]] = {}
    for place, (stem, measured) in enumerate(files.items()):
        if truth_of(stem) is None:
            continue
        random = np.random.default_rng([settings.seed, place])
        told[stem] = _passes(bench, measured, background, random, draws)
        settings.say(f"{stem}: {_right(stem, told[stem])} of {draws}")
    how = (
        f"{len(told)} files, {draws} passes each, {NET_COUNTS:.0f} net counts on "
        f"{BACKGROUND_COUNTS:.0f}, seed {settings.seed:,}"
    )
    return _figures(told, how)


def truth_of(stem: str) -> str | None:
    """The listed nuclide of a file's name, or None where it is not listed."""
    name = stem.partition("_")[0]
    parts = re.match(r"([A-Z][a-z]?)(\d+m?)", name)
    if parts is None or name == "Am241Li":  # a neutron source, and not the americium of the list
        return None
    nuclide = _family(f"{parts[1]}-{parts[2]}")
    return nuclide if nuclide in CATEGORY else None


def _family(nuclide: str) -> str:
    return "Pu" if nuclide.startswith("Pu-") else nuclide


def _passes(
    bench: Bench,
    measured: Measured,
    background: Measured,
    random: np.random.Generator,
    draws: int,
) -> list[Verdict]:
    clean = bench.binned(background) / background.live_s
    net = bench.binned(measured) / measured.live_s - clean
    mean = clean / clean.sum() * BACKGROUND_COUNTS + net / net.sum() * NET_COUNTS
    mean = np.maximum(mean, 0.0)
    verdicts = []
    for _ in range(draws):
        known = random.poisson(clean * KNOWN_S).astype(np.float64), KNOWN_S
        verdicts.append(bench.ask(random.poisson(mean).astype(np.float64), PASS_S, known))
    return verdicts


def _top(verdict: Verdict) -> str:
    return _family(verdict.candidates[0][0]) if verdict.candidates else ""


def _right(stem: str, verdicts: list[Verdict]) -> int:
    return sum(_top(one) == truth_of(stem) for one in verdicts)


def _figures(told: dict[str, list[Verdict]], how: str) -> list[Figure]:
    plain = {stem: one for stem, one in told.items() if ENRICHED not in stem}
    groups = (
        ("top-1", told, 0.90),
        ("top-1, one file of U-235 unshielded", plain, None),
        ("top-1, shielded", {k: v for k, v in told.items() if "_Shielded" in k}, 0.80),
        ("top-1, phantom", {k: v for k, v in told.items() if "_Phantom" in k}, None),
        ("top-1, unshielded", {k: v for k, v in plain.items() if "_Unshielded" in k}, None),
    )
    figures = []
    for name, group, goal in groups:
        hits = sum(_right(stem, verdicts) for stem, verdicts in group.items())
        of = sum(map(len, group.values()))
        weak = [stem for stem, one in group.items() if _right(stem, one) < 0.5 * len(one)]
        figures.append(share(name, hits, of, f"{how}; under half: {', '.join(weak) or '-'}", goal))
    everything = [(stem, one) for stem, verdicts in told.items() for one in verdicts]
    categories = [one.likeliest == CATEGORY[truth_of(stem) or ""] for stem, one in everything]
    figures.append(share("category", sum(categories), len(categories), how, 0.97))
    alarmed = [one.category != "background" for _, one in everything]
    figures.append(share("over the alarm line", sum(alarmed), len(alarmed), how))
    confidences = [
        (one.candidates[0][1] if one.candidates else 0.0, _top(one) == truth_of(stem))
        for stem, one in everything
    ]
    return figures + reliability("nuclide", confidences, how)
