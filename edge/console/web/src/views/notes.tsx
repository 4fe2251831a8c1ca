// What this side's people wrote about an alert; of the other side's notes only that there are some.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import * as api from "../api";
import { busy, note } from "../acts";
import { cases, may } from "../state";
import type { Kept } from "../types";
import { clock, t, word } from "../words";

export function Notes({ id }: { id: string }) {
  const kept = useSignal<Kept[]>([]);
  const text = useSignal("");
  const entered = cases.value.get(id)?.notes ?? [];
  useEffect(() => {
    api.notes(id).then(
      (found) => (kept.value = found.notes),
      () => undefined,
    );
  }, [id, entered.length]);
  const ours = new Map(kept.value.map((one) => [one.sha256, one.note]));
  const keep = async (event: Event) => {
    event.preventDefault();
    if (text.value.trim() && (await note(id, text.value.trim()))) text.value = "";
  };
  return (
    <section class="note" aria-label={t("notes")}>
      <ol class="history">
        {entered.map((one) => {
          const known = ours.get(one.sha256);
          const side = word("side", one.by.split("/")[0] ?? one.by);
          return (
            <li key={one.sha256}>
              {known ? (
                <>
                  <small>
                    {clock(known.time)} · {known.login}
                  </small>{" "}
                  {known.text}
                </>
              ) : (
                <span class="quiet">{t("note_other", { side })}</span>
              )}
            </li>
          );
        })}
      </ol>
      {may("note") && (
        <form onSubmit={(event) => void keep(event)}>
          <label>
            {t("note_text")}
            <textarea
              id="note"
              maxLength={2000}
              value={text.value}
              onInput={(event) => (text.value = event.currentTarget.value)}
            />
          </label>
          <button disabled={!text.value.trim() || busy.value.has(id)}>{t("note_keep")}</button>
        </form>
      )}
    </section>
  );
}
