// What is known, as signals: whoever reads one is drawn again when it changes, and nothing else is.

import { batch, computed, signal } from "@preact/signals";
import type { Beat, Case, CaseChange, Me, Page, Site, Stored, Summary } from "./types";

export const me = signal<Me | null>(null);
export const site = signal<Site | null>(null);
export const beat = signal<Beat | null>(null);
export const heardAt = signal(0);
export const now = signal(Date.now());
export const stored = signal<ReadonlyMap<string, Stored>>(new Map());
export const connected = signal(false);

/** Every alert by id; replaced as a whole, so that readers of the map are told. */
export const alerts = signal<ReadonlyMap<string, Summary>>(new Map());
export const cases = signal<ReadonlyMap<string, Case>>(new Map());
export const more = signal(false);
export let lastSeq = 0;
export let lastIndex = -1;

export const STALE_MS = 2_500;

/** Why what is shown may be old, or "" while it is current. */
export const stale = computed(() => {
  if (now.value - heardAt.value > STALE_MS) return "silent";
  if (site.value?.replay) return "";
  if (beat.value && !beat.value.service) return "service";
  if (beat.value?.trouble) return "disk";
  return "";
});

export function takePage(page: Page, older = false): void {
  batch(() => {
    const next = new Map(alerts.value);
    for (const one of page.alerts) {
      const known = next.get(one.id);
      if (!known || known.seq <= one.seq) next.set(one.id, one);
    }
    alerts.value = next;
    takeCases(page.cases);
    if (!older) {
      lastSeq = Math.max(lastSeq, page.seq);
      stored.value = new Map(page.stored.map((one) => [one.side, one]));
    }
    more.value = page.more;
  });
}

let waiting: Summary[] = [];
let asked = false;

/** Alerts of one frame are taken together: a flood costs one drawing, not a hundred. */
export function takeAlert(one: Summary): void {
  lastSeq = Math.max(lastSeq, one.seq);
  waiting.push(one);
  if (asked) return;
  asked = true;
  const take = () => {
    if (!asked) return;
    asked = false;
    const next = new Map(alerts.value);
    for (const each of waiting) next.set(each.id, each);
    waiting = [];
    alerts.value = next;
  };
  requestAnimationFrame(take);
  setTimeout(take, 100); // a page in the background has no frames
}

export function takeCases(changes: readonly CaseChange[]): void {
  if (!changes.length) return;
  const next = new Map(cases.value);
  for (const { index, case: one } of changes) {
    next.set(one.alert, one);
    lastIndex = Math.max(lastIndex, index);
  }
  cases.value = next;
}

export function takeStored(one: Stored): void {
  stored.value = new Map(stored.value).set(one.side, one);
}

/** The pages of the list that reach back to a time (ms); whether all of it is there. */
export function reaches(since: number): boolean {
  if (!more.value) return true;
  for (const one of alerts.value.values()) if (Date.parse(one.onset) < since) return true;
  return false;
}

export function forget(): void {
  batch(() => {
    alerts.value = new Map();
    cases.value = new Map();
    lastSeq = 0;
    lastIndex = -1;
  });
}

export function may(act: string): boolean {
  return me.value?.acts.includes(act) ?? false;
}

export function stageOf(id: string): Case["stage"] {
  return cases.value.get(id)?.stage ?? "new";
}
