// What a person wants done about an alert, and what came of it, said where they look.

import { signal } from "@preact/signals";
import * as api from "./api";
import { alerts, cases, me } from "./state";
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

export async function act(verb: string, id: string, more: object = {}): Promise<boolean> {
  if (busy.value.has(id)) return false;
  busy.value = new Set([...busy.value, id]);
  const exercise = alerts.value.get(id)?.exercise ?? false;
  try {
    const answer = await api.act(verb, { alert: id, ...more }, exercise);
    if (answer.state) cases.value = new Map(cases.value).set(id, answer.state);
    if (answer.accepted) tell(t(`done_${verb.replace("-", "_")}`));
    else tell(t("refused", { why: word("refusal", answer.refusal) }), true);
    return answer.accepted;
  } catch (error) {
    const refused = error instanceof api.Refused ? error : null;
    tell(t(refused?.code === "rights" ? "no_right" : "not_done", { why: refused?.message ?? "" }), true);
    return false;
  } finally {
    busy.value = new Set([...busy.value].filter((one) => one !== id));
  }
}

export const otherSide = () => (me.value?.side === "north" ? "south" : "north");
