// What rings for nobody, until when and why; and putting something aside for some hours.

import { useSignal } from "@preact/signals";
import { ask, tell } from "../acts";
import { alerts, may, site } from "../state";
import type { Shelved } from "../types";
import { clock, named, t, word } from "../words";
import { placeName } from "./watch";

const HOURS = [1, 2, 4, 8];
const HOUR_MS = 3_600_000;

export function ShelvedNow({ rows }: { rows: Shelved[] }) {
  if (!rows.length) return <p class="quiet">{t("nothing_shelved")}</p>;
  const what = (one: Shelved) =>
    [one.event, one.sensor, one.place && placeName(one.place)].filter(Boolean).join(" · ");
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">{t("shelved")}</th>
          <th scope="col">{t("reason")}</th>
          <th scope="col">{t("by")}</th>
          <th scope="col">{t("until")}</th>
          <th scope="col">{t("acts_of")}</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((one) => (
          <tr key={`${one.event}/${one.sensor}/${one.place}/${one.inhibit}/${one.exercise}`}>
            <th scope="row">{what(one)}</th>
            <td>{one.reason}</td>
            <td>{one.inhibit ? t("inhibit") : word("side", one.by.split("/")[0] ?? one.by)}</td>
            <td>{clock(one.until)}</td>
            <td>
              {may("shelve") && !one.inhibit && (
                <button
                  type="button"
                  onClick={() =>
                    void ask(
                      "unshelve",
                      { event: one.event, sensor: one.sensor, place: one.place },
                      one.exercise,
                    )
                  }
                >
                  {t("unshelve")}
                </button>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Of a sensor or a place; with `event`, of that kind of alert. */
export function Shelve({ event = "", place = "" }: { event?: string; place?: string }) {
  const drilling = [...alerts.value.values()].at(-1)?.exercise ?? false;
  const drill = useSignal(drilling);
  if (!may("shelve")) return null;
  const layout = site.value?.layout;
  const put = async (submitted: SubmitEvent) => {
    submitted.preventDefault();
    const form = submitted.currentTarget as HTMLFormElement;
    const said = new FormData(form);
    const text = (name: string) => String(said.get(name) ?? "");
    const scope = { event, sensor: text("sensor"), place: text("place") || place };
    if (!(scope.event || scope.sensor || scope.place) || !text("reason").trim())
      return tell(t("scope_needed"), true);
    const until = new Date(Date.now() + Number(text("hours")) * HOUR_MS).toISOString();
    if (await ask("shelve", { ...scope, until, reason: text("reason").trim() }, drill.value))
      form.reset();
  };
  const places = [...(layout?.lanes ?? []), ...(layout?.zones ?? [])];
  return (
    <form class="shelve" onSubmit={(submitted) => void put(submitted)}>
      {!event && (
        <>
          <label>
            {t("sensor")}
            <select name="sensor">
              <option value="">{t("any")}</option>
              {layout?.sensors.map((one) => (
                <option value={one.id} key={one.id}>
                  {one.id}
                </option>
              ))}
            </select>
          </label>
          <label>
            {t("place")}
            <select name="place">
              <option value="">{t("any")}</option>
              {places.map((one) => (
                <option value={one.id} key={one.id}>
                  {named(one.names, one.id)}
                </option>
              ))}
            </select>
          </label>
        </>
      )}
      <label>
        {t("hours")}
        <select name="hours">
          {HOURS.map((one) => (
            <option value={one} key={one}>
              {one}
            </option>
          ))}
        </select>
      </label>
      <label>
        {t("reason")}
        <input name="reason" maxLength={200} />
      </label>
      <label>
        <span>
          <input
            type="checkbox"
            checked={drill.value}
            onChange={(changed) => (drill.value = changed.currentTarget.checked)}
          />{" "}
          {t("only_drills")}
        </span>
      </label>
      <button>{event ? t("shelve_this") : t("shelve")}</button>
    </form>
  );
}
