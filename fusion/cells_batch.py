"""Evidence of many places at once, report after report: for studies, and to know what it can do."""

import math
from collections.abc import Sequence

import numpy as np

from fusion.cells import FIRST_SLOTS, Floats, Layout, correlations
from fusion.kernels import evidence as kernel
from fusion.types import Detection


class Cells:
    """What the sensors of many places say, each voice by its last word."""

    def __init__(self, layout: Layout, cells: int) -> None:
        self._layout = layout
        self._slots: dict[tuple[int, str, str], int] = {}
        self._voices: list[list[Detection]] = [[] for _ in range(cells)]
        self._begin_utc_ns: int | None = None
        self._used = np.zeros(cells, np.int64)
        self._latest_ns = np.zeros(cells)
        self._rhos = np.zeros((cells, FIRST_SLOTS, FIRST_SLOTS))
        self._silent = np.zeros((cells, FIRST_SLOTS, layout.width))
        """The row of each voice while it says nothing."""
        self._tables = np.zeros((cells, FIRST_SLOTS, layout.width))
        self._weighed = np.zeros((FIRST_SLOTS, len(layout.names)))

    def take(self, reports: Sequence[tuple[int, Detection]], priors: Floats) -> Floats:
        """(reports, explanations) probabilities in the cell of each report, after it.

        reports  (cell, detection) in the order of their arrival; a cell's time is that of its
                 latest detection
        priors   (explanations,) nats

        IndexError: a cell that there is not. ValueError: more voices than a cell has room for.
        """
        if self._begin_utc_ns is None and reports:
            self._begin_utc_ns = reports[0][1].end_utc_ns
        begin_utc_ns, columns = self._begin_utc_ns or 0, self._layout.columns
        cells, slots, ends_ns, totals = [], [], [], []
        who, which, says = [], [], []
        for number, (cell, detection) in enumerate(reports):
            slot = self._slots.get((cell, detection.sensor_id, detection.kind))
            cells.append(cell)
            slots.append(self._sit(cell, detection) if slot is None else slot)
            ends_ns.append(detection.end_utc_ns - begin_utc_ns)
            totals.append(math.fsum(detection.nats.values()))
            for name, nats in detection.nats.items():
                if name in columns:
                    who.append(number)
                    which.append(columns[name])
                    says.append(nats)
        seats = np.array(cells, np.int64), np.array(slots, np.int64)
        rows = self._silent[seats]
        rows[:, kernel.END], rows[:, kernel.TOTAL] = ends_ns, totals
        rows[who, np.array(which, np.int64) + kernel.NATS] = says
        shares = np.empty((len(reports), len(self._layout.names)))
        kernel.take(
            rows,
            *seats,
            self._tables,
            self._rhos,
            self._used,
            self._latest_ns,
            priors,
            self._layout.questions,
            self._weighed,
            shares,
        )
        return shares

    def _sit(self, cell: int, detection: Detection) -> int:
        """The place of a voice that has not been heard before."""
        if not 0 <= cell < len(self._voices):
            raise IndexError(f"cell {cell} of {len(self._voices)}")
        voices = self._voices[cell]
        if len(voices) == FIRST_SLOTS:
            raise ValueError(f"cell {cell}: more than {FIRST_SLOTS} sensors and tests")
        slot = self._slots[cell, detection.sensor_id, detection.kind] = len(voices)
        voices.append(detection)
        self._rhos[cell, : slot + 1, : slot + 1] = correlations(voices, self._layout, None)
        self._silent[cell, slot] = self._layout.row(detection, slot, 0)
        self._silent[cell, slot, kernel.NATS :] = 0.0
        return slot
