// Counts to transmission, transmission to matter: the arithmetic of the probe and of every pixel.

export interface PlaneAbout {
  plane: string;
  rows: number;
  columns: number;
  air_counts: number | null;
  dark: number[];
  gain: number[];
  pulse: number[];
}

export interface Curves {
  groups: string[];
  at: number[];
  areal_g_cm2: number[][];
  low: number[][];
}

/** A plane that can be asked for transmission. */
export class Plane {
  readonly dark: Float32Array;
  /** 1 / (air x gain) by row; 0: dead. */
  readonly row: Float32Array;
  /** 1 / pulse by column; 0: lost. */
  readonly column: Float32Array;
  readonly calibrated: boolean;

  constructor(
    readonly about: PlaneAbout,
    readonly counts: Uint16Array,
  ) {
    const { rows, columns, gain, pulse, dark } = about;
    this.calibrated = about.air_counts !== null;
    const air = about.air_counts ?? brightest(counts);
    this.dark = Float32Array.from({ length: rows }, (_, row) => dark[row] ?? 0);
    this.row = Float32Array.from({ length: rows }, (_, row) => inverse(air * (gain[row] ?? 1)));
    this.column = Float32Array.from({ length: columns }, (_, at) => inverse(pulse[at] ?? 1));
  }

  /** Share of the beam that gets through one pixel; NaN where nothing was measured. */
  transmission(row: number, column: number): number {
    const scale = this.row[row]! * this.column[column]!;
    if (!scale) return NaN;
    return (this.counts[row * this.about.columns + column]! - this.dark[row]!) * scale;
  }

  /** Mean transmission around a pixel, and the standard deviation of that mean. */
  around(row: number, column: number, half = 2): { mean: number; sd: number; n: number } {
    let n = 0;
    let sum = 0;
    let squares = 0;
    for (let y = Math.max(0, row - half); y <= Math.min(this.about.rows - 1, row + half); y++)
      for (let x = Math.max(0, column - half); x <= Math.min(this.about.columns - 1, column + half); x++) {
        const value = this.transmission(y, x);
        if (Number.isNaN(value)) continue;
        n++;
        sum += value;
        squares += value * value;
      }
    if (!n) return { mean: NaN, sd: NaN, n };
    const mean = sum / n;
    const variance = n > 1 ? Math.max(0, squares - n * mean * mean) / (n - 1) : 0;
    return { mean, sd: Math.sqrt(variance / n), n };
  }
}

function inverse(value: number): number {
  return value > 0 ? 1 / value : 0;
}

/** What to take for air where nobody has measured it: the count that 99.5 % stay below. */
export function brightest(counts: Uint16Array): number {
  const bins = new Uint32Array(65536);
  const step = Math.max(1, Math.floor(counts.length / 200_000));
  let n = 0;
  for (let at = 0; at < counts.length; at += step) {
    bins[counts[at]!]!++;
    n++;
  }
  let left = n * 0.005;
  for (let value = 65535; value > 0; value--) if ((left -= bins[value]!) <= 0) return value;
  return 1;
}

/** Linear between the points of a curve, its ends beyond them. `at` ascends in even steps. */
export function along(curve: readonly number[], at: readonly number[], value: number): number {
  const last = at.length - 1;
  const step = (at[last]! - at[0]!) / last;
  const place = Math.min(Math.max((value - at[0]!) / step, 0), last);
  const low = Math.min(Math.floor(place), last - 1);
  return curve[low]! + (place - low) * (curve[low + 1]! - curve[low]!);
}

/** Where a pair of attenuations lies between the groups: 0 the first, 1 the second ... */
export function placeOf(curves: Curves, high: number, low: number): number {
  const of = curves.low.map((curve) => along(curve, curves.at, high));
  for (let group = 0; group < of.length - 1; group++) {
    const from = of[group]!;
    const to = of[group + 1]!;
    if (low >= to || group === of.length - 2) {
      const share = from === to ? 0 : (from - low) / (from - to);
      return Math.min(Math.max(group + share, 0), of.length - 1);
    }
  }
  return 0;
}

/** g/cm² of what lies at a place between the groups and takes so much of the high beam. */
export function arealOf(curves: Curves, high: number, place: number): number {
  const low = Math.min(Math.floor(place), curves.groups.length - 2);
  const share = place - low;
  const one = along(curves.areal_g_cm2[low]!, curves.at, high);
  const other = along(curves.areal_g_cm2[low + 1]!, curves.at, high);
  return one + share * (other - one);
}

export const LEAST_ATTENUATION = 0.15;
export const OPAQUE_TRANSMISSION = 3e-4;
/** Places that far apart are two groups: a wider doubt names none. */
export const SURE_PLACE = 0.5;

export interface Matter {
  transmission: number;
  attenuation: number;
  areal: number | null;
  arealSd: number;
  place: number | null;
  placeSd: number;
  /** Why there is no material: "" where there is one. */
  untold: "" | "single" | "air" | "opaque" | "doubtful" | "nothing";
}

/** What the probe tells of a pixel and the 24 around it. */
export function matterAt(high: Plane, low: Plane | null, curves: Curves | null, row: number, column: number): Matter {
  const one = high.around(row, column);
  const told: Matter = {
    transmission: one.mean,
    attenuation: -Math.log(Math.max(one.mean, 1e-9)),
    areal: null,
    arealSd: 0,
    place: null,
    placeSd: 0,
    untold: "single",
  };
  if (Number.isNaN(one.mean)) return { ...told, untold: "nothing" };
  if (!low || !curves || !high.calibrated) return told;
  const other = low.around(row, column);
  if (Number.isNaN(other.mean)) return { ...told, untold: "nothing" };
  if (Math.min(one.mean, other.mean) < OPAQUE_TRANSMISSION) return { ...told, untold: "opaque" };
  const lowAttenuation = -Math.log(other.mean);
  const place = placeOf(curves, told.attenuation, lowAttenuation);
  const areal = arealOf(curves, told.attenuation, place);
  const highSd = one.sd / one.mean;
  const lowSd = other.sd / other.mean;
  // How the place moves with each of the two, and the matter with both.
  const byHigh = placeOf(curves, told.attenuation + highSd, lowAttenuation) - place;
  const byLow = placeOf(curves, told.attenuation, lowAttenuation + lowSd) - place;
  const placeSd = Math.hypot(byHigh, byLow);
  const arealSd = Math.hypot(
    arealOf(curves, told.attenuation + highSd, place) - areal,
    arealOf(curves, told.attenuation, Math.min(place + placeSd, curves.groups.length - 1)) - areal,
  );
  const untold = told.attenuation < LEAST_ATTENUATION ? "air" : placeSd > SURE_PLACE ? "doubtful" : "";
  return { ...told, areal, arealSd, place: untold ? null : place, placeSd, untold };
}

export const CELL_PX = 4;

/** Material groups of cells of 4 x 4 pixels: 0 not told, 1 the first group ..., 255 opaque. */
export function materials(high: Plane, low: Plane, curves: Curves): { rows: number; columns: number; group: Uint8Array } {
  const rows = Math.ceil(high.about.rows / CELL_PX);
  const columns = Math.ceil(high.about.columns / CELL_PX);
  const means = [cells(high, rows, columns), cells(low, rows, columns)] as const;
  const group = new Uint8Array(rows * columns);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) {
      // The mean of 3 x 3 cells: one cell alone is noise.
      const one = near(means[0], rows, columns, row, column);
      const other = near(means[1], rows, columns, row, column);
      const at = row * columns + column;
      if (!(one > 0) || !(other > 0)) continue;
      if (Math.min(one, other) < OPAQUE_TRANSMISSION) {
        group[at] = 255;
        continue;
      }
      const attenuation = -Math.log(one);
      if (attenuation < LEAST_ATTENUATION) continue;
      group[at] = 1 + Math.round(placeOf(curves, attenuation, -Math.log(other)));
    }
  return { rows, columns, group };
}

function cells(plane: Plane, rows: number, columns: number): Float32Array {
  const sums = new Float32Array(rows * columns);
  const numbers = new Float32Array(rows * columns);
  for (let y = 0; y < plane.about.rows; y++) {
    const scale = plane.row[y]!;
    const dark = plane.dark[y]!;
    if (!scale) continue;
    const to = (y >> 2) * columns;
    const from = y * plane.about.columns;
    for (let x = 0; x < plane.about.columns; x++) {
      const pulse = plane.column[x]!;
      if (!pulse) continue;
      sums[to + (x >> 2)]! += (plane.counts[from + x]! - dark) * scale * pulse;
      numbers[to + (x >> 2)]!++;
    }
  }
  for (let at = 0; at < sums.length; at++) sums[at] = numbers[at] ? sums[at]! / numbers[at]! : NaN;
  return sums;
}

function near(values: Float32Array, rows: number, columns: number, row: number, column: number): number {
  let sum = 0;
  let n = 0;
  for (let y = Math.max(0, row - 1); y <= Math.min(rows - 1, row + 1); y++)
    for (let x = Math.max(0, column - 1); x <= Math.min(columns - 1, column + 1); x++) {
      const value = values[y * columns + x]!;
      if (Number.isNaN(value)) continue;
      sum += value;
      n++;
    }
  return n ? sum / n : NaN;
}
