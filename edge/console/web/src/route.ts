// Which view is shown: the address's hash, so that a view can be linked, kept, and gone back from.

import { signal } from "@preact/signals";

export const VIEWS = ["watch", "transit", "xray", "track", "health", "report"] as const;
export type View = (typeof VIEWS)[number];

export interface Place {
  view: View;
  id: string;
}

export function parse(hash: string): Place {
  const [view = "", id = ""] = hash.replace(/^#\/?/, "").split("/");
  return {
    view: (VIEWS as readonly string[]).includes(view) ? (view as View) : "watch",
    id: decodeURIComponent(id),
  };
}

export const place = signal<Place>(parse(location.hash));

addEventListener("hashchange", () => (place.value = parse(location.hash)));

export function go(view: View, id = ""): void {
  location.hash = id ? `#/${view}/${encodeURIComponent(id)}` : `#/${view}`;
}
