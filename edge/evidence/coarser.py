"""Fewer numbers for the same pass, where its files would be too large to send."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fusion.pass_record import PassRecord, SpectraRecord

SPECTRUM_BYTES = 260  # the element around the numbers
TOKEN_BYTES = 2.4  # a count or a run of zeroes, and the blank behind it
EDGE_BYTES = 9
GROSS_BYTES = 700  # a scan of four panels


def numbers(record: PassRecord) -> int:
    """Counts in the spectra of a pass."""
    return 0 if record.spectra is None else int(record.spectra.counts.size)


def rough_bytes(record: PassRecord) -> int:
    """About how long the document of a pass will be."""
    spectra = record.spectra
    if spectra is None:
        return len(record.starts_utc_ns) * GROSS_BYTES
    slices, detectors, channels = spectra.counts.shape
    filled = int(np.count_nonzero(spectra.counts))
    of_background = detectors * channels * 5 if spectra.background_counts is not None else 0
    # Every number has a run of zeroes behind it, unless the channels are full.
    tokens = min(2 * filled, slices * detectors * channels)
    return int(slices * detectors * SPECTRUM_BYTES + 1.5 * TOKEN_BYTES * tokens) + of_background


def coarser(record: PassRecord) -> PassRecord | None:
    """Two slices as one, or two channels where one slice is left; None: there is no less."""
    spectra = record.spectra
    if spectra is None:
        return _fewer_scans(record) if len(record.starts_utc_ns) > 1 else None
    if spectra.counts.shape[0] > 1:
        return replace(record, spectra=_fewer_slices(spectra))
    if spectra.counts.shape[2] > 1:
        return replace(record, spectra=_fewer_channels(spectra))
    return None


def note(record: PassRecord, coarse: PassRecord) -> str:
    """What was put together, for a reader of the document; `""` where it is the whole record."""
    told = []
    if len(coarse.starts_utc_ns) < len(record.starts_utc_ns):
        told.append(f"{len(record.starts_utc_ns)} scans as {len(coarse.starts_utc_ns)}")
    if record.spectra is not None and coarse.spectra is not None:
        (slices, _, channels), (fewer, _, wider) = (
            record.spectra.counts.shape,
            coarse.spectra.counts.shape,
        )
        told += [f"{slices} slices as {fewer}"] if fewer < slices else []
        told += [f"{channels} channels as {wider}"] if wider < channels else []
    return f"Summed to keep this document small: {', '.join(told)}." if told else ""


def _fewer_scans(record: PassRecord) -> PassRecord:
    pairs = np.arange(0, len(record.starts_utc_ns), 2)

    def summed(counts: NDArray[np.float64] | None) -> NDArray[np.float64] | None:
        return None if counts is None else np.add.reduceat(counts, pairs, axis=0)

    return replace(
        record,
        starts_utc_ns=record.starts_utc_ns[pairs],
        scan_s=2 * record.scan_s,
        gamma_counts=np.add.reduceat(record.gamma_counts, pairs, axis=0),
        passed_m=record.passed_m[pairs],
        clean_counts=summed(record.clean_counts),
        fitted_counts=summed(record.fitted_counts),
        alarm_counts=summed(record.alarm_counts),
    )


def _fewer_slices(spectra: SpectraRecord) -> SpectraRecord:
    pairs = np.arange(0, len(spectra.starts_utc_ns), 2)
    first, last = spectra.window
    return replace(
        spectra,
        starts_utc_ns=spectra.starts_utc_ns[pairs],
        real_s=np.add.reduceat(spectra.real_s, pairs),
        live_s=np.add.reduceat(spectra.live_s, pairs, axis=0),
        counts=np.add.reduceat(spectra.counts, pairs, axis=0),
        window=(first // 2, -(-last // 2)),
    )


def _fewer_channels(spectra: SpectraRecord) -> SpectraRecord:
    channels = spectra.counts.shape[2]
    pairs = np.arange(0, channels, 2)
    background = spectra.background_counts
    return replace(
        spectra,
        edges_kev=np.ascontiguousarray(spectra.edges_kev[:, [*pairs, channels]])
        if spectra.edges_kev.size
        else spectra.edges_kev,
        counts=np.add.reduceat(spectra.counts, pairs, axis=2),
        background_counts=None
        if background is None
        else np.add.reduceat(background, pairs, axis=1),
    )
