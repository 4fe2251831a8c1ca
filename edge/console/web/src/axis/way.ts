// Where something on the ground is, and where it goes, from what the tracks of an alert say.

import type { Contribution } from "../types";

export interface Way {
  eastM: number;
  northM: number;
  direction: string;
  speed: number;
  speedSd: number;
  near: string;
}

const COMPASS = ["north", "northeast", "east", "southeast", "south", "southwest", "west", "northwest"];

/** Degrees clockwise from north; null for a word that is none. */
export function bearing(direction: string): number | null {
  const at = COMPASS.indexOf(direction.replace("-", ""));
  return at < 0 ? null : at * 45;
}

/** The strongest of what is said of a way; null where nothing is. */
export function wayOf(rows: readonly Contribution[]): Way | null {
  const told = rows
    .filter((one) => Array.isArray(one.facts["place_m"]) && typeof one.facts["speed_m_s"] === "number")
    .sort((a, b) => Math.abs(b.nats) - Math.abs(a.nats))[0];
  if (!told) return null;
  const [eastM, northM] = told.facts["place_m"] as [number, number];
  return {
    eastM,
    northM,
    direction: String(told.facts["direction"] ?? ""),
    speed: Number(told.facts["speed_m_s"]),
    speedSd: Number(told.facts["speed_sd_m_s"] ?? 0),
    near: String(told.facts["near"] ?? ""),
  };
}

/** A round length that is about a fifth of what is drawn. */
export function barM(widthM: number): number {
  const about = widthM / 5;
  const power = 10 ** Math.floor(Math.log10(about));
  return [5, 2, 1].map((one) => one * power).find((one) => one <= about) ?? power;
}
