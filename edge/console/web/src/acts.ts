// What a person wants done, and what came of it, said where they look.

import { signal } from "@preact/signals";
import * as api from "./api";
import { alerts, cases, me } from "./state";
import type { Answer } from "./types";
import { t, word } from "./words";

export interface Notice {
  text: string;
  bad: boolean;
  at: number;
}

export const notice = signal<Notice | null>(null);
export const busy = signal<ReadonlySet<string>>(new Set());

export function tell(text: string, bad = false): void {
  notice.value = { text, bad, at: Date.now() };
}

/** Ask, and say what came of it; whether it was done. */
async function tried(verb: string, ask: () => Promise<Answer>): Promise<Answer | null> {
  try {
    const answer = await ask();
    if (answer.accepted) tell(t(`done_${verb.replace("-", "_")}`));
    else tell(t("refused", { why: word("refusal", answer.refusal) }), true);
    return answer;
  } catch (error) {
    const refused = error instanceof api.Refused ? error : null;
    tell(t(refused?.code === "rights" ? "no_right" : "not_done", { why: refused?.message ?? "" }), true);
    return null;
  }
}

/** Something about an alert, one thing at a time. */
async function about(id: string, verb: string, ask: (drill: boolean) => Promise<Answer>) {
  if (busy.value.has(id)) return false;
  busy.value = new Set([...busy.value, id]);
  const answer = await tried(verb, () => ask(alerts.value.get(id)?.exercise ?? false));
  busy.value = new Set([...busy.value].filter((one) => one !== id));
  if (answer?.state) cases.value = new Map(cases.value).set(id, answer.state);
  return answer?.accepted ?? false;
}

export function act(verb: string, id: string, more: object = {}): Promise<boolean> {
  return about(id, verb, (drill) => api.act(verb, { alert: id, ...more }, drill));
}

export function note(id: string, text: string): Promise<boolean> {
  return about(id, "note", (drill) => api.write(id, text, drill));
}

/** Something that is of no one alert. */
export async function ask(verb: string, body: object, drill: boolean): Promise<boolean> {
  return (await tried(verb, () => api.act(verb, body, drill)))?.accepted ?? false;
}

export const otherSide = () => (me.value?.side === "north" ? "south" : "north");
