// The stream of events: kept open, opened again after whatever cut it, without a gap in between.

import * as api from "./api";
import {
  beat,
  connected,
  forget,
  heardAt,
  lastIndex,
  lastSeq,
  me,
  now,
  site,
  takeAlert,
  takeCases,
  takePage,
  takeStored,
} from "./state";
import type { Beat, CaseChange, Health, Live, Status, Stored, Summary } from "./types";

const AGAIN_MS = 1_000;
type Listener = (live: Live) => void;

const listeners = new Map<string, Set<Listener>>();
let source: EventSource | null = null;
let timer = 0;

/** Follow live data of a place and kind; the returned function ends it. */
export function follow(topic: string, listener: Listener): () => void {
  const known = listeners.get(topic);
  if (known) known.add(listener);
  else {
    listeners.set(topic, new Set([listener]));
    reopen();
  }
  return () => {
    const all = listeners.get(topic);
    all?.delete(listener);
    if (all && !all.size) listeners.delete(topic);
  };
}

/** Read the list, then be told what changes. */
export async function begin(): Promise<void> {
  setInterval(() => (now.value = Date.now()), 500);
  await load();
  open();
}

export async function load(): Promise<void> {
  const [page, about] = await Promise.all([api.alerts(), api.site()]);
  takePage(page);
  site.value = about;
  beat.value = about.beat;
  heardAt.value = Date.now();
}

function reopen(): void {
  if (!source) return;
  source.close();
  open();
}

function open(): void {
  const query = new URLSearchParams({ last: String(lastSeq) });
  if (listeners.size) query.set("topics", [...listeners.keys()].join(","));
  source = new EventSource(`/api/v1/events?${query}`);
  source.onopen = () => {
    connected.value = true;
    heardAt.value = Date.now();
    void api.cases(lastIndex).then((found) => takeCases(found.cases), () => undefined);
  };
  // The browser's own attempts end for good at the first refusal; ours do not.
  source.onerror = () => {
    connected.value = false;
    source?.close();
    clearTimeout(timer);
    timer = window.setTimeout(() => void again(), AGAIN_MS);
  };
  on<Summary>("alert", takeAlert);
  on<CaseChange>("case", (change) => takeCases([change]));
  on<Stored>("stored", takeStored);
  on<Beat>("beat", (one) => (beat.value = one));
  on<{ kind: string; topic: string; data: unknown }>("site", takeSite);
  on<Live>("live", (live) => {
    for (const listener of listeners.get(`${live.place}/${live.kind}`) ?? []) listener(live);
  });
  on<{ why?: string }>("again", (said) => {
    if (said.why === "log-in") {
      me.value = null;
      source?.close();
      return;
    }
    forget();
    void load();
  });
}

async function again(): Promise<void> {
  try {
    me.value = await api.session.me();
    open();
  } catch (error) {
    if (error instanceof api.Refused && error.status === 401) return;
    timer = window.setTimeout(() => void again(), AGAIN_MS);
  }
}

function on<T>(kind: string, take: (data: T) => void): void {
  source?.addEventListener(kind, (event) => {
    heardAt.value = Date.now();
    take(JSON.parse((event as MessageEvent<string>).data) as T);
  });
}

function takeSite(said: { kind: string; topic: string; data: unknown }): void {
  const known = site.value;
  if (!known) return;
  if (said.kind === "health")
    site.value = { ...known, health: { ...known.health, [said.topic]: said.data as Health } };
  else if (said.kind === "status") site.value = { ...known, status: said.data as Status };
  else if (said.kind === "birth") site.value = { ...known, birth: said.data };
}
