// In which order alerts stand, and when that may change: never under somebody's hand.

import type { Stage, Summary } from "./types";

export interface Filter {
  level: number;
  place: string;
  open: boolean;
  text: string;
}

export const EVERYTHING: Filter = { level: 1, place: "", open: false, text: "" };

export function isOpen(one: Summary, stage: Stage): boolean {
  return stage === "new" && one.level >= 2 && one.state !== "Cancel" && one.group === null;
}

/** Ids, what nobody has answered first, each part newest first. */
export function ordered(
  alerts: Iterable<Summary>,
  stageOf: (id: string) => Stage,
  filter: Filter = EVERYTHING,
): string[] {
  const open: Summary[] = [];
  const rest: Summary[] = [];
  for (const one of alerts) {
    if (!passes(one, stageOf(one.id), filter)) continue;
    (isOpen(one, stageOf(one.id)) ? open : rest).push(one);
  }
  const newest = (a: Summary, b: Summary) => b.first_seq - a.first_seq;
  return [...open.sort(newest), ...rest.sort(newest)].map((one) => one.id);
}

export function passes(one: Summary, stage: Stage, filter: Filter): boolean {
  if (one.level < filter.level) return false;
  if (filter.place && one.place !== filter.place) return false;
  if (filter.open && !isOpen(one, stage)) return false;
  const text = filter.text.trim().toLowerCase();
  if (!text) return true;
  const words = Object.values(one.words).map((each) => each.headline);
  return [one.event, one.place, one.id, ...words].join(" ").toLowerCase().includes(text);
}

/** The list with older pages below it: nothing that is shown moves. */
export function extended(
  shown: readonly string[],
  wanted: readonly string[],
  seqOf: (id: string) => number,
): string[] {
  const known = new Set(shown);
  let oldest = Infinity;
  for (const id of shown) oldest = Math.min(oldest, seqOf(id));
  const older = wanted.filter((id) => !known.has(id) && seqOf(id) < oldest);
  return older.length ? [...shown, ...older] : (shown as string[]);
}

/** How many are not where they would be if the list were put in order now. */
export function behind(shown: readonly string[], wanted: readonly string[]): number {
  const known = new Set(shown);
  let count = 0;
  for (const id of wanted) if (!known.has(id)) count++;
  return count;
}

/** What to draw of a long list: the first row and how many, with some beyond both ends. */
export function visible(
  scrollTop: number,
  height: number,
  row: number,
  total: number,
  beyond = 6,
): { first: number; count: number } {
  const first = Math.max(0, Math.floor(scrollTop / row) - beyond);
  const last = Math.min(total, Math.ceil((scrollTop + height) / row) + beyond);
  return { first: Math.min(first, total), count: Math.max(0, last - first) };
}
