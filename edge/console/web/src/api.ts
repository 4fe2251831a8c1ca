// Asking the console's server: one place for the token, for refusals and for being logged out.

import { me } from "./state";
import type { Me, Page, Site, Whole, Answer, Axis, CaseChange, Kept, ScanAbout, ScanOf } from "./types";

const API = "/api/v1";

export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    text: string,
  ) {
    super(text);
  }
}

async function ask(method: string, path: string, body?: unknown): Promise<Response> {
  const headers: Record<string, string> = {};
  if (body !== undefined) headers["content-type"] = "application/json";
  if (method !== "GET") headers["x-garita-csrf"] = me.value?.csrf ?? "";
  const init: RequestInit = { method, headers, credentials: "same-origin" };
  if (body !== undefined) init.body = JSON.stringify(body);
  let answer: Response;
  try {
    answer = await fetch(API + path, init);
  } catch {
    throw new Refused(0, "unreachable", "");
  }
  if (answer.ok || answer.status === 409) return answer;
  if (answer.status === 401) me.value = null;
  const said = (await answer.json().catch(() => ({}))) as { type?: string; title?: string };
  throw new Refused(answer.status, (said.type ?? "").replace("garita:", ""), said.title ?? "");
}

async function get<T>(path: string): Promise<T> {
  return (await (await ask("GET", path)).json()) as T;
}

export const session = {
  me: () => get<Me>("/session"),
  logIn: async (login: string, password: string) =>
    (await (await ask("POST", "/session", { login, password })).json()) as Me,
  speak: async (language: string) =>
    (await (await ask("PUT", "/session", { language })).json()) as Me,
  leave: () => ask("DELETE", "/session"),
};

export const alerts = (before?: number, limit = 200) =>
  get<Page>(`/alerts?limit=${limit}${before === undefined ? "" : `&before=${before}`}`);
export const alert = (id: string) => get<Whole>(`/alerts/${encodeURIComponent(id)}`);
export const cases = (after: number) =>
  get<{ index: number; cases: CaseChange[] }>(`/cases${after < 0 ? "" : `?after=${after}`}`);
export const site = () => get<Site>("/site");
export const words = (language: string) => get<Record<string, unknown>>(`/words/${language}`);
export const axis = (id: string) => get<Axis>(`/alerts/${encodeURIComponent(id)}/axis`);
export const scans = (id: string) =>
  get<{ scans: ScanOf[] }>(`/alerts/${encodeURIComponent(id)}/scans`);
export const scanAbout = (sha256: string) => get<ScanAbout>(`/scans/${sha256}/about`);
export async function scanPlane(sha256: string, plane: string): Promise<Uint16Array> {
  return new Uint16Array(await (await ask("GET", `/scans/${sha256}/planes/${plane}`)).arrayBuffer());
}
export const evidenceUrl = (sha256: string) => `${API}/evidence/${sha256}`;
export const scanUrl = (sha256: string) => `${API}/scans/${sha256}`;

export async function act(verb: string, body: object, exercise: boolean): Promise<Answer> {
  const answer = await ask("POST", `/acts/${verb}${exercise ? "?exercise=true" : ""}`, body);
  return (await answer.json()) as Answer;
}

export const notes = (id: string) =>
  get<{ notes: Kept[] }>(`/alerts/${encodeURIComponent(id)}/notes`);

export async function write(id: string, text: string, exercise: boolean): Promise<Answer> {
  const path = `/alerts/${encodeURIComponent(id)}/notes${exercise ? "?exercise=true" : ""}`;
  return (await (await ask("POST", path, { text })).json()) as Answer;
}
