// The site as its configuration has it: lanes, sensors, what moves, and what a sensor felt.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import "./track.css";
import * as api from "../api";
import { barM, bearing, wayOf, type Way } from "../axis/way";
import { isOpen } from "../order";
import { later } from "../later";
import { go } from "../route";
import { alerts, site, stageOf } from "../state";
import { follow } from "../stream";
import type { Live, Summary } from "../types";
import { fill, language, named, number, t, word } from "../words";
import { LevelMark } from "./parts";

const MARGIN_M = 30;
const KEPT = 120;
const Felt = later(() => import("./felt").then((found) => found.Felt));
const k = (name: string, facts: Record<string, string | number> = {}) => fill(word("track", name), facts);

export function Track() {
  const layout = site.value?.layout;
  const live = useSignal<ReadonlyMap<string, Live>>(new Map());
  const levels = useSignal<ReadonlyMap<string, number[]>>(new Map());
  const chosen = useSignal("");
  const ways = useSignal<ReadonlyMap<string, Way | null>>(new Map());
  const zones = layout?.zones ?? [];
  useEffect(() => {
    const ends = zones.map((zone) =>
      follow(`${zone.id}/ground`, (one) => {
        live.value = new Map(live.value).set(one.sensor, one);
        const before = levels.value.get(one.sensor) ?? [];
        levels.value = new Map(levels.value).set(one.sensor, [...before, Number(one.values["rms_um_s"] ?? 0)].slice(-KEPT));
      }),
    );
    return () => ends.forEach((end) => end());
  }, [zones.map((zone) => zone.id).join()]);
  const open = [...alerts.value.values()].filter((one) => isOpen(one, stageOf(one.id)));
  const moving = open.filter((one) => zones.some((zone) => zone.id === one.place) && one.state !== "Cancel");
  useEffect(() => {
    for (const one of moving)
      void api.alert(one.id).then(
        (found) => (ways.value = new Map(ways.value).set(one.id, wayOf(found.alert.contributions))),
        () => undefined,
      );
  }, [moving.map((one) => `${one.id}/${one.revision}`).join()]);
  if (!layout) return null;
  const points = [...layout.sensors.map((one) => one.position_m), ...layout.lanes.map((one) => one.portal_m)];
  const xs = points.map((one) => one[0]);
  const ys = points.map((one) => one[1]);
  const left = Math.min(...xs) - MARGIN_M;
  const right = Math.max(...xs) + MARGIN_M;
  const low = Math.min(...ys) - MARGIN_M;
  const high = Math.max(...ys) + MARGIN_M;
  const unit = (right - left) / 120;
  const bar = barM(right - left);
  // Names on the right half are written to the left, so that none leaves the picture.
  const label = (x: number, y: number, text: string, key: string, end = false) => (
    <text x={x} y={y} font-size={unit * 2} text-anchor={end ? "end" : "start"} key={key}>
      {text}
    </text>
  );
  return (
    <section class="track" aria-label={t("view_track")}>
      <h1 class="hidden">{t("view_track")}</h1>
      <svg
        viewBox={`${left} ${-high} ${right - left} ${high - low}`}
        role="img"
        aria-label={t("track_picture", { n: layout.sensors.length })}
      >
        {zones.map((zone) => {
          const line = layout.sensors
            .filter((one) => one.place === zone.id && one.family === "seismic")
            .map((one) => one.position_m);
          if (!line.length) return null;
          const [x, y] = line[0]!;
          return (
            <g key={zone.id}>
              <polyline class="zone-line" points={line.map(([px, py]) => `${px},${-py}`).join(" ")} />
              {label(x + (x > (left + right) / 2 ? -2 : 2) * unit, -y - unit * 2, named(zone.names, zone.id), zone.id, x > (left + right) / 2)}
            </g>
          );
        })}
        {layout.lanes.map((lane, n) => {
          const [x, y] = lane.portal_m;
          const turn = lane.heading_deg ?? (lane.direction === "northbound" ? 0 : 180);
          return (
            <g key={lane.id}>
              <g transform={`translate(${x} ${-y}) rotate(${turn})`} class="lane">
                <rect x={-unit} y={-unit * 5} width={unit * 2} height={unit * 10} />
                <path d={`M 0 ${-unit * 4} l ${unit * 0.7} ${unit} h ${-unit * 1.4} z`} />
              </g>
              {label(Math.max(...layout.lanes.map((one) => one.portal_m[0])) + unit * 3, -y + unit * (2.4 * n - 3), lane.id, lane.id)}
              <title>{named(lane.names, lane.id)}</title>
            </g>
          );
        })}
        {layout.sensors.map((one) => {
          const [x, y] = one.position_m;
          const rms = Number(live.value.get(one.id)?.values["rms_um_s"] ?? 0);
          const size = unit * (0.6 + Math.min(2, Math.log10(1 + rms)));
          return (
            <g key={one.id} class={`sensor family-${one.family}`} onClick={() => (chosen.value = one.id)}>
              {one.family === "seismic" ? (
                <circle cx={x} cy={-y} r={size} class={chosen.value === one.id ? "chosen-sensor" : ""} />
              ) : (
                <rect x={x - unit / 2} y={-y - unit / 2} width={unit} height={unit} />
              )}
            </g>
          );
        })}
        {moving.map((one) => {
          const way = ways.value.get(one.id);
          const turn = way && bearing(way.direction);
          if (!way || turn === null || turn === undefined) return null;
          return (
            <g key={one.id} transform={`translate(${way.eastM} ${-way.northM}) rotate(${turn})`}>
              <line class="moving" y1={unit * 4} y2={-unit * 4} />
              <path class="moving-head" d={`M 0 ${-unit * 6} l ${unit * 1.5} ${unit * 2.5} h ${-unit * 3} z`} />
            </g>
          );
        })}
        <g transform={`translate(${left + unit * 5} ${-high + unit * 8})`}>
          <line class="bar-line" y2={-unit * 5} />
          <path d={`M 0 ${-unit * 6} l ${unit} ${unit * 2} h ${-unit * 2} z`} class="north" />
          {label(unit, 0, k("north"), "north")}
        </g>
        <g transform={`translate(${left + unit * 3} ${-low - unit * 3})`}>
          <line class="bar-line" x2={bar} />
          {label(0, -unit, k("scale", { m: bar }), "scale")}
        </g>
      </svg>
      <div class="columns">
        <div>
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
          {moving.length > 0 && <h2>{k("tracks")}</h2>}
          <ul>
            {moving.map((one) => (
              <li key={one.id}>{told(one, ways.value.get(one.id) ?? null)}</li>
            ))}
          </ul>
        </div>
        <div>
          <h2>{k("chosen")}</h2>
          <select aria-label={k("chosen")} value={chosen.value} onChange={(event) => (chosen.value = event.currentTarget.value)}>
            <option value="">…</option>
            {layout.sensors
              .filter((one) => one.family === "seismic")
              .map((one) => (
                <option value={one.id} key={one.id}>
                  {one.id}
                </option>
              ))}
          </select>
          {chosen.value && <Spark values={levels.value.get(chosen.value) ?? []} />}
        </div>
      </div>
      {chosen.value && <Felt sensor={chosen.value} key={chosen.value} />}
    </section>
  );
}

function told(one: Summary, way: Way | null): string {
  const what = one.words[language.value].headline;
  if (!way) return k("no_way", { what });
  return k("moves", {
    what,
    direction: word("direction", way.direction),
    v: number(way.speed, 1),
    sd: number(way.speedSd, 1),
    near: way.near,
  });
}

/** The last minutes of a sensor's level. */
function Spark({ values }: { values: number[] }) {
  const most = Math.max(...values, 1e-3);
  const points = values.map((one, n) => `${(n / (KEPT - 1)) * 100},${40 - (one / most) * 38}`).join(" ");
  const now = k("now", { v: number(values.at(-1) ?? 0, 2) });
  return (
    <p>
      <svg class="spark" viewBox="0 0 100 40" preserveAspectRatio="none" role="img" aria-label={now}>
        <polyline points={points} />
      </svg>{" "}
      {now}
    </p>
  );
}
