"""The canvas: maps of areal density, what the beam meets on its way across a vehicle."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from simulators.xray_physics import transmission

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]
Random = np.random.Generator
Span = tuple[float, float]

KG_PER_G_CM2_M2 = 10.0
STEEL_G_CM3 = 7.86
ALUMINIUM_G_CM3 = 2.7
LEAD_G_CM3 = 11.35
DECK_M = 1.2  # load floor above the road, on a container chassis
INSIDE_HEIGHT_M = 2.39  # ISO 668, 8'6" box
SUBPIXEL_BITS = 6
SUBPIXELS = 1 << SUBPIXEL_BITS


@dataclass
class Scene:
    """Areal densities on a square grid; row 0 is the top, column 0 before the vehicle's front."""

    rows: int
    columns: int
    pitch_m: float
    front_column: int
    below_rows: int = 0
    """Rows below the road; less than 0 where the picture ends above it."""
    layers: dict[str, Floats] = field(default_factory=dict)
    insertions: list["Insertion"] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name in ("organic", "steel"):
            self.layer(name)

    @property
    def road_row(self) -> int:
        """The first row below the road's surface."""
        return self.rows - self.below_rows

    def crop(self, at: tuple[slice, slice]) -> "Scene":
        """An empty scene in place of a window of this one."""
        rows, columns = at
        return Scene(
            rows=rows.stop - rows.start,
            columns=columns.stop - columns.start,
            pitch_m=self.pitch_m,
            front_column=self.front_column - columns.start,
            below_rows=rows.stop - self.road_row,
        )

    def layer(self, material: str) -> Floats:
        """The map of one material, g/cm2."""
        if material not in self.layers:
            self.layers[material] = np.zeros((self.rows, self.columns), np.float32)
        return self.layers[material]

    def column(self, along_m: float) -> int:
        """The column so far behind the vehicle's front, within the picture."""
        return min(max(self.front_column + round(along_m / self.pitch_m), 0), self.columns)

    def row(self, above_road_m: float) -> int:
        """The row so high above the road, within the picture."""
        return min(max(self.road_row - round(above_road_m / self.pitch_m), 0), self.rows)

    def box(self, along_m: Span, height_m: Span) -> tuple[slice, slice]:
        """The whole pixels of a box given along the vehicle and above the road."""
        return (
            slice(self.row(height_m[1]), self.row(height_m[0])),
            slice(self.column(along_m[0]), self.column(along_m[1])),
        )

    def along_px(self, along_m: float) -> float:
        """Where along the picture, in columns, its left edge being 0."""
        return self.front_column + along_m / self.pitch_m

    def down_px(self, above_road_m: float) -> float:
        """How far below the picture's upper edge, in rows."""
        return self.road_row - above_road_m / self.pitch_m

    def window(self, along_m: Span, height_m: Span) -> tuple[slice, slice]:
        """Every pixel that such a box touches."""
        rows = (math.floor(self.down_px(height_m[1])), math.ceil(self.down_px(height_m[0])))
        columns = (math.floor(self.along_px(along_m[0])), math.ceil(self.along_px(along_m[1])))
        return (
            slice(min(max(rows[0], 0), self.rows), min(max(rows[1], 0), self.rows)),
            slice(min(max(columns[0], 0), self.columns), min(max(columns[1], 0), self.columns)),
        )

    def heights_m(self, rows: slice) -> NDArray[np.float64]:
        """(rows, 1) height of the pixels' middles above the road."""
        return ((self.road_row - np.arange(rows.start, rows.stop) - 0.5) * self.pitch_m)[:, None]

    def alongs_m(self, columns: slice) -> NDArray[np.float64]:
        """(1, columns) place of the pixels' middles behind the vehicle's front."""
        places = np.arange(columns.start, columns.stop) + 0.5 - self.front_column
        return (places * self.pitch_m)[None, :]

    def add(self, material: str, along_m: Span, height_m: Span, areal_g_cm2: float) -> None:
        """Put so much of a material into a box; pixels that it half covers get half of it."""
        rows, columns = self.window(along_m, height_m)
        covered = _covered(rows, self.down_px(height_m[1]), self.down_px(height_m[0]))
        beside = _covered(columns, self.along_px(along_m[0]), self.along_px(along_m[1]))
        self.layer(material)[rows, columns] += covered[:, None] * beside * np.float32(areal_g_cm2)

    def disc(
        self, material: str, middle_m: Span, radius_m: float, areal_g_cm2: float, hole_m: float = 0
    ) -> None:
        """A round thing seen along its axis, its middle given along and above the road."""
        along_m, height_m = middle_m
        at = self.window(
            (along_m - radius_m - self.pitch_m, along_m + radius_m + self.pitch_m),
            (height_m - radius_m - self.pitch_m, height_m + radius_m + self.pitch_m),
        )
        away_px = self._away_m(at, middle_m) / self.pitch_m
        inside = np.clip(radius_m / self.pitch_m - away_px + 0.5, 0.0, 1.0)
        if hole_m:
            inside -= np.clip(hole_m / self.pitch_m - away_px + 0.5, 0.0, 1.0)
        self.paint(material, at, areal_g_cm2 * inside)

    def polygon(self, material: str, points_m: Sequence[Span], areal_g_cm2: float) -> None:
        """A flat-sided thing, its corners given along and above the road."""
        alongs, heights = zip(*points_m, strict=True)
        at = self.window((min(alongs), max(alongs)), (min(heights), max(heights)))
        rows, columns = at
        if rows.stop <= rows.start or columns.stop <= columns.start:
            return
        corners = [
            (self.along_px(a) - columns.start - 0.5, self.down_px(h) - rows.start - 0.5)
            for a, h in points_m
        ]
        share = np.zeros((rows.stop - rows.start, columns.stop - columns.start), np.uint8)
        fixed = np.round(np.array(corners) * SUBPIXELS).astype(np.int32)
        cv2.fillPoly(share, [fixed], 255, cv2.LINE_AA, SUBPIXEL_BITS)
        self.paint(material, at, share * np.float32(areal_g_cm2 / 255.0))

    def _away_m(self, at: tuple[slice, slice], middle_m: Span) -> NDArray[np.float64]:
        """How far each pixel of a window is from a point."""
        up = self.heights_m(at[0]) - middle_m[1]
        beside = self.alongs_m(at[1]) - middle_m[0]
        return np.sqrt(up * up + beside * beside)

    def paint(
        self, material: str, at: tuple[slice, slice], areal_g_cm2: Floats | NDArray[np.float64]
    ) -> None:
        """Put a map of a material on a window."""
        self.layer(material)[at] += areal_g_cm2.astype(np.float32, copy=False)

    def mass_kg(self) -> float:
        """Of everything in the picture."""
        grams_cm2 = sum(float(layer.sum(dtype=np.float64)) for layer in self.layers.values())
        return grams_cm2 * self.pitch_m**2 * KG_PER_G_CM2_M2

    def transmission(self, end_mev: float) -> Floats:
        """(rows, columns) of the scene with what was inserted into it."""
        clear = transmission(self.layers, end_mev)
        for insertion in self.insertions:
            insertion.into(clear, self.layers, end_mev)
        return clear


@dataclass(frozen=True)
class Insertion:
    """Something put into a finished scene: I' = I * T^s, per energy (facts 4)."""

    at: tuple[slice, slice]
    layers: dict[str, Floats]
    """Areal density of each material in the window, g/cm2; less than 0 where it takes the place
    of what stood there."""
    strength: float = 1.0

    def clear(self, scene_layers: Mapping[str, Floats], end_mev: float) -> Floats:
        """T of what is inserted, for the spectrum that is left behind what stands there."""
        before = {name: layer[self.at] for name, layer in scene_layers.items()}
        nothing = np.zeros_like(before["organic"])
        after = {
            name: np.maximum(before.get(name, nothing) + self.layers.get(name, nothing), 0)
            for name in {**before, **self.layers}
        }
        return np.asarray(transmission(after, end_mev) / transmission(before, end_mev), np.float32)

    def seen(self, scene_layers: Mapping[str, Floats], end_mev: float) -> tuple[Floats, Floats]:
        """Attenuation in the window (without it, with it)."""
        before = -np.log(transmission({n: v[self.at] for n, v in scene_layers.items()}, end_mev))
        added = -np.float32(self.strength) * np.log(self.clear(scene_layers, end_mev))
        return before, before + added

    def into(self, clear: Floats, scene_layers: Mapping[str, Floats], end_mev: float) -> None:
        """Multiply the scene's transmission by it."""
        clear[self.at] *= self.clear(scene_layers, end_mev) ** np.float32(self.strength)


def _covered(pixels: slice, start: float, stop: float) -> Floats:
    """Share of each pixel that lies between two places in pixels."""
    edges = np.arange(pixels.start, pixels.stop + 1, dtype=np.float64)
    inside = np.clip(edges, start, stop)
    return np.diff(inside).astype(np.float32)
