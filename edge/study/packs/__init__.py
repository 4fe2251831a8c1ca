"""Packs of `garita evaluate`: what is measured on known truth, a file for each pack.

A pack is a function from `Settings` to figures, with a row in `PACKS`. Nothing here tunes
anything: seeds of 1,000,000 and more are for reports alone, smaller ones for tuning.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PACKS: dict[str, tuple[str, str]] = {
    "portal-sensitivity": (
        "edge.study.packs.portal_sensitivity:measure",
        "the weakest source that a gross-count portal finds under a vehicle's shadow",
    ),
    "portal-clean": (
        "edge.study.packs.portal_clean:measure",
        "false alarms of a gross-count portal on clean vehicles",
    ),
    "portal-neutrons": (
        "edge.study.packs.portal_neutrons:measure",
        "the standard's neutron source, and bursts from metal cargo",
    ),
    "spectra-generic": (
        "edge.study.packs.spectra_generic:measure",
        "17 sources before one real detector, told without a word about it",
    ),
    "spectra-2x4x16": (
        "edge.study.packs.spectra_2x4x16:measure",
        "the listed nuclides in one pass of two seconds, bare, shielded and in a body",
    ),
    "spectra-hpge": (
        "edge.study.packs.spectra_hpge:measure",
        "a germanium portal: Ba-133 found, nothing in the background",
    ),
    "spectra-passes": (
        "edge.study.packs.spectra_passes:measure",
        "N42 records of portals, cars and hands through the replay, from another model's spectra",
    ),
    "spectra-clean": (
        "edge.study.packs.spectra_clean:measure",
        "false alarms of a spectroscopic portal on clean vehicles, and what loads are called",
    ),
    "spectra-quiet": (
        "edge.study.packs.spectra_quiet:measure",
        "how often clean spectra are taken for a source",
    ),
    "portal-month": (
        "edge.study.packs.portal_month:measure",
        "who is sent to secondary inspection in a month, beside k-sigma at equal detection",
    ),
    "portal-month-spectra": (
        "edge.study.packs.portal_month:measure_spectra",
        "the same at a portal that takes spectra",
    ),
    "portal-calibration": (
        "edge.study.packs.portal_calibration:measure",
        "whether the probabilities of a portal's explanations hold",
    ),
    "xray-empty": (
        "edge.study.packs.xray_empty:measure",
        "empty boxes told empty, and not those with 1.5 kg or more in them",
    ),
    "xray-dense": (
        "edge.study.packs.xray_dense:measure",
        "dense things in loads found, and false alarms in loads without, by clutter",
    ),
    "xray-mass": (
        "edge.study.packs.xray_mass:measure",
        "how far the weight that a scan tells is from the load's",
    ),
    "xray-material": (
        "edge.study.packs.xray_material:measure",
        "what blocks of known material in loads are called",
    ),
    "xray-manifest": (
        "edge.study.packs.xray_manifest:measure",
        "right and wrong papers: how often a load is told not to look like them",
    ),
    "xray-previous": (
        "edge.study.packs.xray_previous:measure",
        "a container scanned twice: what was put in, taken out or moved, and false changes",
    ),
    "xray-pictures": (
        "edge.study.packs.xray_pictures:measure",
        "single 8-bit pictures of unknown display: empty or loaded, the box, and how sure",
    ),
    "xray-quality": (
        "edge.study.packs.xray_quality:measure",
        "which faults of a scanner its self-check notices, false drift alerts, the test piece",
    ),
    "ground-walkers": (
        "edge.study.packs.ground_walkers:measure",
        "people on foot who pass a ground sensor in wind and traffic, and how many are told of",
    ),
    "ground-lines": (
        "edge.study.packs.ground_lines:measure",
        "which way and how fast somebody goes along ground sensors, in how many alerts",
    ),
    "ground-quiet": (
        "edge.study.packs.ground_quiet:measure",
        "false person alerts a ground sensor and day: wind, rain, machinery, traffic, trains",
    ),
    "ground-classes": (
        "edge.study.packs.ground_classes:measure",
        "what sources of nine classes are called by a ground sensor",
    ),
    "ground-real": (
        "edge.study.packs.ground_real:measure",
        "real ground noise, and other recordings that come with obspy",
    ),
    "ground-shake": (
        "edge.study.packs.ground_shake:measure",
        "a real Raspberry Shake: the known event, and nobody on foot",
    ),
    "association": (
        "edge.study.packs.association:measure",
        "which vehicle each scan is of: queues, overtaking, skipping, two lanes at one scanner",
    ),
    "quiet-day": (
        "edge.study.packs.fusion_days:measure_quiet",
        "lawful hours at the crossing: what its operator hears of nothing",
    ),
    "busy-day": (
        "edge.study.packs.fusion_days:measure_busy",
        "all sensors together on busy hours with threats: found, alarms, precision, calibration",
    ),
    "smuggling": (
        "edge.study.packs.fusion_days:measure_smuggling",
        "sources and contraband in lanes, shielded ones by both sensors and by either alone",
    ),
    "footpaths": (
        "edge.study.packs.fusion_days:measure_footpaths",
        "people on foot, drop-offs, digging and vehicles at two fences, among beasts and a road",
    ),
    "adversary": (
        "edge.study.packs.fusion_days:measure_adversary",
        "shields, splits, decoys, jamming, and who drives between two scans",
    ),
    "sensor-trouble": (
        "edge.study.packs.fusion_trouble:measure",
        "one sensor dead, stuck or half a second off: what is lost, and how soon it is told",
    ),
    "flood": (
        "edge.study.packs.flood:measure",
        "somebody at each of thirty stretches at once, simulated: what rings, what is told",
    ),
    "fusion-flood": (
        "edge.study.packs.fusion_flood:measure",
        "thirty tracks at once: what an operator hears, what is told, what can be found",
    ),
    "fusion-correlation": (
        "edge.study.packs.fusion_correlation:measure",
        "false alarms of correlated sensors at a nominal rate, beside the naive sum",
    ),
}
"""Name to function, as `module:function`, and what it measures."""

REPORT_SEED = 1_000_000
"""The first of the seeds that no threshold, template or calibration has ever seen."""
CROSSING_SEED = 9_100_000
"""The same of days at the crossing, on which several sensors were tuned together."""


class PackError(Exception):
    """A pack cannot be run as asked; says what to give it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the command line chose."""

    seed: int
    """First of the seeds; each pass, day or file takes its own from here on."""
    crossing_seed: int = CROSSING_SEED
    """The same of days at the crossing."""
    number: int | None
    """How many passes, or None for as many as the figure asks for."""
    data: Path | None
    """Folder of recordings with known truth, for the packs that read some."""
    pictures: Path | None
    """Where pictures go, or None for none."""
    say: Callable[[str], None]
    """Takes a line of progress."""

    def folder(self, name: str) -> Path:
        """The folder of recordings called `name` within `data`. PackError where it is missing."""
        if self.data is None:
            raise PackError(f"needs recordings: --data DIR, a folder that holds {name}/")
        found = self.data / name
        if not found.is_dir():
            raise PackError(f"{self.data}: there is no folder {name}/ in it")
        return found
