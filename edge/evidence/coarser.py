"""Fewer numbers for the same pass, where its files would be too large to send."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fusion.pass_record import PassRecord, SpectraRecord

SPECTRUM_BYTES = 260  # the element around the numbers
RUN_BYTES = 6  # of zeroes: a zero and its length, with their blanks
GROSS_BYTES = 700  # a scan of four panels


def rough_bytes(record: PassRecord) -> int:
    """About how long the document of a pass will be."""
    spectra = record.spectra
    if spectra is None:
        return len(record.starts_utc_ns) * GROSS_BYTES
    background = spectra.background_counts
    found = _text_bytes(spectra.counts)
    return found if background is None else found + _text_bytes(background)


def _text_bytes(counts: NDArray[np.uint32] | NDArray[np.float64]) -> int:
    """Of whole numbers as text, runs of zeroes told by their length. The last axis: channels."""
    filled = counts > 0
    told = 2 * int(np.count_nonzero(filled))  # the first digit, and the blank
    for power in range(1, 10):
        more = int(np.count_nonzero(counts >= 10**power))
        if not more:
            break
        told += more
    spectra = int(np.prod(counts.shape[:-1]))
    runs = spectra + int(np.count_nonzero(filled[..., :-1] & ~filled[..., 1:]))
    return told + RUN_BYTES * runs + SPECTRUM_BYTES * spectra


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


def sparser(record: PassRecord, most: int) -> PassRecord:
    """What repeated `coarser` comes to where no more than `most` counts are left, in one go."""
    spectra = record.spectra
    if spectra is None:
        return record
    slices, detectors, channels = spectra.counts.shape
    halvings = 0
    while slices > 1 and slices * detectors * channels > most:
        halvings, slices = halvings + 1, -(-slices // 2)
    spectra = _fewer_slices(spectra, halvings)
    while spectra.counts.size > most and spectra.counts.shape[2] > 1:
        spectra = _fewer_channels(spectra)
    return replace(record, spectra=spectra)


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


def _fewer_slices(spectra: SpectraRecord, halvings: int = 1) -> SpectraRecord:
    starts_utc_ns, real_s, live_s = spectra.starts_utc_ns, spectra.real_s, spectra.live_s
    first, last = spectra.window
    for _ in range(halvings):
        pairs = np.arange(0, len(starts_utc_ns), 2)
        starts_utc_ns = starts_utc_ns[pairs]
        real_s = np.add.reduceat(real_s, pairs)
        live_s = np.add.reduceat(live_s, pairs, axis=0)
        first, last = first // 2, -(-last // 2)
    return replace(
        spectra,
        starts_utc_ns=starts_utc_ns,
        real_s=real_s,
        live_s=live_s,
        counts=_groups(spectra.counts, 2**halvings),
        window=(first, last),
    )


def _groups(counts: NDArray[np.unsignedinteger], size: int) -> NDArray[np.unsignedinteger]:
    """Sums of so many slices each; of what is left, the last. Whole numbers, in any order.

    Row by row, because `reduceat` takes twenty times as long over millions of them.
    """
    if size == 1:
        return counts
    fits = int(counts.max(initial=0)) * size < 2**32
    summed = np.empty(
        (-(-len(counts) // size), *counts.shape[1:]), np.uint32 if fits else np.uint64
    )
    for group, out in enumerate(summed):
        counts[group * size : (group + 1) * size].sum(axis=0, dtype=summed.dtype, out=out)
    return summed


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
