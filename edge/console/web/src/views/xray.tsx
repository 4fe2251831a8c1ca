// The X-ray viewer: all of a scan's bits, and what they say of the matter under the probe.

import { signal, useComputed, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import "./xray.css";
import * as api from "../api";
import { keys } from "../keys";
import { go } from "../route";
import { alerts } from "../state";
import { number, word } from "../words";
import { fill } from "../words";
import { draw, LINEAR, THICK, THIN, USUAL, whole, zoomed, type Colours, type Look, type View } from "../xray/draw";
import { groupsOf, load, metres, pixel, type Scan } from "../xray/load";
import { matterAt } from "../xray/matter";

const v = (name: string, facts: Record<string, string | number> = {}) => fill(word("viewer", name), facts);
const COLOURS: Colours[] = ["grey", "pseudo", "material", "organic", "metal"];
const STEP = 10;

interface Spot {
  row: number;
  column: number;
}

/** When a scan was asked for and painted, for whoever measures it. */
export const opened = signal<{ asked: number; painted: number } | null>(null);

export function Xray({ id }: { id: string }) {
  const scan = useSignal<Scan | null>(null);
  const before = useSignal<Scan | null>(null);
  const beside = useSignal(false);
  const said = useSignal(v("loading", { n: "…" }));
  const plane = useSignal("high");
  const look = useSignal<Look>(USUAL);
  const view = useSignal<View | null>(null);
  const boxes = useSignal(true);
  const spot = useSignal<Spot | null>(null);
  const rule = useSignal<Spot[]>([]);

  useEffect(() => {
    const asked = performance.now();
    void (async () => {
      try {
        const { scans } = await api.scans(id);
        if (!scans[0]) return void (said.value = v("none"));
        const found = await load(scans[0], (bytes) => (said.value = v("loading", { n: number(bytes / 1e6) })));
        plane.value = found.planes.has("high") ? "high" : [...found.planes.keys()][0]!;
        said.value = "";
        scan.value = found;
        requestAnimationFrame(() =>
          requestAnimationFrame(() => {
            opened.value = { asked, painted: performance.now() };
            document.documentElement.dataset["scanMs"] = String(Math.round(performance.now() - asked));
          }),
        );
      } catch (error) {
        said.value = v("not_read", { why: (error as Error).message });
      }
    })();
  }, [id]);

  const change = (part: Partial<Look>) => (look.value = { ...look.value, ...part });
  const other = async () => {
    beside.value = !beside.value;
    if (!beside.value || before.value) return;
    const found = await previous(id).catch(() => null);
    if (found) before.value = found;
    else {
      beside.value = false;
      said.value = v("before_none");
    }
  };
  const mark = () => {
    if (!spot.value) return;
    rule.value = rule.value.length === 1 ? [...rule.value, spot.value] : [spot.value];
  };
  const move = (rows: number, columns: number) => {
    const about = scan.value?.about;
    if (!about) return;
    const from = spot.value ?? { row: Math.round(about.rows / 2), column: Math.round(about.columns / 2) };
    const clamp = (value: number, most: number) => Math.min(Math.max(value, 0), most - 1);
    spot.value = { row: clamp(from.row + rows, about.rows), column: clamp(from.column + columns, about.columns) };
  };
  const zoom = (factor: number) => {
    const box = document.querySelector(".xray .pane")?.getBoundingClientRect();
    if (view.value && box) view.value = zoomed(view.value, factor, box.width / 2, box.height / 2);
  };
  useEffect(() => {
    const arrow = (key: string, rows: number, columns: number) => [
      { key, name: "key_probe", run: () => move(rows, columns) },
      { key: `Shift+${key}`, name: "key_probe", run: () => move(rows * STEP, columns * STEP) },
    ];
    return keys([
      ...arrow("ArrowUp", -1, 0),
      ...arrow("ArrowDown", 1, 0),
      ...arrow("ArrowLeft", 0, -1),
      ...arrow("ArrowRight", 0, 1),
      { key: "+", name: "key_zoom_in", run: () => zoom(1.25) },
      { key: "-", name: "key_zoom_out", run: () => zoom(0.8) },
      { key: "0", name: "key_all", run: () => (view.value = null) },
      { key: "[", name: "key_level_down", run: () => change({ level: look.value.level - look.value.window / 20 }) },
      { key: "]", name: "key_level_up", run: () => change({ level: look.value.level + look.value.window / 20 }) },
      { key: "{", name: "key_window_down", run: () => change({ window: look.value.window / 1.1 }) },
      { key: "}", name: "key_window_up", run: () => change({ window: look.value.window * 1.1 }) },
      { key: "g", name: "key_log", run: () => (look.value = { ...(look.value.log ? LINEAR : USUAL), colours: look.value.colours }) },
      { key: "i", name: "key_inverse", run: () => change({ inverse: !look.value.inverse }) },
      { key: "p", name: "key_colours", run: () => change({ colours: next(COLOURS, look.value.colours) }) },
      { key: "e", name: "key_plane", run: () => (plane.value = next([...(scan.value?.planes.keys() ?? [])], plane.value)) },
      { key: "b", name: "key_boxes", run: () => (boxes.value = !boxes.value) },
      { key: "u", name: "key_ruler", run: mark },
      { key: "v", name: "key_before", run: () => void other() },
      { key: "Escape", name: "key_back", run: () => go("transit", id) },
    ]);
  }, [id]);

  const found = scan.value;
  return (
    <section class="xray" aria-label={v("title")}>
      <h1 class="hidden">{v("title")}</h1>
      <div class="tools" role="group" aria-label={v("title")}>
        <button type="button" onClick={() => go("transit", id)}>
          ← {v("back")}
        </button>
        {found && (
          <>
            <label>
              {v("plane")}
              <select value={plane.value} onChange={(event) => (plane.value = event.currentTarget.value)}>
                {[...found.planes.keys()].map((one) => (
                  <option value={one} key={one}>
                    {v(one)}
                  </option>
                ))}
              </select>
            </label>
            {([["usual", USUAL], ["thin", THIN], ["thick", THICK]] as const).map(([name, preset]) => (
              <button type="button" key={name} onClick={() => (look.value = { ...preset, colours: look.value.colours })}>
                {v(name)}
              </button>
            ))}
            <Range name="level" min={look.value.log ? 0 : -0.5} max={look.value.log ? 9 : 1.5} value={look.value.level} set={(level) => change({ level })} />
            <Range name="window" min={0.05} max={look.value.log ? 10 : 2} value={look.value.window} set={(width) => change({ window: width })} />
            <Check name="log" value={look.value.log} set={(log) => change({ ...(log ? USUAL : LINEAR), colours: look.value.colours })} />
            <Check name="inverse" value={look.value.inverse} set={(inverse) => change({ inverse })} />
            <label>
              {v("colours")}
              <select value={look.value.colours} onChange={(event) => change({ colours: event.currentTarget.value as Colours })}>
                {COLOURS.filter((one) => found.about.curves || one === "grey" || one === "pseudo").map((one) => (
                  <option value={one} key={one}>
                    {v(one)}
                  </option>
                ))}
              </select>
            </label>
            <Check name="boxes" value={boxes.value} set={(on) => (boxes.value = on)} />
            <Check name="before" value={beside.value} set={() => void other()} />
            <button type="button" onClick={() => zoom(1.25)} aria-label={v("zoom_in")}>
              +
            </button>
            <button type="button" onClick={() => zoom(0.8)} aria-label={v("zoom_out")}>
              −
            </button>
            <button type="button" onClick={() => (view.value = null)}>
              {v("all")}
            </button>
          </>
        )}
      </div>
      {said.value && <p role="status">{said.value}</p>}
      {found && (
        <>
          <div class="panes">
            <Pane scan={found} name={beside.value ? v("now_scan") : ""} plane={plane} look={look} view={view} boxes={boxes} spot={spot} rule={rule} />
            {beside.value && before.value && (
              <Pane scan={before.value} name={v("before_scan")} plane={plane} look={look} view={view} boxes={boxes} spot={spot} rule={rule} />
            )}
          </div>
          <Probe scan={found} spot={spot} rule={rule} />
          <p class="small">
            {found.about.partial && `${v("partial")} `}
            {!found.of.whole && `${v("reduced", { n: found.about.binning })} `}
            {!found.about.planes[0]?.air_counts && `${v("uncalibrated")}. `}
            {v("keys")}
          </p>
        </>
      )}
    </section>
  );
}

function next<T>(all: readonly T[], one: T): T {
  return all[(all.indexOf(one) + 1) % all.length]!;
}

/** The scan of the vehicle before in the same lane. */
async function previous(id: string): Promise<Scan | null> {
  const one = alerts.value.get(id);
  if (!one) return null;
  const older = [...alerts.value.values()]
    .filter((each) => each.place === one.place && each.first_seq < one.first_seq && each.evidence > 0)
    .sort((a, b) => b.first_seq - a.first_seq);
  const own = (await api.scans(id)).scans.map((each) => each.sha256);
  for (const each of older.slice(0, 20)) {
    const { scans } = await api.scans(each.id);
    const other = scans.find((found) => !own.includes(found.sha256));
    if (other) return load(other);
  }
  return null;
}

function Range({ name, min, max, value, set }: { name: string; min: number; max: number; value: number; set: (value: number) => void }) {
  return (
    <label>
      {v(name)}
      <input type="range" min={min} max={max} step="any" value={value} onInput={(event) => set(Number(event.currentTarget.value))} />
    </label>
  );
}

function Check({ name, value, set }: { name: string; value: boolean; set: (on: boolean) => void }) {
  return (
    <label>
      <input type="checkbox" checked={value} onChange={(event) => set(event.currentTarget.checked)} />
      {v(name)}
    </label>
  );
}

interface PaneProps {
  scan: Scan;
  name: string;
  plane: { value: string };
  look: { value: Look };
  view: { value: View | null };
  boxes: { value: boolean };
  spot: { value: Spot | null };
  rule: { value: Spot[] };
}

function Pane({ scan, name, plane, look, view, boxes, spot, rule }: PaneProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const size = useSignal({ width: 0, height: 0 });
  const drag = useRef<{ x: number; y: number; view: View; look: Look; how: "pan" | "look" | "rule" } | null>(null);
  const shown = useComputed(() => view.value ?? whole(scan.about.rows, scan.about.columns, size.value.width || 1, size.value.height || 1));
  useEffect(() => {
    const watch = new ResizeObserver(([entry]) => {
      const { width, height } = entry!.contentRect;
      size.value = { width: Math.round(width), height: Math.round(height) };
    });
    watch.observe(canvas.current!.parentElement!);
    return () => watch.disconnect();
  }, []);
  const chosen = scan.planes.get(plane.value) ?? [...scan.planes.values()][0]!;
  useEffect(() => {
    const { width, height } = size.value;
    const element = canvas.current;
    if (!element || !width || !height) return;
    const frame = requestAnimationFrame(() => {
      if (element.width !== width || element.height !== height) {
        element.width = width;
        element.height = height;
      }
      const context = element.getContext("2d")!;
      const image = context.createImageData(width, height);
      const tinted = look.value.colours !== "grey" && look.value.colours !== "pseudo";
      draw(image, chosen, shown.value, look.value, tinted ? groupsOf(scan) : null);
      context.putImageData(image, 0, 0);
    });
    return () => cancelAnimationFrame(frame);
  });
  const at = (event: PointerEvent | WheelEvent): Spot & { x: number; y: number } => {
    const box = canvas.current!.getBoundingClientRect();
    const x = event.clientX - box.left;
    const y = event.clientY - box.top;
    const place = shown.value;
    return { x, y, row: Math.floor(place.top + y / place.scale), column: Math.floor(place.left + x / place.scale) };
  };
  const inside = (one: Spot) => one.row >= 0 && one.column >= 0 && one.row < scan.about.rows && one.column < scan.about.columns;
  const down = (event: PointerEvent) => {
    canvas.current!.setPointerCapture(event.pointerId);
    const place = at(event);
    const how = event.shiftKey ? "rule" : event.button === 2 || event.altKey ? "look" : "pan";
    drag.current = { x: event.clientX, y: event.clientY, view: shown.value, look: look.value, how };
    if (how === "rule") rule.value = [place];
  };
  const moved = (event: PointerEvent) => {
    const place = at(event);
    const from = drag.current;
    if (inside(place)) spot.value = { row: place.row, column: place.column };
    if (!from) return;
    const x = event.clientX - from.x;
    const y = event.clientY - from.y;
    if (from.how === "pan")
      view.value = { ...from.view, left: from.view.left - x / from.view.scale, top: from.view.top - y / from.view.scale };
    else if (from.how === "rule") rule.value = [rule.value[0]!, { row: place.row, column: place.column }];
    else
      look.value = {
        ...from.look,
        level: from.look.level + (y / 300) * from.look.window,
        window: Math.max(0.02, from.look.window * Math.exp(x / 300)),
      };
  };
  const up = () => (drag.current = null);
  const place = shown.value;
  const onScreen = (one: Spot) => ({ x: (one.column + 0.5 - place.left) * place.scale, y: (one.row + 0.5 - place.top) * place.scale });
  return (
    <div class="pane">
      <canvas
        ref={canvas}
        role="img"
        aria-label={v("picture", { rows: scan.about.rows, columns: scan.about.columns })}
        onPointerDown={down}
        onPointerMove={moved}
        onPointerUp={up}
        onPointerCancel={up}
        onContextMenu={(event) => event.preventDefault()}
        onWheel={(event) => {
          event.preventDefault();
          const { x, y } = at(event);
          view.value = zoomed(place, Math.exp(-event.deltaY / 400), x, y);
        }}
      />
      <svg aria-hidden="true">
        {boxes.value &&
          scan.of.boxes.map((one) => {
            const a = onScreen(pixel(scan.about, one.from_m, one.top_m));
            const b = onScreen(pixel(scan.about, one.to_m, one.bottom_m));
            return (
              <g key={one.number} data-box={one.number}>
                <rect x={a.x} y={a.y} width={Math.max(b.x - a.x, 1)} height={Math.max(b.y - a.y, 1)} />
                <text x={a.x} y={a.y - 5}>
                  {one.number} · {one.material ? v(`group_${one.material}`) : one.kind.replace("xray.", "")}
                  {one.areal_g_cm2 ? ` · +${number(one.areal_g_cm2)} g/cm²` : ""}
                </text>
              </g>
            );
          })}
        {spot.value && <Cross {...onScreen(spot.value)} />}
        {rule.value.length === 2 && <Rule from={onScreen(rule.value[0]!)} to={onScreen(rule.value[1]!)} />}
      </svg>
      {name && <span class="name">{name}</span>}
    </div>
  );
}

function Cross({ x, y }: { x: number; y: number }) {
  return (
    <g class="cross">
      <line x1={x - 12} x2={x + 12} y1={y} y2={y} />
      <line x1={x} x2={x} y1={y - 12} y2={y + 12} />
    </g>
  );
}

function Rule({ from, to }: { from: { x: number; y: number }; to: { x: number; y: number } }) {
  return <line class="rule" x1={from.x} y1={from.y} x2={to.x} y2={to.y} />;
}

/** What is under the probe, in figures; read out where it stops. */
function Probe({ scan, spot, rule }: { scan: Scan; spot: { value: Spot | null }; rule: { value: Spot[] } }) {
  const one = spot.value;
  const first = scan.planes.get("high") ?? [...scan.planes.values()][0]!;
  const [from, to] = rule.value;
  let length = "";
  if (from && to) {
    const a = metres(scan.about, from.row, from.column);
    const b = metres(scan.about, to.row, to.column);
    length = v("ruler_is", { m: number(Math.hypot(a.x - b.x, a.y - b.y), 2) });
  }
  if (!one) return <output class="probe">{length ? `${v("ruler")}: ${length}` : v("ruler_none")}</output>;
  const told = matterAt(first, scan.planes.get("low") ?? null, scan.about.curves, one.row, one.column);
  const where = metres(scan.about, one.row, one.column);
  const groups = scan.about.curves?.groups ?? [];
  return (
    <output class="probe" data-transmission={told.transmission} data-areal={told.areal ?? ""} data-place={told.place ?? ""}>
      <strong>{v("probe")}</strong>
      <span>{v("where", { x: number(where.x, 2), y: number(where.y, 2) })}</span>
      <span>{v("through", { p: number(told.transmission * 100, told.transmission < 0.01 ? 3 : 1) })}</span>
      {told.areal !== null && <span>{v("areal", { g: number(told.areal, 1), sd: number(told.arealSd, 1) })}</span>}
      <span>
        {told.place === null
          ? v(told.untold)
          : v("matter", { name: v(`group_${groups[Math.round(told.place)]}`), place: number(told.place, 1), sd: number(told.placeSd, 1) })}
      </span>
      {length && (
        <span>
          {v("ruler")}: {length}
        </span>
      )}
    </output>
  );
}
