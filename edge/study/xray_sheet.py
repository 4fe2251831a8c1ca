"""Contact sheets of simulated scans, to be looked at: every family, every threat, empties.

`python -m edge.study.xray_sheet DIRECTORY` writes `families.png`, `threats.png`, `empties.png` and
`scanners.png`, as a workstation would show them. Seeds of the sanity range only.
"""

import sys
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from simulators.xray_cases import (
    FAMILIES,
    LOADS,
    SETTINGS,
    THREATS,
    CaseOptions,
    CaseTruth,
    XrayCase,
    case,
)

SEED = 1_500_000
TILE_PX = (300, 900)
TITLE_PX = 24
DISPLAY_GAMMA = 2.2


def shown(scan: XrayCase) -> NDArray[np.uint8]:
    """The high plane over its dark level, as a display shows it."""
    scanner = scan.truth.scanner
    clear = np.clip((scan.high - scanner.dark_counts) / scanner.air_counts, 0.0, 1.0)
    return np.asarray(np.round(255.0 * clear ** (1 / DISPLAY_GAMMA)), np.uint8)


def tile(scan: XrayCase, title: str) -> NDArray[np.uint8]:
    """One scan at the size of the sheet, its threats framed, its truth above it."""
    grey = shown(scan)
    for threat in scan.truth.threats:
        rows, columns = np.nonzero(threat.mask)
        if rows.size:
            low, high = (columns.min() - 12, rows.min() - 12), (columns.max() + 12, rows.max() + 12)
            cv2.rectangle(grey, [int(v) for v in low], [int(v) for v in high], 128, 2)
    height, width = TILE_PX
    scale = min(width / grey.shape[1], (height - TITLE_PX) / grey.shape[0])
    small = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    whole = np.full(TILE_PX, 255, np.uint8)
    whole[TITLE_PX : TITLE_PX + small.shape[0], : small.shape[1]] = small
    cv2.putText(whole, f"{title}: {told(scan.truth)}", (6, 17), cv2.FONT_HERSHEY_PLAIN, 1.0, 0)
    return whole


def told(truth: CaseTruth) -> str:
    """The truth in a line."""
    words = [f"{truth.load_kg:,.0f} kg", truth.clutter and f"{truth.clutter} {truth.contrast:.2f}"]
    words += [f"{t.kind} {t.material} {t.mass_kg:,.1f} kg in {t.place}" for t in truth.threats]
    return ", ".join(filter(None, words))


def sheet(cases: Iterable[tuple[str, CaseOptions]]) -> NDArray[np.uint8]:
    """Two tiles beside each other, as many rows as it takes."""
    tiles = [
        tile(case(SEED + number, options), title) for number, (title, options) in enumerate(cases)
    ]
    if len(tiles) % 2:
        tiles.append(np.full(TILE_PX, 255, np.uint8))
    return np.vstack([np.hstack(tiles[at : at + 2]) for at in range(0, len(tiles), 2)])


def sheets() -> dict[str, list[tuple[str, CaseOptions]]]:
    """What is on each sheet."""
    return {
        "families": [(name, CaseOptions(families=(name,))) for name in FAMILIES],
        "threats": [
            (kind, CaseOptions(threat=kind, clutter=clutter))
            for kind in THREATS
            for clutter in ("low", "medium")
        ],
        "empties": [
            (f"{load} {box}", CaseOptions(load=load, box=box))
            for box in ("20", "40", "reefer")
            for load in LOADS
            if load != "loaded"
        ],
        "scanners": [
            (f"{name}, {'whole' if whole else 'box alone'}", CaseOptions(scanner=one, whole=whole))
            for name, one in SETTINGS.items()
            for whole in (True, False)
        ],
    }


def main(directory: Path) -> None:
    """Write the sheets."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, cases in sheets().items():
        path = directory / f"{name}.png"
        cv2.imwrite(str(path), sheet(cases))
        sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
