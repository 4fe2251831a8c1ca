// One axis for all: seconds since the vehicle's front came, and metres behind it where it is known.

import type { Axis, Mark } from "../types";

export interface Scale {
  /** What the axis counts: metres alone where nothing tells the time. */
  unit: "s" | "m";
  from: number;
  to: number;
  /** Metres for each of the axis' units; 0: not known. */
  metres: number;
}

const MARGIN_S = 1;
const LONGEST_M = 25;

export function scaleOf(axis: Axis, lengthM: number): Scale | null {
  const times = [
    ...axis.series.flatMap((one) => [one.t_s[0] ?? 0, one.t_s.at(-1) ?? 0]),
    ...axis.traces.flatMap((one) => [one.begin_s, one.begin_s + one.low.length * one.step_s]),
  ];
  if (!times.length) {
    const to = Math.max(lengthM, ...axis.marks.map((one) => one.to_m + 1));
    return to > 0 && Number.isFinite(to) ? { unit: "m", from: 0, to, metres: 1 } : null;
  }
  const speed = axis.speed_m_s ?? 0;
  const from = Math.min(...times);
  const last = Math.max(...times);
  // As long as the vehicle at most: a picture may go on behind what the portal saw.
  const to = speed ? Math.max(last, Math.min(lengthM, LONGEST_M) / speed) : last;
  return { unit: "s", from: from - MARGIN_S, to: to + MARGIN_S, metres: speed };
}

/** Where a place along the vehicle lies on the axis; null where that is not known. */
export function at(scale: Scale, metres: number): number | null {
  return scale.metres ? metres / scale.metres : null;
}

export interface Placed {
  from: number;
  to: number;
  names: string[];
}

/** Marks that speak of the same place are one, with the names of all who do. */
export function together(scale: Scale, marks: readonly Mark[], nearM = 1): Placed[] {
  const found: (Placed & { middle: number })[] = [];
  for (const one of marks) {
    const near = found.find((each) => Math.abs(each.middle - one.position_m) <= nearM);
    const from = at(scale, one.from_m);
    const to = at(scale, one.to_m);
    if (from === null || to === null) continue;
    if (near) {
      near.from = Math.min(near.from, from);
      near.to = Math.max(near.to, to);
      if (!near.names.includes(one.sensor)) near.names.push(one.sensor);
    } else found.push({ middle: one.position_m, from, to, names: [one.sensor] });
  }
  return found.map(({ from, to, names }) => ({ from, to, names }));
}
