// Everything by keyboard. A key does nothing while somebody types, or with Ctrl, Alt or Meta.

import { signal } from "@preact/signals";

export interface Key {
  key: string;
  name: string;
  run: () => void;
}

const layers: Key[][] = [];
export const help = signal(false);
export const shown = signal<readonly Key[]>([]);

/** Keys that are there as long as a view is; the returned function takes them away. */
export function keys(layer: Key[]): () => void {
  layers.push(layer);
  update();
  return () => {
    layers.splice(layers.indexOf(layer), 1);
    update();
  };
}

function update(): void {
  const seen = new Map<string, Key>();
  for (const layer of layers) for (const one of layer) seen.set(one.key, one);
  shown.value = [...seen.values()];
}

export function typing(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLInputElement ||
    target instanceof HTMLTextAreaElement ||
    target instanceof HTMLSelectElement
  );
}

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  if (typing(event.target) && event.key !== "Escape") return;
  const key = event.shiftKey && event.key.startsWith("Arrow") ? `Shift+${event.key}` : event.key;
  const found = shown.value.find((one) => one.key === key);
  if (!found) return;
  event.preventDefault();
  found.run();
});
