// A scan from the server: what it is, and its planes pixel by pixel.

import * as api from "../api";
import type { ScanAbout, ScanOf } from "../types";
import { materials, Plane } from "./matter";
import type { Groups } from "./draw";

export interface Scan {
  of: ScanOf;
  about: ScanAbout;
  planes: Map<string, Plane>;
  groups: Groups | null;
}

export async function load(
  of: ScanOf,
  began: (bytes: number) => void = () => undefined,
  wanted: readonly string[] = ["high", "low", "composite"],
): Promise<Scan> {
  const about = await api.scanAbout(of.sha256);
  about.planes = about.planes.filter((one) => wanted.includes(one.plane));
  began(about.planes.reduce((sum, one) => sum + 2 * one.rows * one.columns, 0));
  const planes = await Promise.all(
    about.planes.map(async (one) => {
      const counts = await api.scanPlane(of.sha256, one.plane);
      return [one.plane, new Plane(one, counts)] as const;
    }),
  );
  return { of, about, planes: new Map(planes), groups: null };
}

/** Which matter is where, made once and when it is wanted. */
export function groupsOf(scan: Scan): Groups | null {
  const high = scan.planes.get("high");
  const low = scan.planes.get("low");
  if (!high || !low || !scan.about.curves) return null;
  return (scan.groups ??= materials(high, low, scan.about.curves));
}

export interface Metres {
  x: number;
  y: number;
}

export function metres(about: ScanAbout, row: number, column: number): Metres {
  return {
    x: ((column - about.front_column) * about.pitch_x_mm) / 1000,
    y: ((about.bottom_row - row) * about.pitch_y_mm) / 1000,
  };
}

export function pixel(about: ScanAbout, x: number, y: number): { row: number; column: number } {
  return {
    column: about.front_column + (x * 1000) / about.pitch_x_mm,
    row: about.bottom_row - (y * 1000) / about.pitch_y_mm,
  };
}
