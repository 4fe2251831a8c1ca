import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { alerts, site, stageOf } from "../state";
import { follow } from "../stream";
import { isOpen } from "../order";
import { go } from "../route";
import type { Live } from "../types";
import { language, named, number, t } from "../words";
import { LevelMark } from "./parts";

const MARGIN_M = 30;

/** The site as its configuration has it: lanes, sensors, and where something is going on. */
export function Track() {
  const layout = site.value?.layout;
  const live = useSignal<ReadonlyMap<string, Live>>(new Map());
  const zones = layout?.zones ?? [];
  useEffect(() => {
    const ends = zones.map((zone) =>
      follow(`${zone.id}/ground`, (one) => (live.value = new Map(live.value).set(one.sensor, one))),
    );
    return () => ends.forEach((end) => end());
  }, [zones.map((zone) => zone.id).join()]);
  if (!layout) return null;
  const points = [
    ...layout.sensors.map((one) => one.position_m),
    ...layout.lanes.map((one) => one.portal_m),
  ];
  const xs = points.map((one) => one[0]);
  const ys = points.map((one) => one[1]);
  const left = Math.min(...xs) - MARGIN_M;
  const right = Math.max(...xs) + MARGIN_M;
  const low = Math.min(...ys) - MARGIN_M;
  const high = Math.max(...ys) + MARGIN_M;
  const unit = (right - left) / 120;
  const open = [...alerts.value.values()].filter((one) => isOpen(one, stageOf(one.id)));
  return (
    <section class="track" aria-label={t("view_track")}>
      <h1 class="hidden">{t("view_track")}</h1>
      <svg
        viewBox={`${left} ${-high} ${right - left} ${high - low}`}
        role="img"
        aria-label={t("track_picture", { n: layout.sensors.length })}
      >
        {layout.lanes.map((lane) => {
          const [x, y] = lane.portal_m;
          const turn = lane.heading_deg ?? (lane.direction === "northbound" ? 0 : 180);
          return (
            <g key={lane.id} transform={`translate(${x} ${-y}) rotate(${turn})`} class="lane">
              <rect x={-unit} y={-unit * 5} width={unit * 2} height={unit * 10} />
              <path d={`M 0 ${-unit * 4} l ${unit * 0.7} ${unit} h ${-unit * 1.4} z`} />
            </g>
          );
        })}
        {layout.sensors.map((one) => {
          const [x, y] = one.position_m;
          const seen = live.value.get(one.id);
          const rms = Number(seen?.values["rms_um_s"] ?? 0);
          const size = unit * (0.5 + Math.min(2, Math.log10(1 + rms)));
          return (
            <g key={one.id} class={`sensor family-${one.family}`}>
              {one.family === "seismic" ? (
                <circle cx={x} cy={-y} r={size} />
              ) : (
                <rect x={x - unit / 2} y={-y - unit / 2} width={unit} height={unit} />
              )}
              <title>
                {one.id}
                {seen ? ` ${number(rms, 2)} µm/s` : ""}
              </title>
            </g>
          );
        })}
      </svg>
      <ul class="legend">
        {[...layout.lanes, ...layout.zones].map((one) => (
          <li key={one.id}>{named(one.names, one.id)}</li>
        ))}
      </ul>
      <h2>{t("open_now")}</h2>
      <ul class="open-list">
        {open.map((one) => (
          <li key={one.id}>
            <button type="button" onClick={() => go("transit", one.id)}>
              <LevelMark level={one.level} /> {one.words[language.value].headline}
            </button>
          </li>
        ))}
        {!open.length && <li class="quiet">{t("nothing")}</li>}
      </ul>
    </section>
  );
}
