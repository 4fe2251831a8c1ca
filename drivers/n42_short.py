"""Samples of a document whose numbers were read in the short way."""

from drivers.n42_table import Table
from drivers.n42_told import BACK_NS, ROLES, Found, Told, counter_of, milliseconds, nanoseconds
from fusion.types import SpectrumSample


def is_plain(table: Table, told: Told, received_utc_ns: int, *, max_ahead_ns: int) -> bool:
    """Whether its times can be used, and nothing in it needs more than a look."""
    if any(item.class_code == "Background" for item in table.form.items):
        return False
    if not received_utc_ns:
        return True
    ends_ns = zip(table.starts_utc_ns, table.reals_s, strict=True)
    ahead_ns = max(start_ns + nanoseconds(real_s) for start_ns, real_s in ends_ns) - received_utc_ns
    behind_ns = told.last_ns - table.starts_utc_ns[0]
    return ahead_ns <= max_ahead_ns and behind_ns <= BACK_NS


def tell(table: Table, told: Told, found: Found) -> None:
    """What `N42Samples.of` finds, without a look at what such a document cannot have."""
    told.counter = counter_of(table.remarks)
    channels = table.counts.shape[1]
    for at, item in enumerate(table.form.items):
        start_ns, real_s = table.starts_utc_ns[at], table.reals_s[at]
        told.vehicle(start_ns, item.occupied, table.speeds_m_s[at], found)
        live_s = table.lives_s[at]
        if not all(live_s):
            live_s = tuple(one_s or real_s for one_s in live_s)
        found.append(
            SpectrumSample(
                sensor_id=told.sensor_id,
                origin=told.origin,
                start_utc_ns=told.forward(start_ns),
                duration_ms=milliseconds(real_s),
                detectors=item.names,
                counts=table.counts_of(item),
                edges_kev=told.energies.of(item.names, item.calibrations, channels),
                live_s=live_s,
                neutron_counts=table.neutrons[at],
                role=ROLES.get(item.class_code, ""),
                occupied=item.occupied,
                detector_type=item.detector_type,
            )
        )
        told.ended(start_ns + nanoseconds(real_s))
    told.close(table.remarks, found)
