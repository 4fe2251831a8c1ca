"""`portal-month`, `portal-month-spectra`: who is sent to secondary inspection in a month.

The whole chain decides: simulator's bytes, driver, engine, alerts. A referral is an alert of level
2 or more that asks for inspection; RAD_INNOCENT lets a vehicle go. Beside it stands k-sigma on the
same samples, with Garita's neutron test and with the threshold at which it finds as many of the
threat set.
"""

from collections.abc import Callable, Mapping, Sequence

from edge.study.figures import Figure
from edge.study.intervals import proportion
from edge.study.month_chart import Bar, month_chart
from edge.study.packs import Settings
from edge.study.portal_cases import cases, seeds_of, version_of
from edge.study.portal_month import (
    COMES,
    FIELD_SIGMA,
    HIDDEN_SHARE,
    Month,
    Outcome,
    outcome_of,
    referred,
)
from fusion.policy import Policy

GOAL = 0.9
SHARES: Mapping[str, Mapping[str, float]] = {
    "rpm-tsa": {
        "norm": 0.05,
        "patient": 0.03,
        "threat": 0.05,
        "threat in norm": 0.03,
        "threat anywhere": 0.03,
        "clean": 1.0,
    },
    "rpm-n42": {
        "norm": 0.6,
        "patient": 0.4,
        "threat": 0.8,
        "threat in norm": 0.3,
        "threat anywhere": 0.4,
        "clean": 1.0,
    },
}
"""Passes of each stratum, as a share of the clean ones."""
CLEAN: Mapping[str, int] = {"rpm-tsa": 12_000, "rpm-n42": 150}
SEEDS_APART = 10_000


def measure(settings: Settings) -> list[Figure]:
    """At a portal that counts."""
    return _measure(settings, "rpm-tsa", "portal-month")


def measure_spectra(settings: Settings) -> list[Figure]:
    """At a portal that takes spectra."""
    return _measure(settings, "rpm-n42", "portal-month-spectra")


def _measure(settings: Settings, kind: str, name: str) -> list[Figure]:
    policy = Policy()
    clean = settings.number or CLEAN[kind]
    strata: dict[str, list[Outcome]] = {}
    parts = []
    for index, (stratum, share) in enumerate(SHARES[kind].items()):
        number = max(20, round(share * clean))
        seed = settings.seed + index * SEEDS_APART
        found: list[Outcome] = []
        for case in cases(stratum, kind, seed, number, policy):
            found.append(outcome_of(case))
            if len(found) % 250 == 0:
                settings.say(f"{stratum}: {len(found):,} of {number:,} passes")
        settings.say(f"{stratum}: {len(found):,} passes")
        strata[stratum] = found
        last = seed + seeds_of(stratum, kind, seed, number) - 1
        parts.append(f"{len(found):,} {stratum} (seeds {seed:,}-{last:,})")
    month = Month(strata=strata)
    how = f"on {version_of(kind)}: {', '.join(parts)}"
    figures = _figures(month, kind, how)
    if settings.pictures is not None:
        line = month.reduction(HIDDEN_SHARE)[2]
        settings.pictures.mkdir(parents=True, exist_ok=True)
        path = settings.pictures / f"{name}.png"
        path.write_bytes(month_chart(_title(kind), _bars(month, line), line))
        settings.say(f"picture: {path}")
    return figures


def _title(kind: str) -> str:
    spectra = "with spectra" if kind == "rpm-n42" else "that counts (PVT)"
    return f"Referrals in a month of one lane, portal {spectra}"


def _figures(month: Month, kind: str, how: str) -> list[Figure]:
    value, interval, line = month.reduction(HIDDEN_SHARE)
    figures = [
        Figure(
            name=f"{kind}: fewer referrals than k-sigma at equal detection",
            value=value,
            unit="",
            goal=f">= {GOAL:g}",
            reached=value >= GOAL,
            how=f"threat set one in {1 / HIDDEN_SHARE:.0f} within minerals, k-sigma at {line:.2f}, "
            f"both with the same neutron test; {how}",
            interval=interval,
        )
    ]
    for hidden, words in ((0.0, "none within minerals"), (0.5, "half within minerals")):
        value, interval, other = month.reduction(hidden)
        figures.append(_plain(f"the same, {words}", value, interval, f"k-sigma at {other:.2f}"))
    # The threat set lies in the box. Who knows portals may sit beside it.
    anywhere = Month(strata={**month.strata, "threat": month.strata["threat anywhere"]})
    value, interval, other = anywhere.reduction(0.0)
    how = f"k-sigma at {other:.2f}; found {anywhere.detection(0.0, referred):.3f} of them"
    figures.append(_plain("the same, a fifth in the cab", value, interval, how))
    tests: tuple[tuple[str, Callable[[Outcome], bool]], ...] = (
        ("Garita", referred),
        (f"k-sigma at {line:.2f}", lambda one: one.by_k_sigma(line)),
        (f"k-sigma at {FIELD_SIGMA:g}, as fielded", lambda one: one.by_k_sigma(FIELD_SIGMA)),
    )
    for name, test in tests:
        count, bounds = month.referrals(test)
        vehicles = f"{sum(COMES.values()):,.0f} vehicles"
        figures.append(_plain(f"{name}: referrals a month", count, bounds, vehicles))
    for name, test in tests:
        for stratum in ("threat", "threat in norm", "threat anywhere", "norm", "patient", "clean"):
            figures.append(_share(f"{name}: {stratum}", month.strata[stratum], test))
    for stratum in ("norm", "patient"):
        for cause in month.causes((stratum,)):
            rows = month.of_cause(stratum, cause)
            theirs = sum(one.by_k_sigma(line) for one in rows)
            told = f"k-sigma {theirs} of {len(rows)}"
            figures.append(_share(f"Garita: {cause}", rows, referred, told))
    for group in ("bare", "lead", "steel", "poly", "neutrons"):
        rows = [one for one in month.strata["threat"] if group in one.cause]
        if rows:
            theirs = sum(one.by_k_sigma(line) for one in rows)
            told = f"k-sigma {theirs} of {len(rows)}"
            figures.append(_share(f"Garita: threats, {group}", rows, referred, told))
    return figures


def _bars(month: Month, line: float) -> list[Bar]:
    bars = []
    for stratum in ("norm", "patient", "clean"):
        rows = month.strata[stratum]
        each = COMES[stratum] / len(rows)
        for cause in month.causes((stratum,)):
            mine = month.of_cause(stratum, cause)
            bars.append(
                Bar(
                    cause,
                    each * sum(one.by_k_sigma(line) for one in mine),
                    each * sum(map(referred, mine)),
                )
            )
    return bars


def _share(
    name: str, rows: Sequence[Outcome], test: Callable[[Outcome], bool], more: str = ""
) -> Figure:
    hits = sum(map(test, rows))
    how = f"{hits} of {len(rows)} passes referred" + (f"; {more}" if more else "")
    return _plain(name, hits / len(rows), proportion(hits, len(rows)), how)


def _plain(name: str, value: float, interval: tuple[float, float], how: str) -> Figure:
    return Figure(
        name=name, value=value, unit="", goal="", reached=None, how=how, interval=interval
    )
