// Dark, as a control room at night wants it, or light: this browser's choice, kept here.

import { signal } from "@preact/signals";

export type Theme = "dark" | "light";

const KEY = "garita-theme";

export const theme = signal<Theme>(localStorage.getItem(KEY) === "light" ? "light" : "dark");
document.documentElement.dataset["theme"] = theme.value;

export function toggleTheme(): void {
  theme.value = theme.value === "dark" ? "light" : "dark";
  localStorage.setItem(KEY, theme.value);
  document.documentElement.dataset["theme"] = theme.value;
}
