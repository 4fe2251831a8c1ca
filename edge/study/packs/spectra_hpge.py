"""`spectra-hpge`: a real germanium portal, Ba-133 and background, whole and in short slices.

Thresholds of the identification were set while looking at these files: the figures are no
held-out test, and other seeds do not make them one.
"""

import numpy as np

from edge.study.figures import Figure
from edge.study.packs import Settings
from edge.study.packs.spectra_files import Bench, read, share
from fusion.spectra.detector import detector_of

FOLDER = "n42"
SOURCE, BACKGROUND = "ba133_source_640s_20100317", "background_20100317"
TRUTH = "Ba-133"
SLICES_S = (2.0, 10.0, 60.0)
DRAWS = 30


def measure(settings: Settings) -> list[Figure]:
    """Whole files as they are, and Poisson counts for shorter times drawn from them."""
    folder = settings.folder(FOLDER)
    source = read(folder, f"{SOURCE}.n42")[SOURCE]
    background = read(folder, f"{BACKGROUND}.n42")[BACKGROUND]
    detector = detector_of(background.counts, background.edges_kev)
    settings.say(f"{detector.material}, {detector.resolution_percent} % at 662 keV")
    bench = Bench(detector)
    clean, hot = bench.binned(background), bench.binned(source)
    known = clean, background.live_s
    found = [bench.ask(hot, source.live_s, one) for one in (None, known)]
    quiet = bench.ask(clean, background.live_s, None)
    right = [one.nuclides[:1] and one.nuclides[0][0] == TRUTH for one in found]
    figures = [
        share(f"{TRUTH} in the whole file", sum(map(bool, right)), 2, "alone, and compared", 1.0),
        Figure(
            name="background alone",
            value=quiet.sigma,
            unit="sigma",
            goal="background",
            reached=quiet.category == "background",
            how=f"called {quiet.category}; likeliest {quiet.candidates[:3]}",
        ),
    ]
    random = np.random.default_rng(settings.seed)
    draws = settings.number or DRAWS
    for seconds in SLICES_S:
        hits, alarms, blind = 0, 0, 0
        for _ in range(draws):
            some = random.poisson(hot * (seconds / source.live_s)).astype(np.float64)
            told = bench.ask(some, seconds, known).nuclides
            hits += bool(told) and told[0][0] == TRUTH
            none = random.poisson(clean * (seconds / background.live_s)).astype(np.float64)
            alarms += bench.ask(none, seconds, known).category != "background"
            blind += bench.ask(none, seconds, None).category != "background"
        how = f"{draws} draws of {seconds:g} s, seed {settings.seed:,}"
        figures += [
            share(f"{TRUTH} in {seconds:g} s", hits, draws, how, 0.95),
            share(f"alarms on background, {seconds:g} s", alarms, draws, f"{how}; goal none"),
            share(f"the same, none measured, {seconds:g} s", blind, draws, f"{how}; goal none"),
        ]
    return figures
