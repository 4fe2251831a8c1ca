// A view that is fetched when it is first looked at: the list comes up without it.

import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { t } from "./words";

export function later<P extends object>(fetch: () => Promise<ComponentType<P>>): ComponentType<P> {
  let found: ComponentType<P> | null = null;
  return function Later(props: P) {
    const [View, setView] = useState<ComponentType<P> | null>(() => found);
    useEffect(() => {
      if (!found) void fetch().then((one) => setView(() => (found = one)));
    }, []);
    return View ? <View {...props} /> : <p class="quiet">{t("loading")}</p>;
  };
}
