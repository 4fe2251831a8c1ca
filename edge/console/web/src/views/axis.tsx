// Everything about one pass on one axis, one under another: counts, ground motion, the picture.

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import "./axis.css";
import * as api from "../api";
import { at, scaleOf, together, type Placed, type Scale } from "../axis/scale";
import { theme } from "../theme";
import type { Axis as AxisOf, Trace } from "../types";
import { fill, language, number, word } from "../words";
import { draw, PSEUDO, USUAL } from "../xray/draw";
import { load, metres, type Scan } from "../xray/load";

const a = (name: string, facts: Record<string, string | number> = {}) => fill(word("axis", name), facts);
const LEFT = 64;
const RIGHT = 16;
const HEIGHT = 120;

export function Axis({ id }: { id: string }) {
  const axis = useSignal<AxisOf | null>(null);
  const scan = useSignal<Scan | null>(null);
  const width = useSignal(0);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    api.axis(id).then((found) => (axis.value = found), () => undefined);
    void api.scans(id).then(async ({ scans }) => {
      if (scans[0]) scan.value = await load(scans[0], undefined, ["high", "composite"]);
    }, () => undefined);
  }, [id]);
  useEffect(() => {
    const watch = new ResizeObserver(([entry]) => (width.value = Math.round(entry!.contentRect.width)));
    watch.observe(box.current!);
    return () => watch.disconnect();
  }, []);
  const found = axis.value;
  const picture = scan.value;
  const length = picture ? metres(picture.about, 0, picture.about.columns).x : 0;
  const scale = found && scaleOf(found, length);
  const places = found && scale ? together(scale, [...found.marks, ...boxMarks(picture)]) : [];
  return (
    <div class="axis" ref={box}>
      {found && scale && width.value > 0 && (
        <>
          {found.series.map((one) => (
            <Plot
              key={`${one.sensor}/${one.kind}`}
              title={`${one.sensor} · ${a(one.kind)} · ${a("cps")}`}
              told={a("series_told", { kind: a(one.kind), most: number(Math.max(...one.cps)), background: number(one.background_cps ?? 0) })}
              width={width.value}
              scale={scale}
              places={places}
              xs={one.t_s}
              ys={[one.cps, one.background_cps === null ? null : one.t_s.map(() => one.background_cps!)]}
            />
          ))}
          {found.traces.map((one) => (
            <Ground key={`${one.sensor}/${one.channel}`} one={one} scale={scale} width={width.value} />
          ))}
          {picture && (scale.metres > 0 || scale.unit === "m") && (
            <Strip scan={picture} scale={scale} width={width.value} places={places} />
          )}
          <p class="small">
            {scale.unit === "s" && (scale.metres ? a("speed", { v: number(scale.metres, 1) }) : a("no_speed"))}
          </p>
          {places.length > 0 && (
            <ul class="places">
              {places.map((one, n) => (
                <li key={n}>
                  {a(one.names.length > 1 ? "same_place" : "one_place", {
                    names: one.names.join(", "),
                    from: number(one.from * (scale.metres || 1), 1),
                    to: number(one.to * (scale.metres || 1), 1),
                  })}
                </li>
              ))}
            </ul>
          )}
        </>
      )}
      {found && !scale && <p class="quiet">{a("nothing")}</p>}
    </div>
  );
}

function boxMarks(scan: Scan | null) {
  return (scan?.of.boxes ?? []).map((one) => ({
    sensor: scan!.of.sensor,
    kind: one.kind,
    position_m: (one.from_m + one.to_m) / 2,
    from_m: one.from_m,
    to_m: one.to_m,
  }));
}

interface PlotProps {
  title: string;
  told: string;
  width: number;
  scale: Scale;
  places: Placed[];
  xs: number[];
  ys: (number[] | null)[];
  band?: boolean;
}

function Plot({ title, told, width, scale, places, xs, ys, band = false }: PlotProps) {
  const box = useRef<HTMLDivElement>(null);
  const shade = theme.value;
  useEffect(() => {
    const style = getComputedStyle(document.documentElement);
    const colour = (name: string) => style.getPropertyValue(name).trim();
    const grid = { stroke: colour("--line"), width: 1 };
    const axes: uPlot.Axis[] = [
      { stroke: colour("--soft"), grid, ticks: grid, size: 26, values: (_, values) => values.map((value) => `${value} ${scale.unit}`) },
      { stroke: colour("--soft"), grid, ticks: grid, size: LEFT },
    ];
    if (scale.unit === "s" && scale.metres)
      axes.push({
        scale: "x",
        side: 0,
        stroke: colour("--soft"),
        grid: { show: false },
        ticks: grid,
        size: 24,
        space: 80,
        values: (_, values) => values.map((value) => (value < 0 ? "" : `${number(value * scale.metres, 1)} m`)),
      });
    const lines = ys.filter((one) => one !== null);
    const plot = new uPlot(
      {
        width,
        height: HEIGHT,
        padding: [4, RIGHT, 0, 0],
        cursor: { sync: { key: "garita" }, y: false },
        scales: { x: { time: false, range: [scale.from, scale.to] } },
        axes,
        series: [
          {},
          { stroke: colour("--main"), width: 1.5, points: { show: false } },
          { stroke: band ? colour("--main") : colour("--l2"), width: 1, dash: band ? [] : [6, 4], points: { show: false } },
        ].slice(0, lines.length + 1),
        bands: band ? [{ series: [2, 1], fill: colour("--main") }] : [],
        hooks: {
          draw: [
            (drawn) => {
              const { ctx, bbox } = drawn;
              ctx.save();
              ctx.strokeStyle = colour("--l4");
              ctx.setLineDash([6, 4]);
              ctx.lineWidth = 2;
              for (const one of places)
                for (const x of [one.from, one.to]) {
                  const place = drawn.valToPos(x, "x", true);
                  ctx.beginPath();
                  ctx.moveTo(place, bbox.top);
                  ctx.lineTo(place, bbox.top + bbox.height);
                  ctx.stroke();
                }
              ctx.restore();
            },
          ],
        },
      },
      [xs, ...lines] as uPlot.AlignedData,
      box.current!,
    );
    return () => plot.destroy();
  }, [width, scale.from, scale.to, scale.metres, places.length, shade, language.value, xs]);
  return (
    <figure class="plot" role="img" aria-label={`${title}. ${told}`}>
      <h3>{title}</h3>
      <div ref={box} />
    </figure>
  );
}

/** A ground sensor: least and greatest of each piece, and the spectrogram below it. */
export function Ground({ one, scale, width }: { one: Trace; scale: Scale; width: number }) {
  const xs = one.low.map((_, n) => one.begin_s + n * one.step_s);
  const most = Math.max(...one.high.map(Math.abs), ...one.low.map(Math.abs));
  return (
    <>
      <Plot
        title={`${one.sensor} · ${one.channel} · ${a("counts")}`}
        told={a("trace_told", { most: number(most), falls: one.footfalls_s.length })}
        width={width}
        scale={{ ...scale, metres: 0 }}
        places={[]}
        xs={xs}
        ys={[one.high, one.low]}
        band
      />
      {one.spectrogram && <Spectrum one={one} scale={scale} width={width} />}
    </>
  );
}

function place(scale: Scale, width: number, value: number): number {
  return LEFT + ((value - scale.from) / (scale.to - scale.from)) * (width - LEFT - RIGHT);
}

function Spectrum({ one, scale, width }: { one: Trace; scale: Scale; width: number }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const found = one.spectrogram!;
  useEffect(() => {
    const levels = Uint8Array.from(atob(found.levels), (each) => each.charCodeAt(0));
    const context = canvas.current!.getContext("2d")!;
    const image = context.createImageData(found.columns, found.rows);
    for (let row = 0; row < found.rows; row++)
      for (let column = 0; column < found.columns; column++) {
        const [r, g, b] = PSEUDO[levels[row * found.columns + column]!]!;
        image.data.set([r, g, b, 255], ((found.rows - 1 - row) * found.columns + column) * 4);
      }
    context.putImageData(image, 0, 0);
  }, [found]);
  const left = place(scale, width, found.begin_s);
  const right = place(scale, width, found.begin_s + found.columns * found.step_s);
  return (
    <figure class="spectrum" role="img" aria-label={a("spectrum_told", { sensor: one.sensor, hz: number(found.rows * found.hz_step) })}>
      <canvas
        class="picture"
        ref={canvas}
        width={found.columns}
        height={found.rows}
        style={{ left: `${left}px`, width: `${right - left}px` }}
      />
      {one.footfalls_s.map((each) => (
        <span class="fall" key={each} style={{ left: `${place(scale, width, each)}px` }} />
      ))}
    </figure>
  );
}

/** The picture at its place on the axis: its front at the zero. */
function Strip({ scan, scale, width, places }: { scan: Scan; scale: Scale; width: number; places: Placed[] }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const plane = [...scan.planes.values()][0]!;
  const from = metres(scan.about, 0, 0).x;
  const to = metres(scan.about, 0, scan.about.columns).x;
  const left = place(scale, width, at(scale, from)!);
  const right = place(scale, width, at(scale, to)!);
  const pixels = Math.max(1, Math.round(right - left));
  useEffect(() => {
    const element = canvas.current!;
    const factor = pixels / plane.about.columns;
    element.width = pixels;
    element.height = Math.max(1, Math.round(plane.about.rows * factor));
    const context = element.getContext("2d")!;
    const image = context.createImageData(element.width, element.height);
    draw(image, plane, { scale: factor, left: 0, top: 0 }, USUAL, null);
    context.putImageData(image, 0, 0);
  }, [pixels, plane]);
  return (
    <>
      <h3>
        {scan.of.sensor} · {a("picture")}
      </h3>
      <figure class="strip" role="img" aria-label={a("picture_told", { m: number(to - Math.max(from, 0), 1) })}>
        <canvas class="picture" ref={canvas} style={{ left: `${left}px`, width: `${right - left}px` }} />
        {places.map((one, n) => {
          const begin = place(scale, width, one.from);
          return <span class="place" key={n} style={{ left: `${begin}px`, width: `${place(scale, width, one.to) - begin}px` }} />;
        })}
      </figure>
    </>
  );
}
