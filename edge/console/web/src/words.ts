// Words come from the catalogues that the alerts are written with; the page has none of its own.

import { signal } from "@preact/signals";
import * as api from "./api";
import type { Language } from "./types";

type Table = { [key: string]: string | Table };

export const language = signal<Language>("en-US");
const tables = new Map<Language, Table>();
const loaded = signal(0);

export async function speak(wanted: Language): Promise<void> {
  if (!tables.has(wanted)) tables.set(wanted, (await api.words(wanted)) as Table);
  language.value = wanted;
  loaded.value++;
  document.documentElement.lang = wanted;
}

/** A phrase of the console, with its facts: `{name}`. */
export function t(name: string, facts: Record<string, string | number> = {}): string {
  return fill(find("console", name) ?? name, facts);
}

/** The same phrase in each language, for a page that both sides read. */
export function both(name: string, facts: Record<string, string | number> = {}): string {
  return [...tables.values()]
    .map((table) => {
      const texts = table["console"];
      const text = typeof texts === "object" ? texts[name] : undefined;
      return fill(typeof text === "string" ? text : name, facts);
    })
    .join(" / ");
}

/** Have every language at hand. */
export async function learn(languages: readonly Language[]): Promise<void> {
  for (const one of languages)
    if (!tables.has(one)) tables.set(one, (await api.words(one)) as Table);
  loaded.value++;
}

/** The word for a code of one language's table. */
export function wordIn(wanted: Language, table: string, code: string): string {
  const found = tables.get(wanted)?.[table];
  const text = typeof found === "object" ? found[code] : undefined;
  return typeof text === "string" ? text : code;
}

/** The word for a code: of a table of the catalogue, or the code itself. */
export function word(table: string, code: string): string {
  return find(table, code) ?? code;
}

function find(table: string, name: string): string | undefined {
  void loaded.value;
  const found = tables.get(language.value)?.[table];
  const text = typeof found === "object" ? found[name] : undefined;
  return typeof text === "string" ? text : undefined;
}

export function fill(text: string, facts: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) =>
    name in facts ? String(facts[name]) : whole,
  );
}

export function named(
  names: Partial<Record<Language, string>> | undefined,
  fallback: string,
): string {
  return names?.[language.value] ?? fallback;
}

/** `18:03:11`, in the browser's own zone; the title has the whole of it. */
export function clock(rfc3339: string): string {
  return new Date(rfc3339).toLocaleTimeString(language.value, { hour12: false });
}

/** How long ago, as it is read at a glance: `12 s`, `5 min`, `3 h`, `2 d`. */
export function age(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 90) return `${s} s`;
  if (s < 90 * 60) return `${Math.round(s / 60)} min`;
  if (s < 36 * 3600) return `${Math.round(s / 3600)} h`;
  return `${Math.round(s / 86400)} d`;
}

export function number(value: number, digits = 0): string {
  return value.toLocaleString(language.value, {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

export function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1e6) return `${number(bytes / 1e3)} kB`;
  return `${number(bytes / 1e6, 1)} MB`;
}
